"""Faults in data: where it goes, and who gets it (RFC 6544 sections 10 and 12, RFC 4571 section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.config import Media
from conformance.agent.decisions.media import Data
from conformance.agent.faults.model import Faults
from conformance.agent.framing import COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.config import Config
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream

fault = Faults()


@fault("media-over-first-stream", "RFC6544-10.1-01", "sends the media of all streams over the first one's connection")
class MediaOverFirstStream(Data):
    def outgoing_stream(self, stream: int) -> int:
        return 0


@fault("streams-delivered-as-first", "RFC6544-10.2-01", "delivers what comes for any stream as the first one's")
class StreamsDeliveredAsFirst(Data):
    def incoming_stream(self, stream: int) -> int:
        return 0


@fault("components-mixed-up", "RFC6544-10.2-01", "delivers what comes for any component to the first")
class ComponentsMixedUp(Data):
    def incoming_component(self, component: int) -> int:
        return 1


@fault("media-not-sent", "RFC6544-10.1-01", "sends no media on the selected pair's connection")
class MediaNotSent(Data):
    def sends(self, octets: bytes) -> bool:
        return False


@fault("media-follows-latest", "RFC6544-10.1-01", "sends media on the connection that came last")
class MediaFollowsLatest(Data):
    def carrier(self, selected: Connection, every: Iterable[Connection]) -> Connection:
        return max(every, key=lambda connection: connection.number)


@fault("media-without-frame", "RFC6544-10.1-02", "sends media without LENGTH before it")
class MediaWithoutFrame(Data):
    def frames_data(self) -> bool:
        return False


@fault("later-media-without-frame", "RFC6544-10.1-02", "sends media without LENGTH before it, but for the first")
class LaterMediaWithoutFrame(Data):
    _began = False

    def frames_data(self) -> bool:
        first, self._began = not self._began, True
        return first


@fault("media-not-delivered", "RFC6544-10.2-01", "gives no received media to the application")
class MediaNotDelivered(Data):
    def delivers(self, stream: Stream, connection: Connection) -> bool:
        return False


@fault("media-lost-in-restart", "RFC6544-10.2-01", "gives no media to the application while ICE restarts")
class MediaLostInRestart(Data):
    def delivers(self, stream: Stream, connection: Connection) -> bool:
        return stream.former is None and super().delivers(stream, connection)


@fault("data-before-validation", "RFC6544-12-s01", "sends data over connections on which nothing has been validated")
class DataBeforeValidation(Data):
    def early_carrier(self, stream: Stream, component: int, every: Iterable[Connection]) -> Connection | None:
        return next((one for one in every if one.is_open and one.component == component), None)


@fault(
    "unvalidated-data-diverts",
    "RFC6544-12-s01",
    "sends data over a connection that nobody has validated, if any",
)
class UnvalidatedDataDiverts(Data):
    def carrier(self, selected: Connection, every: Iterable[Connection]) -> Connection:
        strangers = (one for one in every if one.is_open and not one.outgoing and not one.authenticated)
        return next(strangers, selected)


@fault("frame-ends-become-newlines", "RFC6544-10.2-s02", "adds an octet to the byte stream at the end of each frame")
class FrameEndsBecomeNewlines(Data):
    def delivered(self, payload: bytes) -> bytes:
        return super().delivered(payload) + b"\n"


@fault("cookie-taken-for-stun", "RFC8489-6.3-s05", "discards data that has the magic cookie in its place")
class CookieTakenForStun(Data):
    def is_data(self, payload: bytes) -> bool:
        return payload[4:8] != COOKIE and super().is_data(payload)


@fault("stun-delivered-as-data", "RFC6544-10.2-s01", "delivers STUN messages to the application as well")
class StunDeliveredAsData(Data):
    def stun_is_data_too(self) -> bool:
        return True


@fault("null-frame-closes", "RFC4571-2-s02", "closes the connection on a null frame")
class NullFrameCloses(Data):
    def bears_null(self) -> bool:
        return False


@fault("offerer-is-not-ready", "RFC3264-5.1-21", "takes no data as the offerer")
class OffererIsNotReady(Data):
    def delivers(self, stream: Stream, connection: Connection) -> bool:
        return not self.config.offerer and super().delivers(stream, connection)


@fault("restart-silences", "RFC8445-9-s02", "sends no data while ICE restarts")
class RestartSilences(Data):
    def sends_in_restart(self) -> bool:
        return False


@fault("media-jumps-in-restart", "RFC8445-12.1-s02", "sends data over a new pair of a restart before it is nominated")
class MediaJumpsInRestart(Data):
    def carrier(self, selected: Connection, every: Iterable[Connection]) -> Connection:
        valid = (one for one in every if one.is_open and one.pair is not None and one.pair.valid is not None)
        return next((one for one in valid if not one.selected), selected)


@fault(
    "media-over-late-connection", "RFC8445-12.1-02", "sends data over a connection that was checked after completion"
)
class MediaOverLateConnection(Data):
    def carrier(self, selected: Connection, every: Iterable[Connection]) -> Connection:
        others = (one for one in every if one.is_open and one is not selected and one.authenticated)
        return next((one for one in others if not one.outgoing), selected)


@fault("media-after-failure", "RFC8445-12.1-04", "sends data of the component that works when another one has failed")
class MediaAfterFailure(Data):
    def early_carrier(self, stream: Stream, component: int, every: Iterable[Connection]) -> Connection | None:
        valid = (pair.connection for pair in stream.checks.valid if pair.component == component)
        return None if stream.checks.running else next(valid, None)


@fault("selected-alone-delivered", "RFC8445-12.2-01", "gives no data to the application before a pair is selected")
class SelectedAloneDelivered(Data):
    def delivers(self, stream: Stream, connection: Connection) -> bool:
        return connection.selected and super().delivers(stream, connection)


_REPORTS = (b"\xc8", b"\xc9")  # sender's and receiver's, with which RTCP packets begin (RFC 3550 section 6.1)


class _FirstSource(Data):
    """Knows the first source of the packets of one kind, received and sent."""

    _kind = ""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._received: list[bytes] = []
        self._sent: list[bytes] = []

    def _is_of_first(self, packet: bytes, known: list[bytes]) -> bool:
        is_rtcp = packet[1:2] in _REPORTS
        carries_packets = self.config.streams[0].media is Media.RTP
        if not carries_packets or packet[:1] != b"\x80" or len(packet) < 12 or is_rtcp is not (self._kind == "rtcp"):
            return True
        known.append(packet[4:8] if is_rtcp else packet[8:12])
        return known[0] == known[-1]


class _FirstSourceReceived(_FirstSource):
    def is_data(self, payload: bytes) -> bool:
        return self._is_of_first(payload, self._received) and super().is_data(payload)


class _FirstSourceSent(_FirstSource):
    def sends(self, octets: bytes) -> bool:
        return self._is_of_first(octets, self._sent) and super().sends(octets)


@fault("one-rtp-source-received", "RFC4571-3-02", "delivers the RTP packets of the first source alone")
class OneRtpSourceReceived(_FirstSourceReceived):
    _kind = "rtp"


@fault("one-rtp-source-sent", "RFC4571-3-02", "sends the RTP packets of the first source alone")
class OneRtpSourceSent(_FirstSourceSent):
    _kind = "rtp"


@fault("one-rtcp-source-received", "RFC4571-3-03", "delivers the RTCP packets of the first source alone")
class OneRtcpSourceReceived(_FirstSourceReceived):
    _kind = "rtcp"


@fault("one-rtcp-source-sent", "RFC4571-3-03", "sends the RTCP packets of the first source alone")
class OneRtcpSourceSent(_FirstSourceSent):
    _kind = "rtcp"

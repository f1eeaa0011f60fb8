"""Faults in frames (RFC 4571 sections 2 and 8, RFC 6544 sections 3, 7.1, 7.2 and 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.framing import Framing
from conformance.agent.faults.model import Faults
from conformance.wire.dtls import ContentType, Record
from conformance.wire.stun import Message, MessageClass, Method, build, looks_like_stun

if TYPE_CHECKING:
    from conformance.agent.framing import Inbound
    from conformance.agent.pairs import Connection

fault = Faults()

MARKER = b"$"  # as RTSP has it before each length (RFC 7826 section 14); RFC 4571 has none


def within_dtls(message: bytes) -> bytes:
    """Return STUN as application data of a DTLS connection, where it must never be (RFC 6544 sections 3 and 7.1)."""
    return Record(ContentType.APPLICATION_DATA, message).encode()


@fault("length-little-endian", "RFC4571-2-s01", "writes LENGTH with its low octet first")
class LengthLittleEndian(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        return len(payload).to_bytes(2, "little") + payload


@fault("length-includes-itself", "RFC4571-2-01", "counts LENGTH's own two octets in LENGTH")
class LengthIncludesItself(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        return (len(payload) + 2).to_bytes(2, "big") + payload


@fault("media-length-modulo-256", "RFC4571-2-01", "writes only the lower octet of the LENGTH of data")
class MediaLengthModulo256(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        if looks_like_stun(payload):
            return super().framed(payload, behind_others)
        return (len(payload) & 0xFF).to_bytes(2, "big") + payload


@fault(
    "length-again-after-partial-write",
    "RFC4571-2-01",
    "writes a frame of data from its beginning again after a write that took LENGTH alone",
)
class LengthAgainAfterPartialWrite(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        octets = super().framed(payload, behind_others)
        return octets if looks_like_stun(payload) else octets[:2] + octets


@fault("frames-padded", "RFC4571-2-s03", "pads its frames to a multiple of four octets")
class FramesPadded(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        octets = super().framed(payload, behind_others)
        return octets + MARKER * (-len(octets) % 4)


@fault("frame-marker", "RFC4571-2-s03", "puts an octet of constant value between its frames")
class FrameMarker(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        return MARKER * behind_others + super().framed(payload, behind_others)


@fault("lookalike-not-split", "RFC6544-10.1-03", "sends octets of a byte stream that look like STUN in one frame")
class LookalikeNotSplit(Framing):
    def portion(self, octets: bytes) -> bytes:
        return octets[: self.most()]


@fault("stream-portions-swapped", "RFC6544-10.1-s01", "puts the portions of a byte stream in the wrong order")
class StreamPortionsSwapped(Framing):
    def ordered(self, octets: bytes) -> bytes:
        middle = len(octets) // 2 if len(octets) > self.most() else 0
        return octets[middle:] + octets[:middle]


@fault("check-without-frame", "RFC6544-7.1-03", "sends checks without LENGTH before them")
class CheckWithoutFrame(Framing):
    def frames_check(self, connection: Connection) -> bool:
        return False


@fault("later-opened-without-frame", "RFC6544-7.1-03", "frames checks on the first connection that it opens only")
class LaterOpenedWithoutFrame(Framing):
    _first_opened = 0

    def frames_check(self, connection: Connection) -> bool:
        if not connection.outgoing:
            return super().frames_check(connection)
        self._first_opened = self._first_opened or connection.number
        return connection.number == self._first_opened and super().frames_check(connection)


@fault(
    "framing-ends-with-restart",
    "RFC6544-7.1-03",
    "sends checks without LENGTH on a connection that it uses again after a restart",
)
class FramingEndsWithRestart(Framing):
    def frames_check(self, connection: Connection) -> bool:
        return not connection.reused and super().frames_check(connection)


@fault("checks-within-dtls", "RFC6544-7.1-s05", "sends checks as application data of DTLS")
class ChecksWithinDtls(Framing):
    def check_frames(self, connection: Connection, message: bytes) -> list[bytes]:
        return super().check_frames(connection, within_dtls(message) if self.config.secured else message)


@fault("two-messages-in-frame", "RFC6544-7.1-03", "puts a second STUN message into the frame of a check")
class TwoMessagesInFrame(Framing):
    def check_frames(self, connection: Connection, message: bytes) -> list[bytes]:
        second = build(Method.BINDING, MessageClass.INDICATION, bytes(12))
        return super().check_frames(connection, message if connection.is_udp else message + second)


@fault("check-retransmitted", "RFC8489-6.2.2-s01", "sends each check twice")
class CheckRetransmitted(Framing):
    def check_frames(self, connection: Connection, message: bytes) -> list[bytes]:
        return super().check_frames(connection, message) * (1 if connection.is_udp else 2)


@fault("responses-within-dtls", "RFC6544-3-s02", "answers checks on selected connections within DTLS records")
class ResponsesWithinDtls(Framing):
    def response_payload(self, connection: Connection, message: bytes) -> bytes:
        hidden = self.config.secured and connection.selected
        return super().response_payload(connection, within_dtls(message) if hidden else message)


@fault("response-without-frame", "RFC6544-7.2-03", "answers on accepted connections without LENGTH")
class ResponseWithoutFrame(Framing):
    def frames_response(self, connection: Connection, message: bytes) -> bool:
        return connection.outgoing and super().frames_response(connection, message)


@fault("error-without-frame", "RFC6544-7.2-03", "refuses checks without LENGTH before the error response")
class ErrorWithoutFrame(Framing):
    def frames_response(self, connection: Connection, message: bytes) -> bool:
        bare = not connection.outgoing and Message.decode(message).is_error
        return not bare and super().frames_response(connection, message)


@fault("framing-ends-with-selection", "RFC6544-7.2-03", "answers checks without LENGTH once the pair is selected")
class FramingEndsWithSelection(Framing):
    def frames_response(self, connection: Connection, message: bytes) -> bool:
        return not connection.selected and super().frames_response(connection, message)


@fault("connections-share-deframer", "RFC4571-2-s01", "puts what comes on all connections into one stream")
class ConnectionsShareDeframer(Framing):
    _shared: Inbound | None = None

    def inbound(self) -> Inbound:
        self._shared = self._shared or super().inbound()
        return self._shared


@fault("paused-frame-lost", "RFC4571-2-s01", "loses the beginning of a frame that takes longer than half a second")
class PausedFrameLost(Framing):
    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        if now > inbound.began + 0.5:
            inbound.forget()
        return super().deframe(inbound, octets, now)


@fault("split-length-lost", "RFC4571-2-s01", "loses the first octet of a LENGTH that arrives alone")
class SplitLengthLost(Framing):
    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        return [] if len(octets) == 1 and inbound.at_boundary else super().deframe(inbound, octets, now)


@fault("bare-message-accepted", "RFC6544-7.2-03", "takes STUN messages without LENGTH as well")
class BareMessageAccepted(Framing):
    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        bare = inbound.at_boundary and looks_like_stun(octets)
        return [octets] if bare else super().deframe(inbound, octets, now)


@fault("coalesced-frame-lost", "RFC4571-2-s01", "loses what follows the first of several frames that arrive together")
class CoalescedFrameLost(Framing):
    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        return super().deframe(inbound, octets, now)[:1]


@fault("unfinished-frame-lost", "RFC4571-2-s01", "loses the beginning of a frame whose end comes later")
class UnfinishedFrameLost(Framing):
    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        payloads = super().deframe(inbound, octets, now)
        inbound.forget()
        return payloads


@fault("null-frame-eats-next", "RFC4571-2-s02", "loses the frame that arrives together with a null frame before it")
class NullFrameEatsNext(Framing):
    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        payloads = super().deframe(inbound, octets, now)
        return [payload for before, payload in zip([b"-", *payloads], payloads, strict=False) if before]


@fault("receive-limit-1500", "RFC4571-8-s01", "drops frames of more than 1,500 octets")
class ReceiveLimit1500(Framing):
    def takes_frame(self, size: int) -> bool:
        return size <= 1500


@fault("receive-limit-16k", "RFC4571-8-s01", "drops frames of more than 16,384 octets")
class ReceiveLimit16k(Framing):
    def takes_frame(self, size: int) -> bool:
        return size <= 16384


@fault("length-signed", "RFC4571-8-s01", "takes LENGTH for a signed number and drops frames from 32,768 octets")
class LengthSigned(Framing):
    def takes_frame(self, size: int) -> bool:
        return size <= 0x7FFF


@fault("large-packets-cut", "RFC4571-8-s01", "cuts what it sends off behind 32,767 octets")
class LargePacketsCut(Framing):
    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        return super().framed(payload[:0x7FFF], behind_others)

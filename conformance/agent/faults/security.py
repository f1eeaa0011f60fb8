"""Faults in DTLS (RFC 6544 sections 3, 4.5, 7.1, 9.2 and 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.security import Security
from conformance.agent.faults.model import Faults

if TYPE_CHECKING:
    from conformance.agent.pairs import Connection
    from conformance.agent.stream import Stream

fault = Faults()


@fault("dtls-never-starts", "RFC6544-10.1-s02", "begins no DTLS handshake")
class DtlsNeverStarts(Security):
    def secures(self, stream: Stream, connection: Connection) -> bool:
        return False


@fault("clear-rtp-over-tcp", "RFC6544-4.5-06", "sends RTP in the clear over TCP, where SRTP was negotiated")
class ClearRtpOverTcp(Security):
    def holds_for_handshake(self) -> bool:
        return False


@fault("dtls-at-once", "RFC6544-3-s03", "begins DTLS as soon as a connection stands")
class DtlsAtOnce(Security):
    def secures(self, stream: Stream, connection: Connection) -> bool:
        return connection.is_open


@fault("dtls-before-success", "RFC6544-7.1-s06", "begins DTLS when the peer or it has checked, before its own success")
class DtlsBeforeSuccess(Security):
    def secures(self, stream: Stream, connection: Connection) -> bool:
        asked = any(pair.connection is connection for pair in stream.checks.pairs)
        return connection.authenticated or asked or super().secures(stream, connection)


@fault("opener-begins-dtls", "RFC6544-4.5-s04", "begins DTLS where it opened the connection, whatever setup says")
class OpenerBeginsDtls(Security):
    def is_client(self, stream: Stream, connection: Connection) -> bool:
        return connection.outgoing


@fault(
    "restart-begins-dtls-anew",
    "RFC6544-9.2-03",
    "begins another DTLS handshake on a connection that it uses again after a restart",
)
class RestartBeginsDtlsAnew(Security):
    def begins_anew(self, connection: Connection) -> bool:
        return connection.reused


@fault("dtls-without-frame", "RFC6544-10.1-02", "sends DTLS records without LENGTH before them")
class DtlsWithoutFrame(Security):
    def frames_records(self) -> bool:
        return False


@fault("dtls-taken-for-media", "RFC7983-7-s02", "takes DTLS records for media")
class DtlsTakenForMedia(Security):
    def takes_records(self) -> bool:
        return False


@fault("media-taken-for-dtls", "RFC7983-7-s03", "takes RTP packets for DTLS records, and fails over them")
class MediaTakenForDtls(Security):
    def fails_over_media(self) -> bool:
        return True


@fault("strange-frame-minded", "RFC7983-7-01", "fails over frames whose first octet is in no range")
class StrangeFrameMinded(Security):
    def fails_over_strange(self, first: int) -> bool:
        return first not in range(64) and first not in range(128, 192)

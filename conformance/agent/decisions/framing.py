"""Decisions about frames: how octets are framed, cut and put together again (RFC 4571 section 2, RFC 6544 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic
from conformance.agent.framing import Inbound
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.pairs import Connection

PORTION = 16384  # octets of a byte stream in one frame; any number would do


class Framing(Topic):
    """How octets become frames and frames become octets."""

    # -- what is sent --------------------------------------------------------------------------------------

    def framed(self, payload: bytes, behind_others: bool) -> bytes:
        """Return a payload in its frame (RFC 4571 section 2); `behind_others`: the connection has carried some."""
        return frame(payload)

    def pieces(self, octets: bytes) -> Iterable[bytes]:
        """Divide what is written into single writes: segments mean nothing to framing (RFC 4571 section 2)."""
        return (octets,)

    def portion(self, octets: bytes) -> bytes:
        """Return the beginning of a byte stream that goes into one frame, which looks nothing like STUN.

        RFC 6544 section 10.1.
        """
        portion = octets[: self.most()]
        while looks_like_stun(portion):
            portion = portion[:-1]
        return portion

    def most(self) -> int:
        """Return how many octets of a byte stream a frame has at most; any number will do (RFC 6544 10.1)."""
        return PORTION

    def ordered(self, octets: bytes) -> bytes:
        """Return octets of a byte stream in the order in which they are sent (RFC 6544 section 10.1)."""
        return octets

    def check_frames(self, connection: Connection, message: bytes) -> list[bytes]:
        """Return the payloads that carry a check: one frame, with nothing else in it (RFC 6544 section 7.1)."""
        return [message]

    def frames_check(self, connection: Connection) -> bool:
        """Whether a check goes in a frame: on every connection, at any time (RFC 6544 section 7.1)."""
        return True

    def response_payload(self, connection: Connection, message: bytes) -> bytes:
        """Return what carries a response: the message itself, also beside DTLS (RFC 6544 section 3)."""
        return message

    def frames_response(self, connection: Connection, message: bytes) -> bool:
        """Whether a response goes in a frame: on every connection, at any time (RFC 6544 section 7.2)."""
        return True

    # -- what comes ----------------------------------------------------------------------------------------

    def inbound(self) -> Inbound:
        """Return what puts the frames of a new connection together: something of its own (RFC 4571 section 2)."""
        return Inbound()

    def deframe(self, inbound: Inbound, octets: bytes, now: float) -> list[bytes]:
        """Return the payloads that octets complete, however TCP has cut them (RFC 4571 section 2)."""
        return inbound.feed(octets, now)

    def takes_frame(self, size: int) -> bool:
        """Whether a frame of so many octets is taken: of as many as LENGTH can say (RFC 4571 section 8)."""
        return True

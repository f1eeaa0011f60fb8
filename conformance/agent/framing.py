"""The RFC 4571 shim of one connection: putting frames together again."""

from __future__ import annotations

from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.rfc4571 import Deframer

COOKIE = MAGIC_COOKIE.to_bytes(4, "big")


class Inbound:
    """Takes the octets of one connection and gives the frames' payloads."""

    def __init__(self) -> None:
        self._deframer = Deframer()
        self.began = 0.0  # when the unfinished frame did

    @property
    def at_boundary(self) -> bool:
        """Whether no frame is unfinished."""
        return self._deframer.at_boundary

    def feed(self, octets: bytes, now: float) -> list[bytes]:
        """Return the payloads that these octets complete; null frames are ``b""``."""
        if self.at_boundary:
            self.began = now
        return self._deframer.feed(octets)

    def forget(self) -> None:
        """Lose the unfinished frame."""
        self._deframer = Deframer()


def cannot_be_stun(head: bytes) -> bool:
    """Whether the first frame of a connection can no longer turn out to be a STUN message.

    `head` is the beginning of the stream. What speaks another protocol is so found out without waiting for as many
    octets as its first two, taken for a length, announce (RFC 6544 section 7.1).
    """
    message = head[2:]
    if not message:
        return False
    return message[0] >= 0x40 or not COOKIE.startswith(message[4:8]) or head[:2] < b"\x00\x14"

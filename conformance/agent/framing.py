"""The RFC 4571 shim of one connection, and how a byte stream is cut for it (RFC 6544 section 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.dtls import ContentType, Record
from conformance.wire.rfc4571 import MAX_FRAME, Deframer, frame
from conformance.wire.stun import looks_like_stun

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 0.5  # seconds, of a fault
CHUNK = 16384  # octets of a byte stream in one frame; any number would do
MARKER = b"$"  # as RTSP has it before each length (RFC 7826 section 14); RFC 4571 has none
COOKIE = MAGIC_COOKIE.to_bytes(4, "big")


class Inbound:
    """Takes the octets of one connection and gives the frames' payloads."""

    def __init__(self, faults: frozenset[str] = frozenset()) -> None:
        self._deframer = Deframer()
        self._faults = faults
        self._began = 0.0  # when the unfinished frame did

    def feed(self, octets: bytes, now: float) -> list[bytes]:
        """Return the payloads that these octets complete; null frames are ``b""``."""
        if "paused-frame-lost" in self._faults and now > self._began + _PATIENCE:
            self._deframer = Deframer()
        if self._deframer.at_boundary:
            self._began = now
        if "split-length-lost" in self._faults and len(octets) == 1 and self._deframer.at_boundary:
            return []
        if "bare-message-accepted" in self._faults and self._deframer.at_boundary and looks_like_stun(octets):
            return [octets]
        payloads = self._deframer.feed(octets)
        if "coalesced-frame-lost" in self._faults:
            payloads = payloads[:1]
        if "unfinished-frame-lost" in self._faults and not self._deframer.at_boundary:
            self._deframer = Deframer()
        if "null-frame-eats-next" in self._faults:
            payloads = [p for before, p in zip([b"-", *payloads], payloads, strict=False) if before]
        limit = self._limit()
        return [payload for payload in payloads if len(payload) <= limit]

    def _limit(self) -> int:
        if "receive-limit-1500" in self._faults:
            return 1500
        if "receive-limit-16k" in self._faults:
            return 16384
        if "length-signed" in self._faults:
            return 0x7FFF
        return MAX_FRAME


def framed(payload: bytes, faults: frozenset[str] = frozenset()) -> bytes:
    """Return a payload in its frame (RFC 4571 section 2)."""
    if "length-little-endian" in faults:
        return len(payload).to_bytes(2, "little") + payload
    if "length-includes-itself" in faults:
        return (len(payload) + 2).to_bytes(2, "big") + payload
    if "media-length-modulo-256" in faults and not looks_like_stun(payload):
        return (len(payload) & 0xFF).to_bytes(2, "big") + payload
    return frame(payload)


def within_dtls(message: bytes) -> bytes:
    """Return STUN as application data of a DTLS connection, where it must never be (RFC 6544 section 7.1)."""
    return Record(ContentType.APPLICATION_DATA, message).encode()


def cannot_be_stun(head: bytes) -> bool:
    """Whether the first frame of a connection can no longer turn out to be a STUN message.

    `head` is the beginning of the stream. What speaks another protocol is so found out without waiting for as many
    octets as its first two, taken for a length, announce (RFC 6544 section 7.1).
    """
    message = head[2:]
    if not message:
        return False
    return message[0] >= 0x40 or not COOKIE.startswith(message[4:8]) or head[:2] < b"\x00\x14"


def cut_stream(octets: bytes, faults: frozenset[str] = frozenset(), most: int = CHUNK) -> Iterator[bytes]:
    """Divide octets of a byte stream among frames so that no frame would be taken for STUN (RFC 6544 section 10.1)."""
    if "stream-portions-swapped" in faults and len(octets) > 1:
        octets = octets[len(octets) // 2 :] + octets[: len(octets) // 2]
    position = 0
    while position < len(octets):
        portion = octets[position : position + most]
        while looks_like_stun(portion) and "lookalike-not-split" not in faults:
            portion = portion[:-1]
        position += len(portion)
        yield portion

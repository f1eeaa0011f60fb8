"""RFC 4571 section 2: a 16-bit LENGTH in network byte order before each packet."""

from __future__ import annotations

from conformance.wire.errors import FramingError

MAX_FRAME = 0xFFFF
_CLAUSE = "RFC 4571 section 2"
_LENGTH = 2


def frame(payload: bytes) -> bytes:
    """Return a payload behind its LENGTH; an empty one makes a null frame.

    Raises `FramingError` for more than 65,535 octets.
    """
    if len(payload) > MAX_FRAME:
        raise FramingError(f"{len(payload)} octets do not fit in a frame of at most {MAX_FRAME}", None, _CLAUSE)
    return len(payload).to_bytes(_LENGTH, "big") + payload


class Deframer:
    """Cuts a stream into frames, however the stream itself was cut.

    Total cost is linear in the stream: what has arrived is stored once, and no octet of an incomplete frame is looked
    at again until the frame is whole.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = _LENGTH  # octets that must be there before there is anything to do
        self._consumed = 0

    def feed(self, octets: bytes) -> list[bytes]:
        """Take in octets and return the payloads they complete, null frames as ``b""``."""
        buffer = self._buffer
        buffer += octets
        if len(buffer) < self._wanted:
            return []
        payloads = []
        position, have = 0, len(buffer)
        while have - position >= _LENGTH:
            end = position + _LENGTH + (buffer[position] << 8 | buffer[position + 1])
            if end > have:
                break
            payloads.append(bytes(buffer[position + _LENGTH : end]))
            position = end
        del buffer[:position]
        self._consumed += position
        rest = len(buffer)
        self._wanted = _LENGTH if rest < _LENGTH else _LENGTH + (buffer[0] << 8 | buffer[1])
        return payloads

    @property
    def pending(self) -> int:
        """Octets of a frame that is not complete yet, its LENGTH included."""
        return len(self._buffer)

    @property
    def at_boundary(self) -> bool:
        """Whether the stream so far ends where a frame ends."""
        return not self._buffer

    def finish(self) -> None:
        """Say that the stream has ended. Raises `FramingError` if it ended inside a frame."""
        if self._buffer:
            wanted = f" of {self._wanted}" if len(self._buffer) >= _LENGTH else ""
            what = f"the stream ends inside a frame, after {len(self._buffer)}{wanted} octets"
            raise FramingError(what, self._consumed, _CLAUSE)

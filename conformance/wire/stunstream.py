"""STUN messages one behind the other on a stream, without frames: towards STUN and TURN servers.

RFC 8489 section 6.2.2 has the header's length delimit them; nothing else is between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.errors import FramingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = 20
_HEAD = 8  # octets up to the end of the cookie
_COOKIE = MAGIC_COOKIE.to_bytes(4, "big")


def begins_like_stun(octets: bytes) -> bool:
    """Whether a stream begins with a STUN message that no frame holds (at least 8 octets of it are needed)."""
    return len(octets) >= _HEAD and octets[0] < 0x40 and octets[4:_HEAD] == _COOKIE


class MessageStream:
    """Cuts a stream into STUN messages, however the stream itself was cut.

    Messages come one at a time, because behind one of them the stream may become something else (RFC 6062 section
    4.3); `release` then gives what has arrived of it. Octets that begin no message are given as they came, all at once.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._consumed = 0

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Take in octets and yield the messages that are complete."""
        self._buffer += octets
        while (end := self._end()) is not None:
            message = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._consumed += end
            yield message

    def _end(self) -> int | None:
        """Return where the first message ends; None: it is not whole yet."""
        buffer = self._buffer
        if len(buffer) < _HEAD:
            return None
        if not begins_like_stun(bytes(buffer[:_HEAD])):
            return len(buffer)
        end = _HEADER + (buffer[2] << 8 | buffer[3])
        return end if end <= len(buffer) else None

    def release(self) -> bytes:
        """Return, and forget, what has arrived behind the last message."""
        rest = bytes(self._buffer)
        self._consumed += len(rest)
        self._buffer.clear()
        return rest

    @property
    def pending(self) -> int:
        """Octets of a message that is not complete yet."""
        return len(self._buffer)

    def finish(self) -> None:
        """Say that the stream has ended. Raises `FramingError` if it ended inside a message."""
        if self._buffer:
            what = f"the stream ends inside a STUN message, after {len(self._buffer)} octets"
            raise FramingError(what, self._consumed, "RFC 8489 section 6.2.2")

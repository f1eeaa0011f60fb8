"""The octets of a connection that were not in RFC 4571 frames, told apart by what is wrong.

The octets are read without trusting any LENGTH: STUN shows by its magic cookie, data because the tester knows it. So
a message without a frame, a frame with a wrong LENGTH and octets between frames are three findings, of three
requirements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.dtls import ContentType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COOKIE = MAGIC_COOKIE.to_bytes(4, "big")
_HEADER = 20
_LENGTH = 2
_RECORD_HEAD = 13  # octets of a DTLS record before what it carries (RFC 6347 section 4.1)


@dataclass(slots=True)
class Misframed:
    """What was found outside of frames, under a wrong LENGTH, and between frames."""

    bare: list[str] = field(default_factory=list)
    bare_data: list[str] = field(default_factory=list)
    length: list[str] = field(default_factory=list)
    between: list[str] = field(default_factory=list)

    @property
    def unframed(self) -> list[str]:
        """Messages and data without frames."""
        return self.bare + self.bare_data

    @property
    def any(self) -> list[str]:
        """Everything that was found."""
        return self.unframed + self.length + self.between


class Reader:
    """Reads the octets of connections; `packets` are the data that the IUT's application may have sent."""

    def __init__(self, packets: Sequence[bytes] = ()) -> None:
        self.found = Misframed()
        self._packets = sorted(packets, key=len, reverse=True)

    def read(self, octets: bytes) -> None:
        """Read all that has come on one connection."""
        found = self.found
        position = 0
        while position < len(octets):
            length = int.from_bytes(octets[position : position + 2], "big")
            bare, framed = self._message(octets, position), self._message(octets, position + 2)
            if bare:
                kind = found.bare if octets[position] < 0x40 else found.bare_data
                kind.append(f"{bare} octets without a frame: {_head(octets, position)}")
                position += bare
            elif framed and framed < length and self._fills(octets, position + 2 + framed, position + 2 + length):
                found.bare.append(f"a frame holds more than one message: {_head(octets, position)}")
                position += 2 + length
            elif framed > length and self._ends_well(octets, position + 2 + length):
                position += 2 + length  # the frame is right; the message says that it is longer than it is
            elif framed and framed != length:
                found.length.append(f"LENGTH {length} before {framed} octets: {_head(octets, position)}")
                position += 2 + framed
            elif self._is_doubled(octets, position, length):
                found.length.append(f"LENGTH {length} twice: {_head(octets, position)}")
                position += 4 + length
            elif (
                framed
                or _holds_records(octets[position + 2 : position + 2 + length], length)
                or self._is_frame(octets, position + 2 + length, position)
            ):
                position += 2 + length
            elif (following := self._next(octets, position + 1)) == len(octets) < position + 2 + length:
                return  # what has not come whole yet
            else:
                size = following - position
                found.between.append(f"{size} octets where a frame should begin: {_head(octets, position)}")
                position = following

    def _is_doubled(self, octets: bytes, position: int, length: int) -> bool:
        """Whether LENGTH stands twice, as where a frame is written anew after a write that took LENGTH alone."""
        packet = position + 2 * _LENGTH
        if not length or octets[position : position + _LENGTH] != octets[position + _LENGTH : packet]:
            return False
        return self._message(octets, packet) == length or _holds_records(octets[packet : packet + length], length)

    def _fills(self, octets: bytes, position: int, end: int) -> bool:
        """Whether whole messages fill the octets from here to the end."""
        while position < end and (size := self._message(octets, position)):
            position += size
        return position == end

    def _ends_well(self, octets: bytes, end: int) -> bool:
        """Whether a frame that ends here is followed by another one with a message, or by nothing."""
        return end == len(octets) or self._message(octets, end + 2) > 0

    def _message(self, octets: bytes, position: int) -> int:
        """Return how long the STUN message or the known packet is that begins here; 0: neither does."""
        if octets[position + 4 : position + 8] == _COOKIE and octets[position] < 0x40:
            return _HEADER + int.from_bytes(octets[position + 2 : position + 4], "big")
        return next((len(packet) for packet in self._packets if octets.startswith(packet, position)), 0)

    def _is_frame(self, octets: bytes, end: int, position: int) -> bool:
        """Whether a frame of something unknown, or a null frame, may begin here: it ends before anything known does."""
        return end <= min(self._next(octets, position + 1), len(octets))

    def _next(self, octets: bytes, position: int) -> int:
        """Return where the next message or packet begins, with its LENGTH if it has one."""
        return min(self._starts(octets, position), default=len(octets))

    def _starts(self, octets: bytes, position: int) -> Iterator[int]:
        for mark, before in ((_COOKIE, 4), *((packet, 0) for packet in self._packets)):
            at = octets.find(mark, position + before)
            size = self._message(octets, at - before) if at >= 0 else 0
            if size:
                begin = at - before
                announced = int.from_bytes(octets[begin - 2 : begin], "big")
                yield max(position, begin - 2) if announced == size else begin


def _holds_records(payload: bytes, length: int) -> bool:
    """Whether DTLS records fill a frame, whatever they carry: STUN within them is not a message without a frame."""
    position = 0
    while position + _RECORD_HEAD <= len(payload):
        kind, version = payload[position], payload[position + 1]
        if kind not in set(ContentType) or version != 0xFE:
            return False
        position += _RECORD_HEAD + int.from_bytes(payload[position + 11 : position + 13], "big")
    return 0 < position == length


def _head(octets: bytes, position: int) -> str:
    return octets[position : position + 12].hex(" ")

"""A connection's whole life, and what of it was not in RFC 4571 frames, told apart by what is wrong.

The octets are read without trusting any LENGTH: STUN shows by its cookie, data because it is known. So a message
without a frame, a frame with a wrong LENGTH and octets between frames are three findings, of three requirements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.suites.checks import drive
from conformance.suites.values import UNKNOWN_REQUIRED, rtp
from conformance.wire.attributes import MAGIC_COOKIE
from conformance.wire.layers import RFC4571, RawStunAttribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scapy.packet import Packet

    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.channel import Channel
    from conformance.peer.tester import Peer

# Packets of many lengths, none of which begins or ends like another.
PACKETS = tuple(rtp(number, bytes([0x41 + number]) * size) for number, size in enumerate((0, 1, 244, 300, 1400, 40000)))
_COOKIE = MAGIC_COOKIE.to_bytes(4, "big")
_STRANGE = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")


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


def live(upper: Upper, peer: Peer, iut: Description, channels: Sequence[Channel], *, anew: bool = True) -> None:
    """Make the IUT say everything it can say on these connections: refusals, success, checks, nomination, data.

    Nothing is judged; where an IUT takes no part any more, what it has said so far stands. `anew`: see `drive`.
    """
    for channel in channels:
        for refused in ({"password": "wrong" * 5}, {"password": None}, {"attributes": [_STRANGE]}):
            _ask(peer, channel, peer.check(iut, component=channel.component, **refused))
    drive(peer, iut, channels, anew=anew)
    for channel in channels:
        for packet in PACKETS if upper.pics.get("payload") == "raw" else ():
            upper.try_to_send(packet, channel.component)
        _ask(peer, channel, peer.check(iut, component=channel.component))
    peer.wait(peer.pixit.silence)


def expect_all_closed(peer: Peer, channels: Iterable[Channel]) -> None:
    """Expect that the IUT ends every one of these connections."""
    for channel in channels:
        channel.expect_end(within=peer.pixit.close)


def send_halves(peer: Peer, channels: Sequence[Channel], octets: Sequence[bytes]) -> None:
    """Send the first half of each channel's octets, then the second halves: their frames are open side by side."""
    for half in (slice(0, 40), slice(40, None)):
        for channel, one in zip(channels, octets, strict=True):
            channel.send(one[half])
        peer.wait(peer.pixit.drip)


def _ask(peer: Peer, channel: Channel, request: Packet) -> None:
    before = len(channel.octets)
    channel.send(RFC4571() / request)
    peer.wait_until(lambda: len(channel.octets) > before, peer.pixit.silence)


def misframed(channels: Sequence[Channel]) -> Misframed:
    """Read all that came on these connections."""
    found = Misframed()
    for channel in channels:
        _read(bytes(channel.octets), found)
    return found


def _read(octets: bytes, found: Misframed) -> None:
    position = 0
    while position < len(octets):
        length = int.from_bytes(octets[position : position + 2], "big")
        bare, framed = _message(octets, position), _message(octets, position + 2)
        if bare:
            kind = found.bare if octets[position] < 0x40 else found.bare_data
            kind.append(f"{bare} octets without a frame: {_head(octets, position)}")
            position += bare
        elif framed and framed != length:
            found.length.append(f"LENGTH {length} before {framed} octets: {_head(octets, position)}")
            position += 2 + framed
        elif framed or _is_frame(octets, position + 2 + length, position):
            position += 2 + length
        elif (following := _next(octets, position + 1)) == len(octets) < position + 2 + length:
            return  # what has not come whole yet
        else:
            found.between.append(f"{following - position} octets where a frame should begin: {_head(octets, position)}")
            position = following


def _message(octets: bytes, position: int) -> int:
    """Return how long the STUN message or the known packet is that begins here; 0: neither does."""
    if octets[position + 4 : position + 8] == _COOKIE and octets[position] < 0x40:
        return 20 + int.from_bytes(octets[position + 2 : position + 4], "big")
    sizes = (len(packet) for packet in reversed(PACKETS) if octets.startswith(packet, position))
    return next(sizes, 0)


def _is_frame(octets: bytes, end: int, position: int) -> bool:
    """Whether a frame of something unknown, or a null frame, may begin here: it ends before anything known begins."""
    return end <= min(_next(octets, position + 1), len(octets))


def _next(octets: bytes, position: int) -> int:
    """Return where the next message or packet begins, with its LENGTH if it has one."""
    starts = list(_starts(octets, position))
    return min(starts, default=len(octets))


def _starts(octets: bytes, position: int) -> Iterator[int]:
    for mark, before in ((_COOKIE, 4), *((packet, 0) for packet in PACKETS)):
        at = octets.find(mark, position + before)
        size = _message(octets, at - before) if at >= 0 else 0
        if size:
            begin = at - before
            announced = int.from_bytes(octets[begin - 2 : begin], "big")
            yield max(position, begin - 2) if announced == size else begin


def _head(octets: bytes, position: int) -> str:
    return octets[position : position + 12].hex(" ")

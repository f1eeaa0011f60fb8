"""When packets of a case passed, by the recording: no matter how busy the tester was then.

Times are `time.monotonic` seconds, as of all that the tester notes. Where nothing is recorded, or a message came in
pieces, the tester's own time counts: the IUT had sent it at that time or before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from conformance.wire import tcp, udp
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.peer.connection import Connection
    from conformance.peer.events import Frame
    from conformance.peer.servers import Asked

Way = tuple[Address, Address]  # from the IUT's address to ours
Place = tuple[int, str]  # our port, and the IUT's address


class Packet(NamedTuple):
    """An IP packet and when it passed."""

    time: float
    octets: bytes


class Passed(NamedTuple):
    """What a packet carried: a UDP datagram, or TCP octets of which the first segment `opens` a connection."""

    time: float
    source: Address
    destination: Address
    data: bytes
    opens: bool


def read(packets: Iterable[Packet]) -> Iterator[Passed]:
    """Yield what the packets carried, in their order; others than TCP and UDP are left out."""
    for time, octets in packets:
        segment = tcp.parse(octets)
        if segment is not None:
            opens = segment.has(tcp.SYN) and not segment.has(tcp.ACK)
            yield Passed(time, segment.source, segment.destination, segment.data, opens)
        elif (datagram := udp.parse(octets)) is not None:
            yield Passed(time, datagram.source, datagram.destination, datagram.payload, opens=True)


def taken_up(packets: Iterable[Packet], ours: str) -> dict[Place, float]:
    """Return when the first SYN, or datagram, came to each port of our address from each address."""
    found: dict[Place, float] = {}
    for passed in read(packets):
        if passed.opens and passed.destination.ip == ours:
            found.setdefault((passed.destination.port, passed.source.ip), passed.time)
    return found


def sent_at(packets: Sequence[Packet], frames: Iterable[Frame | Asked]) -> list[float]:
    """Return when the IUT sent each of these; of equal ones on one connection the first is the one sent first."""
    frames = list(frames)
    found: defaultdict[Way, list[Passed]] = defaultdict(list)
    ways = {frame.way for frame in frames}
    for passed in read(packets):
        if passed.data and (passed.source, passed.destination) in ways:
            found[passed.source, passed.destination].append(passed)
    taken: Counter[tuple[Way | None, bytes]] = Counter()
    times = []
    for frame in frames:
        on_its_way = found[frame.way] if frame.way is not None else []
        same = [passed.time for passed in on_its_way for _ in range(passed.data.count(frame.octets))]
        number = taken[frame.way, frame.octets]
        taken[frame.way, frame.octets] += 1
        times.append(same[number] if frame.octets and number < len(same) else frame.time)
    return times


def opened_at(packets: Iterable[Packet], connections: Iterable[Connection]) -> list[float]:
    """Return when each connection was begun: when its first SYN passed."""
    begun: dict[Way, float] = {}
    for passed in read(packets):
        if passed.opens:
            begun.setdefault((passed.source, passed.destination), passed.time)
    return [begun.get((one.remote_address, one.local_address), one.opened_at) for one in connections]

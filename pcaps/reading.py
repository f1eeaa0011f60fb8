"""Reads captures: of any size and origin, in one pass and in bounded memory. Judge, ladder and cross-check use it.

A capture from the field holds many connections, and most of them are not ICE's. A connection is ICE's if either side
begins as ICE begins, if a STUN message in a frame shows up in it, or if the caller knows one of its endpoints as a
candidate's. Every other connection is dropped at its first octets, and its packets are passed over by a look at their
headers. Of a capture of our own, which `read_capture` reads, everything is kept, datagrams included.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, SYN
from pcaps import pcapng
from pcaps.connections import Connection
from pcaps.flows import Flows
from pcaps.frames import COOKIE, begins_like_ice, without_nulls
from pcaps.packets import LINK_TYPES, locate, segment_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pcaps.flows import Flow
    from pcaps.packets import Place, Segment
    from pcaps.pcapng import Packet

_MOST_LIVE = 1 << 14  # connections followed at once; the one that began first is given up for the next
_MOST_PASSED = 1 << 18
_MOST_STRANGERS = 1 << 15
_MOST_ATTEMPTS = 1 << 14  # at candidates, and at others
_BEGINNING = 10
_MOST_NULLS = 256  # octets of null frames with which a side may begin, and a little more
_DOUBTS = 8  # packets with data, after which a connection is not ICE's if one side does not begin like that
_SWEEP = 1 << 16  # packets between two looks for connections that are over
_QUIET_NS = 130_000_000_000  # longer than SYNs are repeated


@dataclass(frozen=True, slots=True)
class Attempt:
    """A connection that was asked for and over which nothing was sent.

    ``last_ns`` is the time of its last SYN, ``answered_ns`` of the answer to it (None: none was seen).
    """

    client: Address
    server: Address
    first_ns: int
    last_ns: int
    answered_ns: int | None


@dataclass(slots=True)
class _Beginning:
    """What each side (true: the client) said first, as long as it does not tell whether this is ICE."""

    octets: dict[bool, bytes] = field(default_factory=dict)
    doubts: int = 0

    def tell(self, from_client: bool, payload: bytes) -> bool | None:
        """Take in octets; return whether this may be ICE. None: too few of them yet.

        A frame that one side begins with is not enough to say no: a broken agent may begin with media, to which a check
        comes back.
        """
        octets = self.octets.get(from_client, b"") + payload
        self.octets[from_client] = octets[:_MOST_NULLS]
        found = [_begins(octets) for octets in self.octets.values()]
        if True in found:
            return True
        self.doubts += False in found
        if False in found and len(self.octets) == 1 and int.from_bytes(octets[:2], "big") + 2 > len(octets):
            return False
        return False if found == [False, False] or self.doubts >= _DOUBTS else None


def _begins(octets: bytes) -> bool | None:
    """Whether one side's first octets may be ICE's, null frames before them included; null frames alone are not ICE."""
    rest = without_nulls(octets)
    return False if len(octets) == _MOST_NULLS and len(rest) < _BEGINNING else begins_like_ice(rest)


@dataclass(slots=True)
class Reading:
    """What was read so far. ``ended`` are connections of ICE that are over; the caller takes them away.

    ``full``: every connection is kept, every frame of it, and datagrams too, as captures of our own deserve.
    ``silent`` are then the connections over which nothing was sent. ``strangers`` are the ends of connections that the
    capture joins in the middle and that never show what they are. ``weight``: about how many events' memory the
    connections take. ``unknown``: how many packets there were of each link type that cannot be read.
    """

    interesting: Callable[[Address], bool] = lambda _address: False
    full: bool = False
    live: dict[bytes, Connection] = field(default_factory=dict)
    ended: list[Connection] = field(default_factory=list)
    silent: list[Connection] = field(default_factory=list)
    packets: int = 0
    segments: int = 0
    weight: int = 0
    given_up: int = 0
    unknown: Counter[int] = field(default_factory=Counter)
    strangers: set[tuple[Address, Address]] = field(default_factory=set)
    many_strangers: bool = False  # more than are remembered
    _aimed: deque[Attempt] = field(default_factory=lambda: deque(maxlen=_MOST_ATTEMPTS))
    _others: deque[Attempt] = field(default_factory=lambda: deque(maxlen=_MOST_ATTEMPTS))
    _passed: dict[bytes, None] = field(default_factory=dict)
    _beginnings: dict[bytes, _Beginning] = field(default_factory=dict)
    _noted: set[bytes] = field(default_factory=set)
    _flows: Flows = field(default_factory=Flows)

    @property
    def connections(self) -> list[Connection]:
        """All connections that are over, in the order of their beginnings."""
        return sorted([*self.ended, *self.silent], key=lambda connection: connection.first_ns)

    @property
    def flows(self) -> list[Flow]:
        """The datagrams between each two endpoints, in the order of their beginnings."""
        return self._flows.found

    @property
    def attempts(self) -> list[Attempt]:
        """Connections that came to nothing; of very many the latest, those to known candidates before others."""
        return [*self._aimed, *self._others]

    def read(self, packets: Iterable[Packet]) -> None:
        """Take in packets. What the iteration raises comes through; what came before it is kept."""
        for packet in packets:
            self.take(packet)

    def take(self, packet: Packet) -> None:
        """Take in a packet."""
        self.packets += 1
        if not self.packets % _SWEEP:
            self._sweep(packet.time_ns)
        octets = packet.octets
        place = locate(packet.link_type, octets)
        if place is None:
            self._no_segment(packet)
            return
        self.segments += 1
        key = place.way.key
        if key in self._passed:
            if not place.flags & SYN:
                return
            del self._passed[key]
        connection = self.live.get(key)
        if connection is None and not place.flags & SYN and octets.find(COOKIE, place.tcp) < 0:
            if key not in self._noted:
                self._note(place)
            if not self.full:
                return  # in the middle of something that does not show what it is
        self._segment(key, connection, segment_at(octets, place), packet.time_ns)

    def _no_segment(self, packet: Packet) -> None:
        if self.full:
            self._flows.take(packet)
        if packet.link_type not in LINK_TYPES:
            self.unknown[packet.link_type] += 1

    def finish(self) -> None:
        """Say that no more comes."""
        for key in list(self.live):
            self._end(key)

    def _note(self, place: Place) -> None:
        """Note that there is a connection whose beginning, and so whose nature, the capture does not hold."""
        self.strange(place.way.source, place.way.destination)
        if len(self._noted) < _MOST_STRANGERS:
            self._noted.add(place.way.key)

    def strange(self, one: Address, other: Address) -> None:
        """Remember the ends of a connection that began before the capture, in whichever order."""
        if (one, other) in self.strangers or (other, one) in self.strangers:
            return
        if len(self.strangers) < _MOST_STRANGERS:
            self.strangers.add((one, other))
        else:
            self.many_strangers = True

    def relieve(self, weight: int, connections: int = _MOST_LIVE) -> None:
        """End connections until the live ones are few and light enough: those that are over, those that never began.

        Only then the others, the one that began first before all.
        """
        kept = sum(connection.weight for connection in self.live.values())
        for rank in range(3):
            for key, connection in list(self.live.items()):
                if kept <= weight and len(self.live) <= connections:
                    return
                if rank == _rank(connection):
                    kept -= connection.weight
                    self.given_up += rank > 0
                    self._end(key)

    def let_go(self) -> None:
        """Forget the connections in `ended`."""
        self.ended.clear()
        self.weight = sum(connection.weight for connection in self.live.values())

    def _sweep(self, now_ns: int) -> None:
        """Let go of connections that have ended or never began, and are quiet."""
        for key, connection in list(self.live.items()):
            if now_ns - connection.last_ns > _QUIET_NS and (connection.ended or not connection.started):
                self._end(key)

    def _segment(self, key: bytes, connection: Connection | None, segment: Segment, time_ns: int) -> None:
        if connection is not None and connection.begun_anew_by(segment):
            self._end(key)
            connection = None
        if connection is None:
            connection = self._begin(key, segment)
        if segment.payload and key in self._beginnings and self._is_other(key, connection, segment):
            return
        connection.take(segment, time_ns)
        if connection.grown:
            connection.grown = False
            cost = connection.cost()
            self.weight += cost - connection.weight
            connection.weight = cost

    def _begin(self, key: bytes, segment: Segment) -> Connection:
        if len(self.live) >= _MOST_LIVE:
            self.relieve(self.weight, _MOST_LIVE * 3 // 4)
        began = bool(segment.flags & SYN) and not segment.flags & ACK
        client, server = segment.source, segment.destination
        if segment.flags & SYN and segment.flags & ACK:
            client, server = server, client
        connection = self.live[key] = Connection(client, server, began, self.full)
        known = self.full or self.interesting(segment.source) or self.interesting(segment.destination)
        if segment.flags & SYN and not known:
            self._beginnings[key] = _Beginning()
        return connection

    def _is_other(self, key: bytes, connection: Connection, segment: Segment) -> bool:
        """Whether the first octets of both sides show that this connection is not ICE's; then it is dropped."""
        verdict = self._beginnings[key].tell(segment.source == connection.client, segment.payload)
        if verdict is None:
            return False
        del self._beginnings[key]
        if verdict:
            return False
        self.weight -= connection.weight
        del self.live[key]
        if len(self._passed) >= _MOST_PASSED:
            del self._passed[next(iter(self._passed))]
        self._passed[key] = None
        return True

    def _end(self, key: bytes) -> None:
        """Take a connection from the live ones; it weighs on until the caller has let go of it."""
        connection = self.live.pop(key)
        beginning = self._beginnings.pop(key, None)
        connection.finish()
        if beginning is not None and beginning.doubts:
            self.weight -= connection.weight
            return
        if connection.frames_seen or connection.started:
            self.ended.append(connection)
            return
        if self.full:
            self.silent.append(connection)
        self.weight -= connection.weight
        attempt = _attempt(connection)
        if attempt is not None:
            (self._aimed if self.interesting(attempt.server) else self._others).append(attempt)


def _rank(connection: Connection) -> int:
    return 0 if connection.ended else 2 if connection.started else 1


def _attempt(connection: Connection) -> Attempt | None:
    asked = [event.time_ns for event in connection.events if event.what == "syn" and event.from_client]
    answers = [event.time_ns for event in connection.events if not event.from_client]
    if not asked:
        return None
    return Attempt(connection.client, connection.server, asked[0], asked[-1], min(answers, default=None))


def read_capture(path: Path) -> Reading:
    """Return all that a capture file of our own holds. Raises `pcaps.pcapng.CaptureError` and `OSError`."""
    return read_packets(pcapng.read_file(path))


def read_packets(packets: Iterable[Packet]) -> Reading:
    """Return all that the packets of a capture of our own hold."""
    reading = Reading(full=True)
    reading.read(packets)
    reading.finish()
    return reading

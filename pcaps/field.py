"""Reads captures from the field: any size, many connections, most of them not ICE's, in one pass and little memory.

A connection is ICE's if it begins with what ICE begins with, if a STUN message in a frame shows up in it, or if the
caller knows one of its endpoints for a candidate's. Every other connection is dropped at its first octets, and its
packets are passed over by a look at their headers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire.attributes import Address
from pcaps.packets import ACK, SYN, locate, segment_at
from pcaps.splitter import COOKIE, begins_like_ice
from pcaps.streams import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pcaps.packets import Place, Segment
    from pcaps.pcapng import Packet

_MOST_LIVE = 1 << 16  # connections followed at once; the one that began first is given up for the next
_MOST_PASSED = 1 << 18
_MOST_ATTEMPTS = 1 << 14
_BEGINNING = 10
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
class Field:
    """What was read so far. ``ended`` are connections of ICE that are over; the caller takes them away.

    ``strangers`` are the ends of connections that the capture joins in the middle and that never show what they are.
    """

    interesting: Callable[[Address], bool] = lambda _address: False
    live: dict[bytes, Connection] = field(default_factory=dict)
    ended: list[Connection] = field(default_factory=list)
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=_MOST_ATTEMPTS))
    packets: int = 0
    segments: int = 0
    events: int = 0
    given_up: int = 0
    strangers: set[tuple[Address, Address]] = field(default_factory=set)
    _passed: dict[bytes, None] = field(default_factory=dict)
    _beginnings: dict[bytes, bytes] = field(default_factory=dict)
    _noted: dict[bytes, None] = field(default_factory=dict)

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
            return
        self.segments += 1
        key = place.key
        if key in self._passed:
            if not place.flags & SYN:
                return
            del self._passed[key]
        connection = self.live.get(key)
        if connection is None and not place.flags & SYN and octets.find(COOKIE, place.tcp) < 0:
            self._note(key, octets, place)
            return  # in the middle of something that does not show what it is
        self._segment(key, connection, segment_at(octets, place), packet.time_ns)

    def finish(self) -> None:
        """Say that no more comes."""
        for key in list(self.live):
            self._end(key)

    def _note(self, key: bytes, octets: bytes, place: Place) -> None:
        """Note that there is a connection whose beginning, and so whose nature, the capture does not hold."""
        if key not in self._noted and len(self._noted) < _MOST_PASSED:
            segment = segment_at(octets, place)
            self._noted[key] = None
            self.strangers.add((segment.source, segment.destination))

    def relieve(self, most: int) -> None:
        """End the connections that began first until no more events than these are kept by live ones."""
        kept = sum(len(connection.events) for connection in self.live.values())
        for key in list(self.live):
            if kept <= most:
                return
            connection = self.live[key]
            kept -= len(connection.events)
            self.given_up += not connection.ended
            self._end(key)

    def let_go(self) -> None:
        """Forget the connections in `ended`."""
        self.ended.clear()
        self.events = sum(len(connection.events) for connection in self.live.values())

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
        before = len(connection.events)
        connection.take(segment, time_ns)
        self.events += len(connection.events) - before
        if key in self._beginnings and segment.payload:
            self._look(key, connection, segment.payload)

    def _begin(self, key: bytes, segment: Segment) -> Connection:
        if len(self.live) >= _MOST_LIVE:
            self.given_up += 1
            self._end(next(iter(self.live)))
        began = bool(segment.flags & SYN) and not segment.flags & ACK
        client, server = segment.source, segment.destination
        if segment.flags & SYN and segment.flags & ACK:
            client, server = server, client
        connection = self.live[key] = Connection(client, server, began, lenient=True)
        if began and not (self.interesting(segment.source) or self.interesting(segment.destination)):
            self._beginnings[key] = b""
        return connection

    def _look(self, key: bytes, connection: Connection, payload: bytes) -> None:
        """Decide by the first octets of whoever speaks first whether this may be ICE at all."""
        beginning = self._beginnings[key] + payload[:_BEGINNING]
        verdict = begins_like_ice(beginning)
        if verdict is None:
            self._beginnings[key] = beginning
            return
        del self._beginnings[key]
        if not verdict:
            self.events -= len(connection.events)
            del self.live[key]
            if len(self._passed) >= _MOST_PASSED:
                del self._passed[next(iter(self._passed))]
            self._passed[key] = None

    def _end(self, key: bytes) -> None:
        connection = self.live.pop(key)
        self._beginnings.pop(key, None)
        connection.finish()
        if connection.frames_seen or connection.started:
            self.ended.append(connection)
            return
        self.events -= len(connection.events)
        attempt = _attempt(connection)
        if attempt is not None:
            self.attempts.append(attempt)


def _attempt(connection: Connection) -> Attempt | None:
    asked = [event.time_ns for event in connection.events if event.what == "syn" and event.from_client]
    answers = [event.time_ns for event in connection.events if not event.from_client]
    if not asked:
        return None
    return Attempt(connection.client, connection.server, asked[0], asked[-1], min(answers, default=None))

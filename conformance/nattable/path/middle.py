"""Everything between the agents, without a socket: many ways at once, each with its two ends, NATs, legs and holds."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.nattable.path.holding import Crossing, Stagger, Timing
from conformance.nattable.path.impairments import Impairment, Leg
from conformance.nattable.path.nat import Behaviour, Nat, Side
from conformance.nattable.path.packets import Packet, error_about, read
from conformance.wire import icmp
from conformance.wire.tcp import ACK, SYN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.wire.attributes import Address

OFFERER, ANSWERER, SERVER = "A", "B", "S"  # the ends, and where servers are
LAG = 0.1  # seconds by which the second SYN is later where one is to be first


@dataclass(slots=True, eq=False)
class End:
    """One end of a way: the agent at ``inner``, whom the others see at ``outer``; without a NAT these are equal.

    ``up`` is the leg from it to everybody, ``down`` that from servers. ``simultaneous`` are endpoints that have spoken
    to the server: of these, only S-O candidates connect to anybody else.
    """

    name: str
    inner: str
    outer: str
    nat: Nat | None
    up: Leg
    down: Leg
    simultaneous: set[Address] = field(default_factory=set)


class Way:
    """A path between two agents.

    ``recorded``: what each end sent and got, and when, as a recorder there has it. ``crossed``: what left an end's NAT
    on its way to the other end, as a recorder between the NATs has it.
    """

    def __init__(
        self,
        addresses: dict[str, tuple[str, str]],
        behaviours: dict[str, Behaviour | None],
        *,
        timing: Timing = Timing.FREE,
        impairment: Impairment | None = None,
        seed: str = "",
    ) -> None:
        """Lay it. `addresses` are (inner, outer) by end, `behaviours` those of the NATs; None: there is none."""
        self.ends = {}
        self.recorded: dict[str, list[tuple[float, bytes]]] = {name: [] for name in addresses}
        self.crossed: list[tuple[float, bytes]] = []
        for name, (inner, outer) in addresses.items():
            rng, behaviour = random.Random(f"{seed} {name}"), behaviours[name]
            nat = None if behaviour is None else Nat(behaviour, outer, rng)
            up, down = Leg(impairment or Impairment(), rng), Leg(impairment or Impairment(), rng)
            self.ends[name] = End(name, inner, outer, nat, up, down)
        self.crossing = Crossing() if timing is Timing.CROSSING else None
        self.stagger = Stagger(ANSWERER, LAG) if timing is Timing.OFFERER_FIRST else None

    def other(self, end: End) -> End:
        """Return the end that is not this one."""
        return next(other for other in self.ends.values() if other is not end)

    @property
    def met(self) -> bool:
        """Whether both ends have sent SYN and then SYN with ACK for one connection: a simultaneous open."""
        return all(self._answered_its_own(end) for end in self.ends.values())

    def _answered_its_own(self, end: End) -> bool:
        opened = set()
        for _, octets in self.recorded[end.name]:
            packet = read(octets)
            if packet is None or packet.source.ip != end.inner:
                continue
            if packet.is_syn:
                opened.add((packet.source, packet.destination))
            elif packet.flags & (SYN | ACK) == SYN | ACK and (packet.source, packet.destination) in opened:
                return True
        return False


class Middle:
    """The routers between all ends and the servers. `take` what comes, `run` the time, `emit` gets what goes out.

    `emit` is called with the end ("A", "B", "S") and the IP packet.
    """

    def __init__(self, server: str, emit: Callable[[str, bytes], None]) -> None:
        self._server = server
        self._emit = emit
        self._ways: dict[Way, None] = {}
        self._inner: dict[tuple[str, str], tuple[Way, End]] = {}
        self._outer: dict[str, tuple[Way, End]] = {}
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = itertools.count()

    def add(self, way: Way) -> None:
        """Serve a way from now on."""
        self._ways[way] = None
        for end in way.ends.values():
            self._inner[end.name, end.inner] = self._outer[end.outer] = way, end

    def remove(self, way: Way) -> None:
        """Serve it no more; what is still on the road is lost."""
        del self._ways[way]
        for end in way.ends.values():
            del self._inner[end.name, end.inner], self._outer[end.outer]

    # -- what comes ----------------------------------------------------------------------------------------

    def take(self, origin: str, octets: bytes, now: float) -> None:
        """Take an IP packet that an end or a server has sent."""
        packet = read(octets)
        if packet is None:
            return
        if origin == SERVER:
            self._from_server(packet, now)
        elif (found := self._inner.get((origin, _sender(packet)))) is not None:
            way, end = found
            way.recorded[origin].append((now, octets))
            self._leave(way, end, packet, now)

    def _leave(self, way: Way, end: End, packet: Packet, now: float, *, held: bool = False) -> None:
        """Take a packet out of an end, through its NAT."""
        opens = self._opens_simultaneously(end, packet)
        if opens and way.stagger is not None and not held:
            if way.stagger.take(end.name, packet, now):
                return
            way.stagger.left(end.name, now)
        results = [(Side.OUTSIDE, packet)] if end.nat is None else end.nat.outbound(packet, now)
        for side, result in results:
            if side is Side.INSIDE:
                self._deliver(way, end, result, now)
            elif opens and way.crossing is not None and result.destination.ip == way.other(end).outer:
                for name, syn in way.crossing.take(end.name, result, now):
                    self._depart(way, way.ends[name], syn, now)
            else:
                self._depart(way, end, result, now)

    def _opens_simultaneously(self, end: End, packet: Packet) -> bool:
        if packet.is_syn and packet.destination.ip == self._server:
            end.simultaneous.add(packet.source)
            return False
        way = self._inner[end.name, end.inner][0]
        towards = packet.destination.ip == way.other(end).outer
        return towards and packet.is_syn and packet.source in end.simultaneous

    def _depart(self, way: Way, end: End, packet: Packet, now: float) -> None:
        """Send a packet over an end's leg to wherever it goes: to the other end, to the server, or nowhere."""
        to = packet.sent_to
        if to == self._server:
            self._over(end.up, packet, now, lambda _then: self._emit(SERVER, packet.octets), way, end)
        elif to == way.other(end).outer:
            way.crossed.append((now, packet.octets))
            self._over(end.up, packet, now, lambda then: self._arrive(way, way.other(end), packet, then), way, end)
        elif not packet.is_error:  # nobody has this address, private ones of the other side least of all
            unreachable = error_about(packet, icmp.HOST, by=self._server)
            self._over(end.up, packet, now, lambda then: self._arrive(way, end, unreachable, then), way, end)

    def _from_server(self, packet: Packet, now: float) -> None:
        found = self._outer.get(packet.sent_to)
        if found is not None:
            way, end = found
            self._over(end.down, packet, now, lambda then: self._arrive(way, end, packet, then), way, None)

    def _over(
        self, leg: Leg, packet: Packet, now: float, arrive: Callable[[float], None], way: Way, sender: End | None
    ) -> None:
        """Send a packet over a leg; an error about it goes back to its sender (None: the server)."""
        when, error = leg.send(packet, now)
        if when is not None:
            self._at(when, arrive)
        elif error is not None:
            refusal = error
            if sender is None:
                self._at(now, lambda _then: self._emit(SERVER, refusal.octets))
            else:
                self._at(now, lambda then: self._arrive(way, sender, refusal, then))

    def _arrive(self, way: Way, end: End, packet: Packet, now: float) -> None:
        """Bring a packet to an end, through its NAT."""
        if way not in self._ways:
            return
        results = [(Side.INSIDE, packet)] if end.nat is None else end.nat.inbound(packet, now)
        for side, result in results:
            if side is Side.INSIDE:
                self._deliver(way, end, result, now)
            else:
                self._depart(way, end, result, now)

    def _deliver(self, way: Way, end: End, packet: Packet, now: float) -> None:
        way.recorded[end.name].append((now, packet.octets))
        self._emit(end.name, packet.octets)

    # -- time ----------------------------------------------------------------------------------------------

    def _at(self, when: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._number), action))

    def run(self, now: float) -> None:
        """Do what is due by now, in its order."""
        for way in list(self._ways):
            self._run_way(way, now)
        while self._events and self._events[0][0] <= now:
            when, _, action = heapq.heappop(self._events)
            action(when)

    def _run_way(self, way: Way, now: float) -> None:
        for name, syn in way.crossing.due(now) if way.crossing is not None else ():
            self._depart(way, way.ends[name], syn, now)
        for name, syn in way.stagger.due(now) if way.stagger is not None else ():
            self._leave(way, way.ends[name], syn, now, held=True)
        for end in way.ends.values():
            for _, error in end.nat.due(now) if end.nat is not None else ():
                self._depart(way, end, error, now)

    def next_time(self) -> float | None:
        """Return when `run` has something to do."""
        times = [self._events[0][0]] if self._events else []
        for way in self._ways:
            sources = [way.crossing, way.stagger, *(end.nat for end in way.ends.values())]
            times += [time for s in sources if s is not None and (time := s.next_time()) is not None]
        return min(times, default=None)


def _sender(packet: Packet) -> str:
    """Return who sent a packet: an error is sent by the destination of what it quotes."""
    return packet.destination.ip if packet.is_error else packet.source.ip

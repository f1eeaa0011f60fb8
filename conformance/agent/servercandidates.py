"""Server reflexive and relayed candidates: what follows from servers' answers (RFC 6544 sections 4.2, 4.5 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.candidates import DIRECTION, DISCARD, MAX_LOCAL, MAX_OTHER, Base, Local
from conformance.wire.candidate import Candidate, priority, tcp_local_preference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.allocation import Allocation
    from conformance.agent.candidates import Foundations
    from conformance.agent.config import IceServer
    from conformance.agent.gathering import Place
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address

SERVER_REFLEXIVE, RELAYED = 100, 0  # type preferences (RFC 8445 section 5.1.2.2)
REFLEXIVE_DIRECTION = {"so": 6, "active": 4, "passive": 2}  # RFC 6544 section 4.2


@dataclass(frozen=True, slots=True)
class Reflection:
    """Where a server saw us when we connected to it from a place."""

    place: Place
    server: IceServer
    mapped: Address


class _Priorities:
    """Gives priorities that no other candidate has, other-pref making the difference (RFC 6544 section 4.2)."""

    def __init__(self, known: Iterable[Local], faults: frozenset[str]) -> None:
        self._taken = {local.candidate.priority for local in known}
        self._shared = "other-pref-shared" in faults

    def next(self, kind: int, direction: int, component: int) -> int:
        """Return the best of a TCP candidate."""
        return self.best(kind, tcp_local_preference(direction, MAX_OTHER), component)

    def best(self, kind: int, local: int, component: int) -> int:
        """Return the best with at most this local preference."""
        while (value := priority(kind, local, component)) in self._taken and not self._shared:
            local -= 1
        self._taken.add(value)
        return value


def reflexive(
    stream: Stream, reflections: Iterable[Reflection], foundations: Foundations, faults: frozenset[str]
) -> list[Local]:
    """Return the candidates at addresses that NATs lend us.

    One for the listening base that the server was asked from, and one for the active base on the same address (RFC
    6544 section 5.2). What the server saw unchanged is the host candidate itself (RFC 8445 section 5.1.3).
    """
    found: dict[tuple[int, str, int], Local] = {}
    known = {(id(local.base), local.candidate.address, local.candidate.port) for local in stream.locals}
    priorities = _Priorities(stream.locals, faults)
    for reflection in reflections:
        place, mapped = reflection.place, reflection.mapped
        active = (b for b in stream.bases if (b.component, b.ip, b.tcptype) == (place.component, place.ip, "active"))
        for base in (place.base, next(active, None)):
            if base is None or (mapped.ip == base.ip and (not base.listens or mapped.port == base.port)):
                continue
            port = mapped.port if base.listens else DISCARD
            if "reflexive-port-own" in faults and base.listens:
                port = base.port
            key = (id(base), mapped.ip, port)
            if key not in found and key not in known:
                directions = DIRECTION if "reflexive-direction-as-host" in faults else REFLEXIVE_DIRECTION
                kind = 95 if "reflexive-type-pref-95" in faults else SERVER_REFLEXIVE - base.lowered
                worth = priorities.next(kind, directions[base.tcptype], base.component)
                found[key] = Local(_reflexive(reflection, base, port, worth, foundations), base)
    return list(found.values())


def _reflexive(reflection: Reflection, base: Base, port: int, worth: int, foundations: Foundations) -> Candidate:
    return Candidate(
        foundation=foundations.of("srflx", base.ip, str(reflection.server)),
        component=base.component,
        transport="TCP",
        priority=worth,
        address=reflection.mapped.ip,
        port=port,
        type="srflx",
        related_address=base.ip,
        related_port=base.port if base.listens else DISCARD,
        tcptype=base.tcptype,
    )


def relayed(
    stream: Stream, allocations: Iterable[Allocation], foundations: Foundations, faults: frozenset[str]
) -> list[Local]:
    """Return a passive and an active candidate for each TCP allocation (RFC 6544 section 4.1), one for each of UDP."""
    priorities = _Priorities(stream.locals, faults)
    known = [local.base for local in stream.locals]
    return [
        Local(_relayed(allocation, base, priorities, foundations, faults), base)
        for allocation in allocations
        for base in allocation.bases
        if (base.is_udp or base.tcptype in stream.config.tcptypes) and base not in known
    ]


def _relayed(
    allocation: Allocation, base: Base, priorities: _Priorities, foundations: Foundations, faults: frozenset[str]
) -> Candidate:
    if base.is_udp:
        return _relayed_udp(
            allocation, base, priorities.best(RELAYED + 1, MAX_LOCAL, base.component), foundations, faults
        )
    direction = 7 if "relayed-direction-pref-7" in faults else DIRECTION[base.tcptype]
    kind = 110 if "relayed-above-reflexive" in faults else RELAYED
    address = allocation.relayed.ip
    if "active-relayed-address-own" in faults and base.tcptype == "active":
        address = allocation.place.ip
    return Candidate(
        foundation=foundations.of("relay", base.ip, str(allocation.dialogue.server)),
        component=base.component,
        transport="TCP",
        priority=priorities.next(kind, direction, base.component),
        address=address,
        port=base.port if base.listens else DISCARD,
        type="relay",
        related_address=allocation.mapped.ip,
        related_port=allocation.mapped.port if base.listens else DISCARD,
        tcptype=base.tcptype,
    )


def _relayed_udp(
    allocation: Allocation, base: Base, worth: int, foundations: Foundations, faults: frozenset[str]
) -> Candidate:
    """Return the candidate of a UDP allocation, a step above those of TCP, which cannot be lowered (RFC 6544 4.2)."""
    as_tcp = "relayed-udp-as-tcp" in faults
    return Candidate(
        foundation=foundations.of("relay", base.ip, str(allocation.dialogue.server), "udp"),
        component=base.component,
        transport="TCP" if as_tcp else "UDP",
        priority=worth,
        address=base.ip,
        port=base.port,
        type="relay",
        related_address=allocation.mapped.ip,
        related_port=allocation.mapped.port,
        tcptype="passive" if as_tcp else None,
    )

"""Server reflexive and relayed candidates: what follows from servers' answers (RFC 6544 sections 4.2, 4.5 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.candidates import MAX_LOCAL, MAX_OTHER, Local

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.allocation import Allocation
    from conformance.agent.candidates import Base, Foundations
    from conformance.agent.config import IceServer
    from conformance.agent.decisions.candidates import Candidates
    from conformance.agent.stream import Stream
    from conformance.wire.attributes import Address


@dataclass(frozen=True, slots=True)
class Reflection:
    """Where a server saw us when we connected to it from an address, or from a listening base on it."""

    stream: Stream
    component: int
    ip: str
    base: Base | None
    server: IceServer
    mapped: Address


class _Priorities:
    """Gives priorities that no other candidate has, other-pref making the difference (RFC 6544 section 4.2)."""

    def __init__(self, known: Iterable[Local], decisions: Candidates) -> None:
        self._taken = {local.candidate.priority for local in known}
        self._decisions = decisions

    def best(self, kind: str, base: Base) -> int:
        """Return the best priority of a candidate of this type."""
        local = MAX_LOCAL
        if not base.is_udp:
            direction = self._decisions.direction_preference(kind, base.tcptype)
            local = self._decisions.local_preference(kind, direction, MAX_OTHER)
        value = self._decisions.priority(kind, base, local)
        while value in self._taken and self._decisions.differs():
            local -= 1
            value = self._decisions.priority(kind, base, local)
        self._taken.add(value)
        return value


def reflexive(
    stream: Stream, reflections: Iterable[Reflection], foundations: Foundations, decisions: Candidates
) -> list[Local]:
    """Return the candidates at addresses that NATs lend us.

    One for the listening base that the server was asked from, and one for the active base on the same address (RFC
    6544 section 5.2). What the server saw unchanged is the host candidate itself (RFC 8445 section 5.1.3).
    """
    found: dict[tuple[int, str, int], Local] = {}
    known = {(id(local.base), local.candidate.address, local.candidate.port) for local in stream.locals}
    priorities = _Priorities(stream.locals, decisions)
    for reflection in reflections:
        mapped, start = reflection.mapped, (reflection.component, reflection.ip, "active")
        active = (base for base in stream.bases if (base.component, base.ip, base.tcptype) == start)
        for base in (reflection.base, next(active, None)):
            if base is None:
                continue
            same = mapped.ip == base.ip and (not base.listens or mapped.port == base.port)
            again = same and decisions.states_redundant()
            if same and not again:
                continue
            key = (id(base), mapped.ip, decisions.reflexive_port(base, mapped))
            if key not in found and (again or key not in known):
                worth = priorities.best("srflx", base)
                found[key] = Local(
                    decisions.reflexive_candidate(reflection.server, mapped, base, worth, foundations), base
                )
    return list(found.values())


def relayed(
    stream: Stream, allocations: Iterable[Allocation], foundations: Foundations, decisions: Candidates
) -> list[Local]:
    """Return a passive and an active candidate for each TCP allocation (RFC 6544 section 4.1), one for each of UDP."""
    priorities = _Priorities(stream.locals, decisions)
    known = [local.base for local in stream.locals]
    return [
        Local(decisions.relayed_candidate(allocation, base, priorities.best("relay", base), foundations), base)
        for allocation in allocations
        for base in allocation.bases
        if (base.is_udp or base.tcptype in decisions.config.tcptypes) and base not in known
    ]

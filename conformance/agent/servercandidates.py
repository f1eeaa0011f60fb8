"""Server reflexive, NAT-assisted and relayed candidates: what follows from answers (RFC 6544 sections 4.2, 4.5, 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.candidates import MAX_LOCAL, MAX_OTHER, Local
from conformance.wire.attributes import Address
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.allocation import Allocation
    from conformance.agent.candidates import Base, Foundations
    from conformance.agent.config import IceServer
    from conformance.agent.decisions.candidates import Candidates
    from conformance.agent.stream import Stream


@frozen
class Reflection:
    """Where a NAT lets us be seen: as a server saw a connection from an address, or from a listening base on it.

    ``source`` is the server that saw us, or the gateway that was asked for a mapping to the base.
    """

    stream: Stream
    component: int
    ip: str
    base: Base | None
    source: IceServer | Address
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
    6544 section 5.2). What the server saw unchanged is the host candidate itself, and where two answers give a base the
    same address, one candidate is enough (RFC 8445 section 5.1.3).
    """
    found: dict[tuple[int, str, int, bool], Local] = {}
    known = {(id(local.base), local.candidate.address, local.candidate.port, local.assisted) for local in stream.locals}
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
            assisted = isinstance(reflection.source, Address)
            place = (id(base), mapped.ip, decisions.reflexive_port(base, mapped))
            key, other = (*place, assisted), (*place, not assisted)
            twice = (other in known or other in found) and not decisions.states_again()
            if key not in found and not twice and (again or key not in known):
                found[key] = _lent(reflection, base, priorities, foundations, decisions)
    return list(found.values())


def _lent(
    reflection: Reflection, base: Base, priorities: _Priorities, foundations: Foundations, decisions: Candidates
) -> Local:
    source, mapped = reflection.source, reflection.mapped
    if isinstance(source, Address):
        worth = priorities.best("assisted", base)
        return Local(decisions.assisted_candidate(source, mapped, base, worth, foundations), base, assisted=True)
    worth = priorities.best("srflx", base)
    return Local(decisions.reflexive_candidate(source, mapped, base, worth, foundations), base)


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

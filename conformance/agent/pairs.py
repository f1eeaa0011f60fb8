"""Candidate pairs and their states (RFC 8445 section 6.1.2), with RFC 6544's pairing and pruning."""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance.agent.candidates import Local
    from conformance.agent.connections import Connection
    from conformance.agent.decisions.pairing import Pairing
    from conformance.wire.candidate import Candidate

# RFC 6544 section 6.2: which local tcptype meets which remote one.
PARTNER = {"active": "passive", "passive": "active", "so": "so"}


class PairState(enum.Enum):
    """RFC 8445 section 6.1.2.6."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


OPEN_STATES = frozenset({PairState.FROZEN, PairState.WAITING, PairState.IN_PROGRESS})


@dataclass(slots=True, eq=False)
class Pair:
    """A local and a remote candidate.

    ``connection`` carries its checks; ``valid`` is the valid pair that its check made (often another one, with a
    peer-reflexive local candidate), whose ``origin`` is this pair. ``nominate``: the next check says USE-CANDIDATE.
    ``nominated_by_peer``: the peer's check said so, and ours has not succeeded yet.
    """

    local: Local
    remote: Candidate
    priority: int = 0
    state: PairState = PairState.FROZEN
    connection: Connection | None = None
    valid: Pair | None = None
    origin: Pair | None = field(default=None, repr=False)
    nominate: bool = False
    nominated_by_peer: bool = False
    nominated: bool = False

    @property
    def component(self) -> int:
        """Component of both candidates."""
        return self.local.candidate.component

    @property
    def foundation(self) -> tuple[str, str]:
        """Both foundations."""
        return self.local.candidate.foundation, self.remote.foundation

    @property
    def ends(self) -> tuple[int, str, int]:
        """What a check goes between: a base and a remote address (RFC 8445 section 6.1.2.4)."""
        return id(self.local.base), self.remote.address, self.remote.port

    def reprioritise(self, controlling: bool) -> None:
        """Compute the pair's priority (RFC 8445 section 6.1.2.3)."""
        own, theirs = self.local.candidate.priority, self.remote.priority
        g, d = (own, theirs) if controlling else (theirs, own)
        self.priority = (min(g, d) << 32) + 2 * max(g, d) + (g > d)

    def __str__(self) -> str:
        own = self.local.candidate
        return f"{own.endpoint} {self.local.tcptype} -> {self.remote.endpoint} (component {own.component})"


def usable_candidate(candidate: Candidate) -> Candidate | None:
    """Return a candidate that may be paired, its address in the usual form; None for one that cannot be.

    A TCP candidate without tcptype, or with an unknown one, has no direction that we could meet; names are not looked
    up (RFC 8839 section 5.1), and transports other than TCP and UDP are nothing to us.
    """
    try:
        address = ipaddress.ip_address(candidate.address)
    except ValueError:
        return None
    if candidate.port == 0 or candidate.transport.upper() not in ("TCP", "UDP"):
        return None
    if candidate.is_tcp and (candidate.tcptype or "").lower() not in PARTNER:
        return None
    return None if address.is_unspecified or address.is_multicast else replace(candidate, address=str(address))


def meets(own: str, theirs: str) -> bool:
    """Whether TCP candidates of these tcptypes are paired (RFC 6544 section 6.2)."""
    return PARTNER[own] == theirs


def may_pair(local: Local, remote: Candidate, meets: Callable[[str, str], bool] = meets) -> bool:
    """Whether two candidates are paired: component, transport, direction and address family (RFC 8445 6.1.2.2)."""
    if local.candidate.component != remote.component or remote.is_tcp is local.base.is_udp:
        return False
    if local.base.is_udp:
        return remote.transport.upper() == "UDP" and _same_family(local.base.ip, remote.address)
    return meets(local.tcptype, (remote.tcptype or "").lower()) and _same_family(local.base.ip, remote.address)


def _same_family(own: str, theirs: str) -> bool:
    try:
        ours, peers = ipaddress.ip_address(own), ipaddress.ip_address(theirs)
    except ValueError:  # a name: RFC 8839 section 5.1 lets an agent ignore such candidates
        return False
    return ours.version == peers.version and ours.is_link_local == peers.is_link_local


def form_pairs(
    locals_: Iterable[Local], remotes: Sequence[Candidate], controlling: bool, decisions: Pairing
) -> list[Pair]:
    """Return the pairs of a check list, best first, pruned (RFC 8445 sections 6.1.2.2 to 6.1.2.4, RFC 6544 6.2)."""
    pairs = [Pair(local, remote) for local in locals_ for remote in remotes if may_pair(local, remote, decisions.meets)]
    for pair in pairs:
        pair.reprioritise(controlling)
    pairs.sort(key=lambda pair: pair.priority, reverse=True)
    kept: dict[tuple[int, str, int], Pair] = {}
    for pair in pairs:
        if decisions.opens(pair):  # else the peer's active candidate connects (RFC 6544 section 6.2)
            kept.setdefault(pair.ends, pair)
    return list(kept.values())

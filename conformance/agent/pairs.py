"""Candidate pairs, their states and the connections that carry their checks (RFC 8445 section 6.1.2, RFC 6544 6.2)."""

from __future__ import annotations

import enum
import functools
import ipaddress
import operator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.agent.framing import cannot_be_stun

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.candidates import Base, Local
    from conformance.agent.framing import Inbound
    from conformance.agent.messages import IncomingCheck
    from conformance.wire.attributes import Address
    from conformance.wire.candidate import Candidate

# RFC 6544 section 6.2: which local tcptype meets which remote one.
PARTNER = {"active": "passive", "passive": "active", "so": "so"}


_HEAD = 10  # octets that show whether the first frame may hold STUN: LENGTH, and a header up to the cookie


class Phase(enum.Enum):
    """Where a connection is in its life."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(slots=True, eq=False)
class Connection:
    """One TCP connection, or a UDP flow, which is what a UDP socket and a remote address have in common.

    Times are seconds on the caller's clock.

    ``authenticated``: a STUN transaction has shown on it that the peer knows the passwords, so its data is taken
    (RFC 6544 section 12). ``spoke_stun``: something that is STUN came as the answer to our first check. ``revives``: it
    may take the place of a selected connection that was lost. ``revived``: it has.
    """

    number: int
    stream: int
    base: Base
    remote: Address
    outgoing: bool
    since: float
    inbound: Inbound
    local: Address | None = None
    phase: Phase = Phase.CONNECTING
    pair: Pair | None = None
    authenticated: bool = False
    selected: bool = False
    spoke_stun: bool = False
    revives: bool = False
    revived: bool = False
    why_ended: str = ""
    framed: bool = False  # a frame of ours has gone out
    head: bytes = b""
    early: list[IncomingCheck] = field(default_factory=list)

    @property
    def component(self) -> int:
        """The component that it serves."""
        return self.base.component

    @property
    def is_udp(self) -> bool:
        """Whether it is a flow of datagrams: no frames, nothing to open or close, and requests may get lost."""
        return self.base.is_udp

    @property
    def reused(self) -> bool:
        """Whether a restart has gone on with it (RFC 6544 section 9.2)."""
        return self.base.carries == self.number

    @property
    def is_open(self) -> bool:
        """Whether octets can be sent."""
        return self.phase is Phase.OPEN

    def speaks_something_else(self, octets: bytes) -> bool:
        """Whether the first octets of the connection show that no STUN comes (RFC 6544 section 7.1)."""
        if self.spoke_stun or not self.outgoing or len(self.head) >= _HEAD:
            return False
        head = self.head + octets
        while head.startswith(b"\0\0"):  # null frames say nothing
            head = head[2:]
        self.head = head[:_HEAD]
        return cannot_be_stun(self.head)

    def __str__(self) -> str:
        arrow = "->" if self.outgoing else "<-"
        return f"#{self.number} {self.local or self.base.ip} {arrow} {self.remote}"


class PairState(enum.Enum):
    """RFC 8445 section 6.1.2.6."""

    FROZEN = "frozen"
    WAITING = "waiting"
    IN_PROGRESS = "in-progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PairEvent(enum.Enum):
    """What happens to a pair."""

    UNFROZEN = "its foundation is free"
    TRIGGERED = "it waits for a triggered check"
    BEGUN = "its check begins"
    SUCCEEDED = "a check has succeeded"
    FAILED = "its check failed, or its connection is gone"


_F, _W, _P, _S, _X = PairState.FROZEN, PairState.WAITING, PairState.IN_PROGRESS, PairState.SUCCEEDED, PairState.FAILED
_ALWAYS = {PairEvent.TRIGGERED: _W, PairEvent.BEGUN: _P, PairEvent.SUCCEEDED: _S, PairEvent.FAILED: _X}
# RFC 8445 sections 6.1.2.6, 7.2.5.2 to 7.2.5.4 and 7.3.1.4: what is frozen thaws, and a triggered check may come at any
# time, also for a pair that has failed.
TRANSITIONS: dict[PairState, dict[PairEvent, PairState]] = {
    _F: {PairEvent.UNFROZEN: _W, **_ALWAYS},
    _W: {PairEvent.UNFROZEN: _W, **_ALWAYS},
    _P: {PairEvent.UNFROZEN: _P, **_ALWAYS},
    _S: {PairEvent.UNFROZEN: _S, **_ALWAYS},
    _X: {PairEvent.UNFROZEN: _X, **_ALWAYS},
}
OPEN_STATES = frozenset({_F, _W, _P})


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
    asked_again: int = 0  # how often its check was sent again for an error response

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

    def note(self, event: PairEvent) -> None:
        """Change the state as something happens."""
        self.state = TRANSITIONS[self.state][event]

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
    address = _sendable(candidate.address)
    if address is None or candidate.port == 0 or candidate.transport.upper() not in ("TCP", "UDP"):
        return None
    if candidate.is_tcp and (candidate.tcptype or "").lower() not in PARTNER:
        return None
    return candidate if candidate.address == address else replace(candidate, address=address)


@functools.lru_cache(maxsize=4096)
def _sendable(text: str) -> str | None:
    """Return an IP address in the usual form; None for a name, and where nothing can be sent to it."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if address.is_unspecified or address.is_multicast else str(address)


def meets(own: str, theirs: str) -> bool:
    """Whether TCP candidates of these tcptypes are paired (RFC 6544 section 6.2)."""
    return PARTNER[own] == theirs


def may_pair(
    local: Local,
    remote: Candidate,
    meets: Callable[[str, str], bool] = meets,
    together: Callable[[int, int], bool] = operator.eq,
) -> bool:
    """Whether two candidates are paired: component, transport, direction and address family (RFC 8445 6.1.2.2)."""
    if not together(local.candidate.component, remote.component) or remote.is_tcp is local.base.is_udp:
        return False
    if local.base.is_udp:
        return remote.transport.upper() == "UDP" and _same_family(local.base.ip, remote.address)
    return meets(local.tcptype, (remote.tcptype or "").lower()) and _same_family(local.base.ip, remote.address)


@functools.lru_cache(maxsize=4096)
def _same_family(own: str, theirs: str) -> bool:
    try:
        ours, peers = ipaddress.ip_address(own), ipaddress.ip_address(theirs)
    except ValueError:  # a name: RFC 8839 section 5.1 lets an agent ignore such candidates
        return False
    return ours.version == peers.version and ours.is_link_local == peers.is_link_local

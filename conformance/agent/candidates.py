"""Local candidates: where they start from, what they are called, what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from conformance.wire.candidate import Candidate, priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.config import IceServer
    from conformance.wire.attributes import Address

DISCARD = 9  # the port of every active candidate (RFC 6544 section 4.5)
PEER_REFLEXIVE = 110  # type preference (RFC 8445 section 5.1.2.2)
DIRECTION = {"active": 6, "passive": 4, "so": 2}  # of all but server reflexive candidates (RFC 6544 section 4.2)
REFLEXIVE_DIRECTION = {"so": 6, "active": 4, "passive": 2}
MAX_OTHER = 8191
MAX_LOCAL = 65535  # of a UDP candidate (RFC 8445 section 5.1.2.1)


class Relay(Protocol):
    """An allocation on a TURN server, as its candidates and connections need it."""

    @property
    def server(self) -> IceServer:
        """The server that relays."""
        ...

    @property
    def mapped(self) -> Address:
        """Where the server saw us."""
        ...

    @property
    def own_ip(self) -> str:
        """The address of ours from which the server was asked."""
        ...

    def open(self, connection: int, peer: Address, now: float) -> None:
        """Connect from the relayed address (RFC 6062 section 4.3)."""
        ...

    def send(self, peer: Address, octets: bytes) -> None:
        """Let a datagram go from the relayed address (RFC 8656 section 11.1)."""
        ...


@dataclass(slots=True, eq=False)
class Base:
    """A place that candidates start from: an interface's address and, if one can connect to it, its port.

    ``number`` names the listening socket towards the driver; ``rank`` is the address' place in the order of preference.
    ``relay`` is the allocation whose relayed address this is.
    ``lowered`` is by how much its candidates' type preferences give way to those of a preferred transport. The tcptype
    of a UDP socket is empty. ``carries`` is the number of the connection that a restart may go on with from here.
    """

    number: int
    component: int
    ip: str
    tcptype: str
    rank: int = 0
    port: int = 0  # 0: none allocated
    relay: Relay | None = None
    lowered: int = 0
    carries: int = 0

    @property
    def is_udp(self) -> bool:
        """Whether it is a UDP socket."""
        return not self.tcptype

    @property
    def listens(self) -> bool:
        """Whether connections are accepted there (RFC 6544 section 7.2), or datagrams received."""
        return self.tcptype != "active"


@dataclass(slots=True, eq=False)
class Local:
    """A candidate of ours and its base; ``assisted``: a NAT was asked for its address (RFC 6544 section 5.3)."""

    candidate: Candidate
    base: Base
    assisted: bool = False

    @property
    def tcptype(self) -> str:
        """Direction of the connections this candidate makes."""
        return self.base.tcptype


@dataclass(slots=True)
class Foundations:
    """Hands out foundations: equal for equal type, base address, server and transport (RFC 8445 section 5.1.1.3).

    The tcptype is no part of that rule, so the active and the passive candidate of an address share one. Those of a
    lite agent differ by address alone (RFC 8445 section 5.2): not `by_transport`.
    """

    by_transport: bool = True
    _known: dict[tuple[str, ...], str] = field(default_factory=dict)

    def of(self, kind: str, base_ip: str, server: str = "", transport: str = "tcp") -> str:
        """Return the foundation of candidates of this sort."""
        transport = transport if self.by_transport else ""
        return self._known.setdefault((kind, base_ip, server, transport), str(len(self._known) + 1))


def check_priority(local: Local) -> int:
    """Return PRIORITY for a check from this candidate: its own with the type preference of a peer-reflexive one.

    RFC 8445 section 7.1.1; RFC 6544 section 4.2 gives directions no other order for this type.
    """
    own = local.candidate
    return priority(PEER_REFLEXIVE - local.base.lowered, own.local_preference, own.component)


def peer_reflexive_local(origin: Local, mapped: Address, worth: int, foundations: Foundations) -> Local:
    """Return the candidate that a response's mapped address reveals (RFC 8445 section 7.2.5.3.1)."""
    candidate = Candidate(
        foundation=foundations.of("prflx", origin.base.ip),
        component=origin.candidate.component,
        transport=origin.candidate.transport,
        priority=worth,
        address=mapped.ip,
        port=mapped.port,
        type="prflx",
        related_address=origin.base.ip,
        related_port=origin.candidate.port,
        tcptype=origin.tcptype or None,
    )
    return Local(candidate, origin.base)


def peer_reflexive_remote(source: Address, base: Base, worth: int, known: Sequence[Candidate]) -> Candidate:
    """Return the candidate that a check to `base` from an unknown address reveals (RFC 8445 section 7.3.1.3)."""
    taken = {candidate.foundation for candidate in known}
    number = next(n for n in range(1, len(taken) + 2) if f"prflx{n}" not in taken)
    return Candidate(
        foundation=f"prflx{number}",
        component=base.component,
        transport="UDP" if base.is_udp else "TCP",
        priority=worth,
        address=source.ip,
        port=source.port,
        type="prflx",
        tcptype=None if base.is_udp else "so" if base.tcptype == "so" else "active",  # what is paired with its base
    )


def default_candidate(locals_: Sequence[Local], component: int, wanted: str) -> Local | None:
    """Return the default of a component: the best of the wanted direction, else of its transport, S-O last.

    RFC 6544 section 4.3. The direction wanted of UDP is "".
    """
    mine = [local for local in locals_ if (local.candidate.component, local.base.is_udp) == (component, not wanted)]
    fitting = [local for local in mine if local.tcptype == wanted]
    fitting = fitting or [local for local in mine if local.tcptype != "so"] or mine
    return max(fitting, key=lambda local: local.candidate.priority, default=None)

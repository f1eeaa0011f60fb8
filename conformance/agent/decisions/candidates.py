"""Decisions about candidates: what they are worth, and what is stated of them (RFC 6544 sections 4.2 and 4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.candidates import DIRECTION, DISCARD, MAX_LOCAL, MAX_OTHER, REFLEXIVE_DIRECTION, Local
from conformance.agent.decisions.topic import Topic
from conformance.wire.candidate import Candidate, priority, tcp_local_preference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.candidates import Base, Foundations, Relay
    from conformance.agent.config import IceServer
    from conformance.wire.attributes import Address

TYPE_PREFERENCES = {  # RFC 8445 section 5.1.2.2; NAT-assisted candidates: RFC 6544 section 4.2
    "host": 126,
    "prflx": 110,
    "assisted": 105,
    "srflx": 100,
    "relay": 0,
}


class Candidates(Topic):
    """How candidates are ranked and written."""

    # -- priorities ----------------------------------------------------------------------------------------

    def lowered(self, direction: str, mixed: bool) -> int:
        """Return by how much a type preference gives way to the other transport's (RFC 6544 section 4.2).

        UDP is preferred for RTP, and one step is enough where the type shall count for more. `mixed`: there are
        candidates of both transports. The direction of UDP is "".
        """
        return 1 if mixed and direction else 0

    def type_preference(self, kind: str, base: Base) -> int:
        """Return the type preference (RFC 8445 section 5.1.2.2); of relayed ones UDP is a step above TCP."""
        if kind == "relay":
            return TYPE_PREFERENCES[kind] + base.is_udp
        return TYPE_PREFERENCES[kind] - base.lowered

    def direction_preference(self, kind: str, tcptype: str) -> int:
        """Return direction-pref of a TCP candidate: the order depends on its type (RFC 6544 section 4.2)."""
        return (REFLEXIVE_DIRECTION if kind in ("srflx", "assisted") else DIRECTION)[tcptype]

    def other_preference(self, rank: int) -> int:
        """Return other-pref: 8191 for the only or best address, unique for the others (RFC 6544 section 4.2)."""
        return max(0, MAX_OTHER - rank)

    def differs(self) -> bool:
        """Whether candidates from servers get priorities that no other candidate has (RFC 6544 section 4.2)."""
        return True

    def local_preference(self, kind: str, direction: int, other: int) -> int:
        """Return the local preference of a TCP candidate: direction-pref above other-pref (RFC 6544 section 4.2)."""
        return tcp_local_preference(direction, other)

    def priority(self, kind: str, base: Base, local_preference: int) -> int:
        """Return the priority of a candidate (RFC 8445 section 5.1.2.1)."""
        return priority(self.type_preference(kind, base), local_preference, base.component)

    def host_priority(self, base: Base) -> int:
        """Return the priority of a host candidate (RFC 6544 section 4.2, RFC 8445 section 5.1.2.1 for UDP)."""
        if base.is_udp:
            return self.priority("host", base, max(0, MAX_LOCAL - base.rank))
        direction = self.direction_preference("host", base.tcptype)
        return self.priority("host", base, self.local_preference("host", direction, self.other_preference(base.rank)))

    # -- what is stated ------------------------------------------------------------------------------------

    def host_port(self, base: Base) -> int:
        """Return the port of a host candidate: the discard port of an active one (RFC 6544 section 4.5)."""
        return base.port if base.listens else DISCARD

    def host_address(self, base: Base) -> str:
        """Return the address of a host candidate: also of an active one where it connects from (RFC 6544 4.5)."""
        return base.ip

    def host_candidate(self, base: Base, foundations: Foundations) -> Candidate:
        """Return the host candidate of a base as it is written (RFC 6544 section 4.5)."""
        return Candidate(
            foundation=foundations.of("host", base.ip, transport="udp" if base.is_udp else "tcp"),
            component=base.component,
            transport="UDP" if base.is_udp else "TCP",
            priority=self.host_priority(base),
            address=self.host_address(base),
            port=self.host_port(base),
            type="host",
            tcptype=base.tcptype or None,
        )

    def host_candidates(self, bases: Iterable[Base], foundations: Foundations) -> list[Local]:
        """Return the host candidates of these bases, one each (RFC 6544 section 5.1)."""
        return [Local(self.host_candidate(base, foundations), base) for base in bases]

    def states_redundant(self) -> bool:
        """Whether a reflexive candidate is stated that equals a host candidate: no (RFC 8445 section 5.1.3)."""
        return False

    def states_again(self) -> bool:
        """Whether a candidate is stated at whose address its base has one already: no (RFC 8445 section 5.1.3)."""
        return False

    def reflexive_port(self, base: Base, mapped: Address) -> int:
        """Return the port of a server reflexive candidate: the mapped one, or 9 (RFC 6544 sections 4.5 and 5.2)."""
        return mapped.port if base.listens else DISCARD

    def reflexive_candidate(
        self, server: IceServer, mapped: Address, base: Base, worth: int, foundations: Foundations
    ) -> Candidate:
        """Return the candidate at the address that a NAT lends a base (RFC 6544 section 4.5)."""
        return Candidate(
            foundation=foundations.of("srflx", base.ip, str(server)),
            component=base.component,
            transport="TCP",
            priority=worth,
            address=mapped.ip,
            port=self.reflexive_port(base, mapped),
            type="srflx",
            related_address=base.ip,
            related_port=base.port if base.listens else DISCARD,
            tcptype=base.tcptype,
        )

    def assisted_candidate(
        self, gateway: Address, mapped: Address, base: Base, worth: int, foundations: Foundations
    ) -> Candidate:
        """Return the candidate at an address that a NAT was asked for: like a reflexive one (RFC 6544 section 5.3)."""
        return Candidate(
            foundation=foundations.of("srflx", base.ip, f"nat:{gateway}"),
            component=base.component,
            transport="TCP",
            priority=worth,
            address=mapped.ip,
            port=mapped.port if base.listens else DISCARD,
            type="srflx",
            related_address=base.ip,
            related_port=base.port if base.listens else DISCARD,
            tcptype=base.tcptype,
        )

    def relayed_candidate(self, relay: Relay, base: Base, worth: int, foundations: Foundations) -> Candidate:
        """Return the candidate of an allocation's base: for TCP one of each direction (RFC 6544 sections 4.1, 4.5)."""
        return Candidate(
            foundation=foundations.of("relay", base.ip, str(relay.server), "udp" if base.is_udp else "tcp"),
            component=base.component,
            transport="UDP" if base.is_udp else "TCP",
            priority=worth,
            address=base.ip,
            port=base.port if base.listens else DISCARD,
            type="relay",
            related_address=relay.mapped.ip,
            related_port=relay.mapped.port if base.listens else DISCARD,
            tcptype=base.tcptype or None,
        )

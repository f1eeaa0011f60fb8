"""Decisions about NAT gateways: what they are asked for, and by which protocol (RFC 6544 section 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.topic import Topic
from conformance.agent.gatewaydialogue import NAT_PMP, PCP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.candidates import Base
    from conformance.wire.attributes import Address


class Mapping(Topic):
    """How the agent deals with NAT gateways."""

    def gateways(self, gateways: Sequence[Address]) -> Sequence[Address]:
        """Return the gateways to ask: all (RFC 6544 section 4.1), a lite agent none (section 4.4)."""
        return () if self.config.lite else gateways

    def mapping_protocols(self, *, ipv6: bool) -> Sequence[str]:
        """Return by which protocols a gateway is asked, in turn: NAT-PMP knows IPv4 alone (RFC 6886 section 1)."""
        return (PCP,) if ipv6 else (PCP, NAT_PMP)

    def mapped_bases(self, bases: Sequence[Base]) -> list[Base]:
        """Return the bases to which mappings lead: those that accept connections (RFC 6544 section 5.3)."""
        return [base for base in bases if base.listens and not base.is_udp]

    def mapped_port(self, base: Base) -> int:
        """Return the internal port of a mapping: its base's (RFC 6544 section 5.3)."""
        return base.port

    def believes_mapping(self, result: int) -> bool:
        """Whether an answer with this result code gives a mapping: 0 (RFC 6886 section 3.5, RFC 6887 section 7.4)."""
        return result == 0

    def does_without_mapping(self) -> bool:
        """Whether a base to which no mapping can be had has its host candidate all the same (RFC 6544 section 4.1)."""
        return True

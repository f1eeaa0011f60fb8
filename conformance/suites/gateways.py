"""What the cases with NAT gateways share: NAT-assisted candidates (RFC 6544 section 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.suites.marks import lasts
from conformance.suites.servers import HIDDEN
from conformance.verdict import NotApplicable
from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.gateway import Gateway
    from conformance.peer.tester import Peer
    from conformance.wire.candidate import Candidate

EITHER = "port_mapping:pcp|port_mapping:natpmp"
by_protocols = pytest.mark.parametrize(  # by which the gateway can be asked, and by no other
    "protocol",
    [
        pytest.param("pcp", marks=pytest.mark.requirement(needs=("port_mapping:pcp",))),
        pytest.param("natpmp", marks=pytest.mark.requirement(needs=("port_mapping:natpmp",))),
    ],
)
_SILENT = pytest.param("silent", marks=lasts(5))
by_failures = pytest.mark.parametrize("failure", ["refused", _SILENT, "unknown"])


def failing(peer: Peer, failure: str) -> Gateway:
    """Return a gateway that gives no mapping: it refuses them, says nothing, or speaks neither protocol."""
    gateway = peer.gateway(speaks=() if failure == "unknown" else ("pcp", "natpmp"))
    gateway.refuses = failure == "refused"
    gateway.answering = failure != "silent"
    return gateway


def assisted(iut: Description, gateway: Gateway) -> list[Candidate]:
    """Return the TCP candidates at the NAT's external address, of whatever type."""
    return [c for c in iut.media().candidates if c.is_tcp and c.address == gateway.external]


def assisted_if_any(iut: Description, gateway: Gateway, tcptype: str) -> list[Candidate]:
    """Return those of a tcptype, for a case that asks how they are written: n/a where there are none.

    That they are obtained is judged under RFC 6544 section 4.1.
    """
    found = [c for c in assisted(iut, gateway) if (c.tcptype or "").lower() == tcptype]
    if not found:
        raise NotApplicable(f"the IUT's {iut.kind} has no {tcptype} NAT-assisted candidate")
    return found


def without_base(iut: Description, gateway: Gateway, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates whose related address is not their base, and not hidden.

    The base is where the mapping leads, or a host candidate; of an active candidate the address alone is compared.
    """
    hosts = {(c.component, (c.tcptype or "").lower(), c.endpoint) for c in iut.hosts()}
    hosts |= {(c, "active", Address(at.ip, 9)) for c, _, at in hosts}

    def is_right(candidate: Candidate) -> bool:
        related = Address(candidate.related_address or "", candidate.related_port or 0)
        tcptype = (candidate.tcptype or "").lower()
        if tcptype == "active":
            related = Address(related.ip, 9)
        hidden = (related.ip, 9) in HIDDEN
        mapped = gateway.granted.get(candidate.endpoint) == related
        return hidden or mapped or (candidate.component, tcptype, related) in hosts

    return [candidate for candidate in candidates if not is_right(candidate)]


def offered_without_host(upper: Upper, iut: Description) -> list[str]:
    """Return the tcptypes, active and passive, that the pics declare and no host candidate has."""
    declared = [tcptype for tcptype in ("active", "passive") if tcptype in upper.pics.get("offers", [])]
    return [tcptype for tcptype in declared if not iut.hosts(tcptype)]

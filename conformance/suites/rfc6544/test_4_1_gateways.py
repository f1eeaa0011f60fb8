"""RFC 6544 section 4.1: candidates that a NAT gateway is asked for. The lower tester is the gateway."""

from __future__ import annotations

from conformance.suites.gateways import EITHER, assisted, by_failures, by_protocols, failing, offered_without_host
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import components, gathered


@both_sides
@by_protocols
@requirement("RFC6544-4.1-04", needs="nat_assisted")
def test_nat_assisted_candidates_are_obtained(upper, peer, side, protocol):
    """with    a NAT gateway that makes mappings by one protocol
    when    the IUT's description is read
    then    it has TCP candidates at the NAT's external address."""
    gateway = peer.gateway(speaks=[protocol])
    iut = obtain_description(upper, peer, side, gateways=[gateway.entry])
    found = {c.address for c in gathered(iut, "srflx")} | {c.address for c in assisted(iut, gateway)}
    assert found == {gateway.external}, f"candidates at {sorted(found) or 'no address'}, the NAT's: {gateway.external}"


@both_sides
@requirement("RFC6544-4.1-04", needs=f"nat_assisted components:2 {EITHER}")
def test_every_component_has_a_nat_assisted_candidate(upper, peer, side):
    """with    a NAT gateway that makes mappings, and two components
    when    the IUT's description is read
    then    each component has a TCP candidate at the NAT's external address."""
    gateway = peer.gateway()
    iut = obtain_description(upper, peer, side, components=2, gateways=[gateway.entry])
    found = components(assisted(iut, gateway))
    assert found == {1, 2}, f"NAT-assisted candidates for components {sorted(found) or 'none'}, not for 1 and 2"


@both_sides
@by_failures
@requirement("RFC6544-4.1-02", needs=f"nat_assisted {EITHER}")
def test_host_candidates_are_there_without_mappings(upper, peer, side, failure):
    """with    a NAT gateway that refuses mappings, says nothing, or speaks another protocol
    when    the IUT's description is read
    then    it has host candidates all the same."""
    gateway = failing(peer, failure)
    iut = obtain_description(upper, peer, side, gateways=[gateway.entry])
    missing = offered_without_host(upper, iut)
    assert not missing, f"without a mapping there is no {' and no '.join(missing)} host candidate"

"""RFC 6544 section 5.3: NAT-assisted candidates, how they are written and where their mappings lead."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.gateways import (
    EITHER,
    assisted,
    assisted_if_any,
    by_failures,
    by_protocols,
    failing,
    without_base,
)
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.servers import gathered
from conformance.wire.layers import RFC4571


@both_sides
@by_protocols
@requirement("RFC6544-5.3-s01")
def test_nat_assisted_candidates_are_of_type_srflx(upper, peer, side, protocol):
    """with    a NAT gateway that makes mappings by one protocol
    when    the types of the IUT's candidates at the NAT's external address are read
    then    each is srflx: there is no type of its own."""
    gateway = peer.gateway(speaks=[protocol])
    iut = obtain_description(upper, peer, side, gateways=[gateway.entry])
    found = assisted(iut, gateway)
    iut.require(bool(found), "NAT-assisted candidates")
    wrong = [c for c in found if c.type.lower() != "srflx"]
    assert not wrong, f"a NAT-assisted candidate is not of type srflx: {wrong[0]}"


@both_sides
@by_protocols
@requirement("RFC6544-5.3-s01")
def test_related_address_of_a_nat_assisted_candidate_is_its_base(upper, peer, side, protocol):
    """with    a NAT gateway that makes mappings by one protocol
    when    the related addresses of the IUT's server reflexive candidates are read
    then    each is where the mapping leads, or a host candidate of the same direction, or it is hidden."""
    gateway = peer.gateway(speaks=[protocol])
    iut = obtain_description(upper, peer, side, gateways=[gateway.entry])
    iut.require(bool(gathered(iut, "srflx")), "NAT-assisted candidates")
    wrong = without_base(iut, gateway, gathered(iut, "srflx"))
    assert not wrong, f"the related address of a NAT-assisted candidate is not its base: {wrong[0]}"


@both_sides
@by_protocols
@requirement("RFC6544-5.3-s02", needs="offers:passive")
def test_mapping_leads_to_the_passive_candidate(upper, peer, side, protocol, pixit):
    """with    a NAT gateway that makes mappings by one protocol, and descriptions exchanged
    when    we connect to the IUT's passive NAT-assisted candidate from outside and send a check
    then    the NAT has a mapping, the IUT accepts where it leads and answers with success."""
    gateway = peer.gateway(speaks=[protocol])
    iut = negotiate(upper, peer, side, peer_tcptypes="active", gateways=[gateway.entry])
    connection = gateway.expect_accept(assisted_if_any(iut, gateway, "passive")[0])
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)


@both_sides
@by_failures
@requirement("RFC6544-5.3-s02", needs=EITHER)
def test_mapping_that_was_not_made_is_no_candidate(upper, peer, side, failure):
    """with    a NAT gateway that refuses mappings, says nothing, or speaks another protocol
    when    the IUT's description is read
    then    it has no server reflexive candidate: it has learnt no address."""
    gateway = failing(peer, failure)
    iut = obtain_description(upper, peer, side, gateways=[gateway.entry])
    found = gathered(iut, "srflx")
    assert not found, f"a candidate for which there is no mapping: {found[0]}"

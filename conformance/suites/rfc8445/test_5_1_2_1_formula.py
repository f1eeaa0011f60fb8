"""RFC 8445 section 5.1.2.1: what the recommended formula is made of."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import priority_of
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import expect_description, negotiate, obtain_description
from conformance.suites.servers import NAT
from conformance.suites.values import by_type, duplicates
from conformance.verdict import Level


@varied("family", "components", "candidates")
@requirement("RFC8445-5.1.2.1-01", at=Level.SHOULD)  # a formula of its own is lawful
def test_type_preference_is_the_same_for_a_type(upper, peer, side):
    """with    a description of an IUT that uses the formula
    when    the type preferences of its TCP host candidates are compared
    then    they are the same, and not above 126."""
    iut = obtain_description(upper, peer, side)
    iut.needs_formula()
    preferences = {c.type_preference for c in iut.candidates(type="host")}
    assert len(preferences) == 1, f"host candidates have the type preferences {sorted(preferences)}"
    assert max(preferences) <= 126, f"the type preference of host candidates is {max(preferences)}"


@both_sides
@requirement("RFC8445-5.1.2.1-01", needs="tcp_srflx", at=Level.SHOULD)
def test_types_have_different_type_preferences(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT, and an IUT that uses the formula
    when    the type preferences of its host and its server reflexive candidates are compared
    then    no two types have the same."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    iut.needs_formula()
    preferences = by_type(iut.candidates())
    iut.require({"host", "srflx"} <= set(preferences), "host and server reflexive candidates")
    shared = preferences["host"] & preferences["srflx"]
    assert not shared, f"host and server reflexive candidates both have the type preference {min(shared)}"


@both_sides
@requirement("RFC8445-5.1.2.1-02", needs="connects:active", at=Level.SHOULD)  # a formula of its own is lawful
def test_peer_reflexive_ranks_above_server_reflexive(upper, peer, side, pixit):
    """with    a STUN server that sees the IUT at an address of a NAT, and an IUT that uses the formula
    when    PRIORITY of its check, which is a peer-reflexive candidate's, is compared with its reflexive candidates
    then    its type preference is above theirs."""
    server = peer.stun_server(mapped=NAT)
    iut = negotiate(upper, peer, side, peer_tcptypes="passive", ice_servers=[server.entry])
    iut.needs_formula()
    reflexive = by_type(iut.candidates()).get("srflx", set())
    iut.require(bool(reflexive), "server reflexive candidates")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    found = priority_of(request) >> 24
    assert found > max(reflexive), f"the type preference in PRIORITY is {found}, reflexive ones have {max(reflexive)}"


@varied("family", "components", "candidates")
@requirement("RFC8445-5.1.2.1-05", at=Level.SHOULD)  # a formula of its own is lawful
def test_local_preferences_of_a_component_are_different(upper, peer, side):
    """with    a description of an IUT that uses the formula
    when    the local preferences of its TCP host candidates of one component are compared
    then    no two are the same."""
    iut = obtain_description(upper, peer, side)
    iut.needs_formula()
    found = duplicates([(c.component, c.local_preference) for c in iut.candidates(type="host")])
    assert not found, f"(component, local preference) {found[0]} occurs twice"


@both_sides
@requirement("RFC8445-5.1.2.1-07", needs="components:2")
def test_component_ids_are_in_range(upper, peer, side):
    """with    a description of the IUT with two components
    when    the components of its candidates are read
    then    each lies between 1 and 256."""
    expect_description(upper, peer, side, "RFC 8839 section 5.1", about="component-id", components=2)

"""RFC 8445 section 5.1.2.2: type preferences."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import obtain_description
from conformance.suites.relays import needs
from conformance.suites.servers import NAT, gathered, relayed
from conformance.suites.values import duplicates
from conformance.verdict import Level


@varied("family", "components", "candidates")
@requirement("RFC8445-5.1.2.2-01", "RFC6544-4.2-01")
def test_host_type_preference_is_the_recommended_one(upper, peer, side):
    """with    a description of the IUT with only TCP candidates
    when    the type preference of its host candidates is read from the priority
    then    it is 126."""
    iut = obtain_description(upper, peer, side)
    iut.needs_tcp_alone()  # where there is UDP too, it may be lowered or raised
    wrong = [c for c in iut.candidates(type="host") if c.type_preference != 126]
    assert not wrong, f"type preference of a host candidate is not 126: {wrong[0]}"


@both_sides
@requirement("RFC8445-5.1.2.2-01", "RFC6544-4.2-01", needs="tcp_srflx")
def test_reflexive_type_preference_is_100(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the type preference is read from its server reflexive candidates' priorities
    then    it is 100."""
    server = peer.stun_server(mapped=NAT)
    reflexive = obtain_description(upper, peer, side, ice_servers=[server.entry]).candidates(type="srflx")
    wrong = [c for c in reflexive if c.type_preference != 100]
    assert not wrong, f"type preference of a server reflexive candidate is not 100: {wrong[0]}"


@both_sides
@requirement("RFC8445-5.1.2.2-03", at=Level.SHOULD)  # a formula of its own is lawful
def test_relayed_candidates_of_several_servers_differ(upper, peer, side):
    """with    two TURN servers, and an IUT that uses the formula
    when    the local preferences of its relayed candidates of one component and direction are compared
    then    those of different servers are different."""
    peer.answering = False  # an answerer that is connected already may gather no more
    servers = [peer.turn_server(), peer.turn_server()]
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry for server in servers])
    iut.needs_formula()
    found = gathered(iut, "relay", "passive") or relayed(iut)
    offered = [{c.endpoint for c in found} & {*server.relayed} for server in servers]
    needs(all(offered), "the IUT has no relayed candidates of both servers, and one is enough")
    shared = duplicates([(c.component, c.local_preference) for c in found])
    assert not shared, f"relayed candidates share (component, local preference) {shared[0]}"

"""RFC 8445 section 5.2: the candidates of a lite agent."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import NAT
from conformance.suites.values import duplicates
from conformance.verdict import Level


@varied("components")
@requirement("RFC8445-5.2-01", needs="offers:passive")
def test_lite_agent_has_one_candidate_for_an_address(upper, peer, side):
    """with    a lite IUT
    when    its TCP candidates of one component and one direction are counted
    then    there is no more than one on an address."""
    iut = obtain_description(upper, peer, side, agent="lite")
    found = duplicates([(c.component, c.tcptype, c.address) for c in iut.candidates()])
    assert not found, f"more than one candidate for (component, tcptype, address) {found[0]}"


@both_sides
@requirement("RFC8445-5.2-04", needs="offers:passive")
def test_lite_agent_has_candidates_for_rtcp(upper, peer, side):
    """with    a lite IUT with two components, of which RTCP is the second, on a port of its own
    when    its candidates are read
    then    there are some for the second component."""
    iut = obtain_description(upper, peer, side, agent="lite", components=2)
    iut.needs_no("rtcp-mux")
    assert any(c.component == 2 for c in iut.candidates()), "there is no candidate for the second component"


@both_sides
@requirement("RFC8445-5.2-05", needs="offers:passive obeys:addresses components:2")
def test_lite_agents_foundations_go_by_address(upper, peer, side):
    """with    a lite IUT on two addresses, with two components
    when    the foundations of its candidates are compared
    then    they are the same on one address, and different on different ones."""
    iut = obtain_description(upper, peer, side, agent="lite", components=2, addresses=upper.two_addresses())
    found = {(c.address, c.foundation) for c in iut.candidates()}
    addresses, foundations = ([pair[place] for pair in found] for place in (0, 1))
    assert not duplicates(addresses), f"several foundations on the address {duplicates(addresses)[0]}"
    assert not duplicates(foundations), f"the foundation {duplicates(foundations)[0]} on several addresses"


@both_sides
@requirement("RFC8445-5.2-06", needs="offers:passive obeys:addresses")
def test_lite_agents_priorities_are_unique(upper, peer, side):
    """with    a lite IUT on two addresses
    when    the priorities of its candidates are compared
    then    no two are the same."""
    iut = obtain_description(upper, peer, side, agent="lite", addresses=upper.two_addresses())
    found = duplicates([candidate.priority for candidate in iut.media().candidates])
    assert not found, f"two candidates have the priority {found[0]}"


@varied("family", "components")
@requirement("RFC8445-5.2-07", needs="offers:passive", at=Level.SHOULD)
def test_lite_agents_type_preference_is_126(upper, peer, side):
    """with    a lite IUT with TCP candidates only, that uses the formula
    when    the type preference is read from its priorities
    then    it is 126."""
    iut = obtain_description(upper, peer, side, agent="lite")
    iut.needs_tcp_alone()
    iut.needs_formula()
    wrong = [c for c in iut.candidates() if c.type_preference != 126]
    assert not wrong, f"the type preference is not 126: {wrong[0]}"


@both_sides
@requirement("RFC8445-5.2-s01", "RFC6544-4.4-s01", needs="offers:passive")
def test_lite_agent_has_host_candidates_only(upper, peer, side):
    """with    a lite IUT and a STUN server that would see it at an address of a NAT
    when    its candidates are read
    then    all are host candidates."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, agent="lite", ice_servers=[server.entry])
    others = [c for c in iut.media().candidates if c.type.lower() != "host"]
    assert not others, f"a candidate that is no host candidate: {others[0]}"

"""RFC 8839 section 5.1: the candidate attribute."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import expect_description, negotiate, obtain_description
from conformance.suites.servers import HIDDEN, NAT, gathered
from conformance.suites.values import is_address


@varied("family", "segmentation", "candidates")
@requirement("RFC8839-5.1-10", "RFC6544-4.5-s05", needs="connects:active")
def test_unknown_extension_attributes_are_ignored(upper, peer, side):
    """with    our passive candidate carrying an extension attribute behind its tcptype that nobody knows
    when    the IUT has both descriptions
    then    it nevertheless connects to the candidate."""
    strange = peer.candidate("passive", extensions=(("x-test-suite", "7"),))
    negotiate(upper, peer, side, peer_candidates=[strange])
    peer.expect_connection()


@both_sides
@requirement("RFC8839-5.1-01")
def test_candidates_have_addresses_and_no_names(upper, peer, side):
    """with    a description of the IUT
    when    the addresses of its candidates are read
    then    each is an IP address, none a host name."""
    named = [c for c in obtain_description(upper, peer, side).media().candidates if not is_address(c.address)]
    assert not named, f"a candidate with a host name: {named[0]}"


@both_sides
@requirement("RFC8839-5.1-03", "RFC8445-5.1.1.1-03")
def test_components_are_counted_from_1(upper, peer, side):
    """with    a description of the IUT with two components
    when    the components of its candidates are read
    then    they are 1 and 2."""
    iut = obtain_description(upper, peer, side, components=2)
    found = {candidate.component for candidate in iut.media().candidates}
    assert found == {1, 2}, f"components {sorted(found)}"


@both_sides
@requirement("RFC8839-5.1-07")
def test_host_candidates_have_no_related_address(upper, peer, side):
    """with    a description of the IUT
    when    its host candidates are read
    then    none has raddr or rport."""
    iut = obtain_description(upper, peer, side)
    related = [c for c in iut.candidates(type="host") if (c.related_address, c.related_port) != (None, None)]
    assert not related, f"a host candidate with a related address: {related[0]}"


@both_sides
@requirement("RFC8839-5.1-s02")
def test_candidates_stand_in_media_sections(upper, peer, side):
    """with    a description of the IUT
    when    its session level is read
    then    no candidate stands there."""
    misplaced = obtain_description(upper, peer, side).sdp.misplaced_candidates
    assert not misplaced, f"a candidate at the session level: {misplaced[0]}"


@both_sides
@requirement("RFC8839-5.1-06")
def test_reflexive_candidates_have_a_related_address(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the server reflexive candidates of the IUT's description are read
    then    each has raddr and rport."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    bare = [c for c in gathered(iut, "srflx") if c.related_address is None or c.related_port is None]
    assert not bare, f"a reflexive candidate without its related address: {bare[0]}"


@both_sides
@requirement("RFC8839-5.1-s04")
def test_related_address_of_a_reflexive_candidate_is_its_base(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the related addresses of its passive reflexive candidates are read
    then    each is one of its host candidates, or hidden as 0.0.0.0 or :: with port 9."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    bases = {(c.address, c.port) for c in iut.hosts()} | HIDDEN
    strange = [c for c in gathered(iut, "srflx", "passive") if (c.related_address, c.related_port) not in bases]
    assert not strange, f"a related address that is no base: {strange[0]}"


@both_sides
@requirement("RFC8839-5.1-s01")
def test_candidates_have_the_form_of_the_grammar(upper, peer, side):
    """with    a description of the IUT
    when    its candidates are held against the grammar
    then    each has the fields in their order, and foundation, component and priority in their ranges."""
    expect_description(upper, peer, side, "RFC 8839 section 5.1")

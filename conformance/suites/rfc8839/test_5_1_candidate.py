"""RFC 8839 section 5.1: the candidate attribute."""

from __future__ import annotations

import pytest

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import expect_description, negotiate, obtain_description
from conformance.suites.sections import expect_default_of_the_first_component, expect_rtcp_candidate
from conformance.suites.servers import HIDDEN, NAT, gathered, relayed
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
    then    they are counted from 1 on, without a gap."""
    iut = obtain_description(upper, peer, side, components=2)
    found = {candidate.component for candidate in iut.media().candidates}
    assert found == set(range(1, len(found) + 1)), f"components {sorted(found)}"


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
    when    the related addresses of its passive reflexive candidates are read, so far as they have one
    then    each is one of its passive host candidates, unless it is hidden as 0.0.0.0 or ::."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    hidden = {None, *(address for address, _ in HIDDEN)}
    related = [c for c in gathered(iut, "srflx", "passive") if c.related_address not in hidden]
    bases = {(c.address, c.port) for c in iut.candidates(tcptype="passive", type="host")}
    strange = [c for c in related if (c.related_address, c.related_port) not in bases]
    assert not strange, f"a related address that is no base: {strange[0]}"


@both_sides
@requirement("RFC8839-5.1-s01")
def test_candidates_have_the_form_of_the_grammar(upper, peer, side):
    """with    a description of the IUT
    when    its candidates are held against the grammar
    then    each has the fields in their order, and foundation, component and priority in their ranges."""
    expect_description(upper, peer, side, "RFC 8839 section 5.1")


@both_sides
@requirement("RFC8839-5.1-04", needs="sdp:full offers:passive")
def test_rtcp_is_the_second_component(upper, peer, side):
    """with    a description of the IUT with two components
    when    the destinations of its m= and c= lines and of a=rtcp are read
    then    they are those of candidates of component 1 and 2."""
    media = obtain_description(upper, peer, side, components=2, tcptypes="passive").media()
    expect_default_of_the_first_component(media)
    expect_rtcp_candidate(media)


@varied("family", "candidates")
@pytest.mark.parametrize("name", ["agent.example", "1b4e28ba-2fa1-41d2-883f-0016d3cca427.local"], ids=["name", "mdns"])
@requirement("RFC8839-5.1-02", needs="connects:active")
def test_candidate_with_a_host_name_is_ignored(upper, peer, side, name):
    """with    a candidate of ours with a host name, and a passive one with an address behind it
    when    the IUT has both descriptions
    then    it connects to the one with an address."""
    named = peer.candidate("passive", address=name, port=50000, foundation="named", other=8000)
    negotiate(upper, peer, side, peer_candidates=[named, peer.candidate("passive")])
    peer.expect_connection()


@varied("family", "candidates")
@pytest.mark.parametrize("transport", ["ssltcp", "TLS", "SCTP", "x-unknown"])
@requirement("RFC8839-5.1-s03", needs="connects:active")
def test_candidate_of_an_unknown_transport_is_ignored(upper, peer, side, transport):
    """with    a candidate of ours with a transport that nobody knows, and a passive TCP one behind it
    when    the IUT has both descriptions
    then    it connects to the TCP one."""
    strange = peer.candidate("passive", port=443, transport=transport, foundation="strange", other=8000)
    negotiate(upper, peer, side, peer_candidates=[strange, peer.candidate("passive")])
    peer.expect_connection()


@both_sides
@requirement("RFC8839-5.1-s05")
def test_related_address_of_a_relayed_candidate_is_the_mapped_one(upper, peer, side):
    """with    a TURN server that sees the IUT at an address of a NAT
    when    the related addresses of its relayed candidates are read
    then    each is that address, or hidden as 0.0.0.0 or ::."""
    peer.answering = False  # an answerer that is connected already may gather no more
    iut = obtain_description(upper, peer, side, ice_servers=[peer.turn_server(mapped=NAT).entry])
    found = relayed(iut)
    iut.require(bool(found), "relayed candidates")
    wrong = [c for c in found if c.related_address not in {NAT, *(address for address, _ in HIDDEN)}]
    assert not wrong, f"another related address: {wrong[0]}"


@both_sides
@requirement("RFC8839-5.1-08")
def test_hidden_related_address_has_port_9(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the related addresses of its reflexive candidates are read
    then    those that are 0.0.0.0 or :: have port 9."""
    iut = obtain_description(upper, peer, side, ice_servers=[peer.stun_server(mapped=NAT).entry])
    found = gathered(iut, "srflx")
    iut.require(bool(found), "reflexive candidates")
    hidden = [c for c in found if c.related_address in {address for address, _ in HIDDEN}]
    wrong = [c for c in hidden if c.related_port != 9]
    assert not wrong, f"hidden with another port than 9: {wrong[0]}"

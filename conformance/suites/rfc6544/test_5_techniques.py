"""RFC 6544 section 5: techniques beyond host candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import NAT, gathered
from conformance.suites.values import families


@both_sides
@requirement("RFC6544-5-01")
def test_a_relaying_and_a_discovering_technique(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT, and a TURN server
    when    the IUT's description is read
    then    it has server reflexive and relayed TCP candidates."""
    servers = [peer.stun_server(mapped=NAT).entry, peer.turn_server().entry]
    iut = obtain_description(upper, peer, side, ice_servers=servers)
    assert gathered(iut, "srflx"), "there is no server reflexive candidate"
    assert gathered(iut, "relay"), "there is no relayed candidate"


@both_sides
@requirement("RFC6544-5-03", needs="families:4")
def test_ipv6_candidate_without_ipv6_at_hand(upper, peer, side):
    """with    the IUT on an IPv4 address alone, and a TURN server that relays addresses of both families
    when    the IUT's description is read
    then    it has an IPv6 candidate, of the relay or by another technique."""
    server = peer.turn_server()
    server.manner.both_families = True
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    iut.require(bool(gathered(iut, "relay")), "relayed TCP candidates")
    found = families(iut.media().candidates)
    assert 6 in found, f"candidates of IPv{found} only"

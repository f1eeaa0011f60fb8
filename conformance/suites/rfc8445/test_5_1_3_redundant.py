"""RFC 8445 section 5.1.3: redundant candidates."""

from __future__ import annotations

from conformance.suites.gateways import EITHER, assisted
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import gathered
from conformance.suites.values import duplicates


@both_sides
@requirement("RFC8445-5.1.3-01", needs="tcp_srflx")
def test_reflexive_candidates_that_equal_host_candidates_are_left_out(upper, peer, side):
    """with    a STUN server that sees the IUT where it is, as without a NAT
    when    the IUT's description is read
    then    no server reflexive candidate has the address, port and direction of a host candidate."""
    server = peer.stun_server()
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    hosts = {(c.component, c.endpoint, c.tcptype) for c in iut.hosts()}
    redundant = [c for c in gathered(iut, "srflx") if (c.component, c.endpoint, c.tcptype) in hosts]
    assert not redundant, f"a redundant candidate: {redundant[0]}"


@both_sides
@requirement("RFC8445-5.1.3-01", "RFC6544-5.3-s01", needs=f"tcp_srflx {EITHER}")
def test_address_that_gateway_and_server_tell_is_stated_once(upper, peer, side):
    """with    a NAT gateway that makes mappings, and a STUN server that sees the IUT behind this NAT
    when    the IUT's description is read
    then    no two candidates have the same address, port, direction and base."""
    gateway = peer.gateway()
    server = peer.stun_server(nat=gateway)
    wishes = {"gateways": [gateway.entry], "ice_servers": [server.entry]}
    iut = obtain_description(upper, peer, side, **wishes)
    found = assisted(iut, gateway)
    iut.require(bool(found), "candidates at the NAT's address")
    twice = duplicates([(c.component, c.endpoint, c.tcptype, c.related_address, c.related_port) for c in found])
    assert not twice, f"redundant candidates, one of the gateway and one of the server: {twice}"

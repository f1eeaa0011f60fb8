"""RFC 8445 section 5.1.3: redundant candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import gathered


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

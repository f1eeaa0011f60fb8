"""RFC 6544 section 4.5: relayed candidates in the SDP."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import gathered, gathered_if_any


@both_sides
@requirement("RFC6544-4.5-02")
def test_active_relayed_address_is_that_of_a_passive_one(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the active relayed candidates of the IUT's description are read
    then    their address is its passive and S-O relayed candidates', or where it states none, one allocated."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    active = {c.address for c in gathered_if_any(iut, "relay", "active")}
    others = {c.address for c in gathered(iut, "relay") if (c.tcptype or "").lower() != "active"}
    allowed = others or {address.ip for address in server.relayed}
    assert active <= allowed, f"active relayed candidates at {sorted(active)}, the others at {sorted(allowed)}"


@both_sides
@requirement("RFC6544-4.5-01", needs="offers:active tcp_relay tcp_srflx")
def test_active_candidates_from_servers_have_port_9(upper, peer, side):
    """with    a TURN server that sees the IUT at an address of a NAT and allocates TCP addresses
    when    the ports of the IUT's active candidates are read
    then    each is 9."""
    server = peer.turn_server(mapped="198.51.100.7")
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    iut.require(bool(gathered(iut, "relay") + gathered(iut, "srflx")), "candidates from the server")
    wrong = [c for c in iut.candidates(tcptype="active") if c.port != 9]
    assert not wrong, f"an active candidate's port is not 9: {wrong[0]}"

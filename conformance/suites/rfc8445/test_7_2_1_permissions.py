"""RFC 8445 section 7.2.1: permissions at TURN servers."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import exchange
from conformance.suites.servers import needs_permissions, unpermitted_checks


@both_sides
@requirement("RFC8445-7.2.1-02")
def test_permission_names_our_address(upper, peer, side, pixit):
    """with    an address allocated on a TURN server, descriptions exchanged, and no answers of ours
    when    the IUT has created its permissions
    then    there is one for the address of our candidates."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server, "active")
    peer.wait_until(lambda: any(peer.address in a.permissions for a in server.allocations), pixit.response)
    found = {address for allocation in server.allocations for address in allocation.permissions}
    needs_permissions(found)
    assert peer.address in found, f"there are permissions for {', '.join(sorted(found)) or 'nobody'}"


@both_sides
@requirement("RFC8445-7.2.1-01", needs="transports:udp transports:tcp")
def test_permission_comes_before_a_check_from_a_relayed_candidate(upper, peer, side, pixit):
    """with    a relayed UDP address that the IUT has asked for over TCP, and our UDP candidate
    when    the IUT sends a check from there
    then    it has created the permission for our address before."""
    peer.answering = False
    server = peer.turn_server()
    ours = [peer.udp().candidate()]
    negotiate(upper, peer, side, peer_candidates=ours, transports=["udp", "tcp"], ice_servers=[server.entry])
    early = unpermitted_checks(peer, server.udp_allocation(), within=pixit.connect)
    assert not early, f"a check was sent to {early[0]} without a permission"

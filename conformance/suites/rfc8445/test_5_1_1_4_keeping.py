"""RFC 8445 section 5.1.1.4: keeping candidates alive until ICE has completed."""

from __future__ import annotations

from conformance.suites.marks import requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import exchange
from conformance.suites.servers import NAT
from conformance.wire.stun import Method

_LIFETIME = 8


_LONG = 31.0  # seconds: ICE has not failed yet (RFC 8863 section 4: 39.5 s)


@watches(_LONG)
@requirement("RFC8445-5.1.1.4-01", "RFC6544-4.1-08", needs="sides:offerer")
def test_connections_to_servers_last_until_completion(upper, peer):
    """with    a STUN server that sees the IUT at an address of a NAT, and descriptions exchanged
    when    no check comes, and ICE goes on for half a minute
    then    the connections over which the IUT has learnt its addresses stay open."""
    server = peer.stun_server(mapped=NAT)
    negotiate(upper, peer, "offerer", peer_tcptypes="active", ice_servers=[server.entry])
    server.expect_kept(within=_LONG)


@watches(_LIFETIME)
@requirement("RFC8445-5.1.1.4-s01", needs="sides:offerer")
def test_allocations_are_refreshed(upper, peer):
    """with    a TURN server whose allocations last eight seconds, and descriptions exchanged
    when    no check comes, and none is answered
    then    the IUT refreshes its allocation before it ends."""
    server = peer.turn_server()
    server.manner.lifetime = _LIFETIME
    peer.answering = False
    exchange(upper, peer, "offerer", server, "active")
    assert server.wait_for_request(Method.REFRESH, within=_LIFETIME), "no Refresh request has come in time"

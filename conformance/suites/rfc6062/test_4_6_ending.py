"""RFC 6062 section 4.6: the end of a connection of an allocation."""

from __future__ import annotations

from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import (
    expect_refreshed,
    relayed_of,
    use_relay,
)


@both_sides
@requirement("RFC6062-4.6-s01")
def test_relayed_connection_ends_by_closing_the_data_connection(upper, peer, side):
    """with    two connections of ours to a relayed candidate
    when    ICE has completed on one of them
    then    the IUT closes the data connection of the other."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    other, selected = (server.connect(relayed_of(iut)) for _ in range(2))
    await_selection(upper, peer, peer.complete(iut, selected))
    other.expect_end(within=peer.pixit.close)


@watches(9)
@requirement("RFC6062-4.6-01", needs="sides:answerer")
def test_allocation_in_use_is_refreshed(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    8 seconds have passed while data can flow
    then    the IUT has sent Refresh, and the data connection is open."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    selected = use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    selected.expect_open(within=peer.pixit.drip)

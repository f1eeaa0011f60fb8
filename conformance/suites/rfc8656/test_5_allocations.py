"""RFC 8656 section 5: allocations."""

from __future__ import annotations

from conformance.suites.marks import requirement, watches
from conformance.suites.relays import (
    complete_on_relay,
    expect_given_up,
    expect_refreshed,
    needs_refresh,
    needs_refused,
    values,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@watches(9)
@requirement("RFC8656-5-s01", needs="sides:answerer")
def test_refresh_names_the_same_user(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    the IUT has refreshed it
    then    all its requests name the user that has created it."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    complete_on_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    names = values(needs_refresh(server), Attribute.USERNAME) | values(needs_refresh(server), Attribute.USERHASH)
    assert names <= values(server.requests(Method.ALLOCATE), Attribute.USERNAME), f"Refresh names {names}"


@watches(9)
@requirement("RFC8656-5-07", needs="sides:answerer")
def test_allocation_refused_with_437_is_gone(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    a Refresh has been answered by 437 (Allocation Mismatch)
    then    the IUT asks nothing more about it; if it is of a TCP address, it closes its connection."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    complete_on_relay(upper, peer, server)
    server.manner.refusals[Method.REFRESH], server.manner.always = [437], {437}
    refused = needs_refused(peer, server, 437, within=server.manner.lifetime)
    expect_given_up(upper, peer, server, refused.connection)

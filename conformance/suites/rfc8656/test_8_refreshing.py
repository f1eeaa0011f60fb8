"""RFC 8656 sections 5, 8 and 10: keeping allocations and permissions."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.relays import (
    complete_on_relay,
    deletions,
    expect_asked,
    expect_refreshed,
    needs_refresh,
    needs_refused,
    renewed,
    values,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@watches(9)
@requirement("RFC8656-8-01", needs="sides:answerer")
def test_allocation_is_refreshed_in_time(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    8 seconds have passed
    then    the IUT has sent Refresh before."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    complete_on_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)


@watches(9)
@requirement("RFC8656-8.3-s01", needs="sides:answerer")
def test_lifetime_of_a_refresh_counts(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    a Refresh has been answered by a lifetime of 5 seconds, and these have passed
    then    the IUT has sent another Refresh before."""
    server = peer.turn_server()
    server.manner.lifetime, server.manner.refreshed_lifetime = 8, 5
    complete_on_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    expect_refreshed(peer, server, times=2, within=5)


@watches(9)
@requirement("RFC8656-8.1-01", needs="sides:answerer")
def test_refresh_names_no_other_family(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    the IUT has refreshed it
    then    no Refresh names a family that was not allocated."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    complete_on_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    families = values(needs_refresh(server), Attribute.REQUESTED_ADDRESS_FAMILY)
    allocated = {b"\2" if ":" in relayed.ip else b"\1" for relayed in server.relayed}
    assert {value[:1] for value in families} <= allocated, f"REQUESTED-ADDRESS-FAMILY: {families}"


@watches(9)
@requirement("RFC8656-8.3-s02", "RFC8489-9.2.5-12", needs="sides:answerer")
def test_stale_refresh_is_sent_again(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    a Refresh has been answered by 438 with another nonce
    then    the IUT has sent it again with this nonce."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    complete_on_relay(upper, peer, server)
    server.manner.refusals[Method.REFRESH], server.manner.always = [438], {438}
    needs_refused(peer, server, 438, within=server.manner.lifetime)
    expect_asked(
        peer, server, lambda one: renewed(server, one), "Refresh with the new nonce", within=peer.pixit.response
    )


@both_sides
@requirement("RFC8656-8.1-s01", needs="offers:passive")
def test_allocation_is_deleted_by_a_lifetime_of_zero(upper, peer, side):
    """with    an allocation on a TURN server, and ICE completed on a host candidate
    when    the IUT has sent Refresh for the allocation that it does not need
    then    its LIFETIME is zero. Who closes the connection instead deletes it as well."""
    server = peer.turn_server()
    lifetimes = deletions(upper, peer, side, server)
    assert lifetimes == {bytes(4)}, f"LIFETIME: {lifetimes}"

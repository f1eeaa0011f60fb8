"""RFC 8656 sections 5, 8 and 10: keeping allocations and permissions."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import (
    await_asked,
    deletions,
    expect_refreshed,
    families_permitted,
    needs_refresh,
    use_relay,
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
    use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)


@watches(9)
@requirement("RFC8656-7.3-s01", needs="sides:answerer")
def test_lifetime_of_the_response_counts(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    8 seconds have passed
    then    the IUT has sent Refresh before, whatever lifetime it would have liked."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)


@watches(9)
@requirement("RFC8656-8.3-s01", needs="sides:answerer")
def test_lifetime_of_a_refresh_counts(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    a Refresh has been answered by a lifetime of 5 seconds, and these have passed
    then    the IUT has sent another Refresh before."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    server.manner.refreshed_lifetime = 5
    expect_refreshed(peer, server, within=server.manner.lifetime)
    expect_refreshed(peer, server, times=2, within=5)


@watches(9)
@requirement("RFC8656-5-s01", needs="sides:answerer")
def test_refresh_names_the_same_user(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    the IUT has refreshed it
    then    all its requests name the user that has created it."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    names = values(needs_refresh(server), Attribute.USERNAME) | values(needs_refresh(server), Attribute.USERHASH)
    assert names <= values(server.log(Method.ALLOCATE), Attribute.USERNAME), f"Refresh names {names}"


@watches(9)
@requirement("RFC8656-8.1-01", needs="sides:answerer")
def test_refresh_names_no_other_family(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    the IUT has refreshed it
    then    no Refresh names a family that was not allocated."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    families = values(needs_refresh(server), Attribute.REQUESTED_ADDRESS_FAMILY)
    allocated = {b"\2" if ":" in relayed.ip else b"\1" for relayed in server.relayed}
    assert {value[:1] for value in families} <= allocated, f"REQUESTED-ADDRESS-FAMILY: {families}"


@watches(9)
@requirement("RFC6062-4.2-01", needs="sides:answerer")
def test_refresh_comes_on_the_control_connection(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    the IUT has refreshed it
    then    the Refresh came on the connection of the Allocate."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    expect_refreshed(peer, server, within=server.manner.lifetime)
    elsewhere = [one for one in needs_refresh(server) if one.connection not in server.used]
    assert not elsewhere, f"Refresh came on {elsewhere[0].connection}"


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


@watches(9)
@requirement("RFC8656-8.3-s02", needs="sides:answerer")
def test_stale_refresh_is_sent_again(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    its first Refresh has been answered by 438 with another nonce
    then    the IUT has sent it again with this nonce."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    server.manner.refusals[Method.REFRESH] = [438]
    expect_refreshed(peer, server, within=server.manner.lifetime)
    expect_refreshed(peer, server, times=2, within=peer.pixit.response)
    assert server.core.nonce.encode() in values(needs_refresh(server), Attribute.NONCE), "Refresh has the stale nonce"


@watches(9)
@requirement("RFC8656-5-07", needs="sides:answerer")
def test_allocation_refused_with_437_is_gone(upper, peer):
    """with    ICE completed on a relayed candidate, whose allocation lasts 8 seconds
    when    its Refresh has been answered by 437 (Allocation Mismatch)
    then    the IUT asks nothing more about it and closes its connection."""
    server = peer.turn_server()
    server.manner.lifetime = 8
    use_relay(upper, peer, server)
    server.manner.refusals[Method.REFRESH], server.manner.always = [437], {437}
    expect_refreshed(peer, server, within=server.manner.lifetime)
    control = needs_refresh(server)[0].connection
    control.expect_end(within=peer.pixit.close)


@both_sides
@requirement("RFC8656-8.1-s01", needs="offers:passive")
def test_allocation_is_deleted_by_a_lifetime_of_zero(upper, peer, side):
    """with    an allocation on a TURN server, and ICE completed on a host candidate
    when    the IUT has sent Refresh for the allocation that it does not need
    then    its LIFETIME is zero. Who closes the connection instead deletes it as well."""
    server = peer.turn_server()
    lifetimes = deletions(upper, peer, side, server)
    assert lifetimes == {bytes(4)}, f"LIFETIME: {lifetimes}"


@both_sides
@requirement("RFC8656-10.1-01")
def test_permission_names_a_peer(upper, peer, side):
    """with    an allocation on a TURN server, and descriptions exchanged
    when    the IUT asks for permissions
    then    each CreatePermission has XOR-PEER-ADDRESS."""
    server = peer.turn_server()
    negotiate(upper, peer, side, ice_servers=[server.entry])
    asked = await_asked(peer, server, Method.CREATE_PERMISSION, within=peer.pixit.response)
    assert asked.message.has(Attribute.XOR_PEER_ADDRESS), "CreatePermission names no peer"


@both_sides
@requirement("RFC8656-10.1-03")
def test_permission_is_of_the_allocations_family(upper, peer, side):
    """with    an allocation on a TURN server, and descriptions exchanged
    when    the IUT asks for permissions
    then    every peer has an address of the relayed address's family."""
    server = peer.turn_server()
    negotiate(upper, peer, side, ice_servers=[server.entry])
    await_asked(peer, server, Method.CREATE_PERMISSION, within=peer.pixit.response)
    families = families_permitted(server)
    allocated = {2 if ":" in relayed.ip else 1 for relayed in server.relayed}
    assert families <= allocated, f"families of peers: {families}, of relayed addresses: {allocated}"

"""RFC 8656 section 10.1: permissions."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    await_asked,
    exchange,
    families_permitted,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@both_sides
@requirement("RFC8656-10.1-01")
def test_permission_names_a_peer(upper, peer, side):
    """with    an allocation on a TURN server, descriptions exchanged, and no answers of ours
    when    the IUT asks for permissions
    then    each CreatePermission has XOR-PEER-ADDRESS."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server)
    asked = await_asked(peer, server, Method.CREATE_PERMISSION, within=peer.pixit.response)
    assert asked.message.has(Attribute.XOR_PEER_ADDRESS), "CreatePermission names no peer"


@both_sides
@requirement("RFC8656-10.1-03")
def test_permission_is_of_the_allocations_family(upper, peer, side):
    """with    an allocation on a TURN server, descriptions exchanged, and no answers of ours
    when    the IUT asks for permissions
    then    every peer has an address of the relayed address's family."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server)
    await_asked(peer, server, Method.CREATE_PERMISSION, within=peer.pixit.response)
    families = families_permitted(server)
    allocated = {2 if ":" in relayed.ip else 1 for relayed in server.relayed}
    assert families <= allocated, f"families of peers: {families}, of relayed addresses: {allocated}"

"""RFC 6062 section 4.1: TCP allocations."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import allocates, gather, granted
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@both_sides
@requirement("RFC6062-4.1-01", "RFC6062-4.1-02")
def test_allocation_has_a_connection_of_its_own(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the connections of the IUT's allocations are read
    then    each begins with Allocate, and carries one allocation."""
    server = peer.turn_server()
    gather(upper, peer, side, server)
    first = {id(one.connection): one for one in reversed(server.asked)}
    used = [one for one in first.values() if one.connection in {asked.connection for asked in granted(server)}]
    wrong = [one for one in used if one.message.method != Method.ALLOCATE]
    assert not wrong, "other requests came before Allocate"


@both_sides
@requirement("RFC6062-4.1-03")
def test_tcp_is_asked_for(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests are read
    then    REQUESTED-TRANSPORT of one at least is 6, TCP."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    asked = [one.message.first(Attribute.REQUESTED_TRANSPORT) for one in server.requests(Method.ALLOCATE)]
    assert 6 in {found.value[0] for found in asked if found is not None and found.value}, "no Allocate asks for TCP"


@both_sides
@requirement("RFC6062-4.1-04")
def test_tcp_allocation_has_no_attributes_of_datagrams(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests for TCP are read
    then    none has DONT-FRAGMENT, RESERVATION-TOKEN or EVEN-PORT."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    kinds = (Attribute.DONT_FRAGMENT, Attribute.RESERVATION_TOKEN, Attribute.EVEN_PORT)
    wrong = [kind.spelling for one in allocates(server) for kind in kinds if one.message.has(kind)]
    assert not wrong, f"an Allocate for TCP has {wrong[0]}"

"""RFC 8656 section 18.8: requested transport."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    gather,
    values,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@both_sides
@requirement("RFC8656-18.8-01")
def test_reserved_octets_of_requested_transport_are_zero(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests are read
    then    the three octets behind the number of the transport are zero."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    found = values(server.requests(Method.ALLOCATE), Attribute.REQUESTED_TRANSPORT)
    wrong = [value.hex(" ") for value in found if any(value[1:])]
    assert not wrong, f"REQUESTED-TRANSPORT is {wrong[0]}"

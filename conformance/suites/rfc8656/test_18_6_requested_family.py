"""RFC 8656 section 18.6: requested family."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    gather,
    needs,
    values,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


@both_sides
@requirement("RFC8656-18.6-01")
def test_reserved_octets_of_requested_family_are_zero(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests are read
    then    the three octets behind the family are zero, where a family is asked for."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    found = values(server.requests(Method.ALLOCATE), Attribute.REQUESTED_ADDRESS_FAMILY)
    needs(found, "the IUT asks for no family")
    wrong = [value.hex(" ") for value in found if any(value[1:])]
    assert not wrong, f"REQUESTED-ADDRESS-FAMILY is {wrong[0]}"

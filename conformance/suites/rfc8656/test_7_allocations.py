"""RFC 8656 section 7: asking for allocations."""

from __future__ import annotations

import pytest

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    asked_where_allocated,
    gather,
    is_held,
    lacking,
    relayed_or_none,
    repeated,
    sources_after_mismatch,
    usual_allocates,
)
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method

_CODES = [  # answers after which the request is not to be sent again
    pytest.param(code, id=str(code), marks=pytest.mark.requirement(identifier, needs=()))
    for code, identifier in (
        (400, "RFC8656-7.4-03"),
        (403, "RFC8656-7.4-06"),
        (440, "RFC8656-7.4-11"),
        (441, "RFC8656-7.4-12"),
        (442, "RFC8656-7.4-13"),
        (477, "RFC8656-7.4-17"),
        (486, "RFC8656-7.4-14"),
        (508, "RFC8656-7.4-16"),
    )
]


@both_sides
@requirement("RFC8656-7.1-01")
def test_allocations_come_from_addresses_of_their_own(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT has asked for allocations
    then    none of the IUT's requests for one comes from an address that has an allocation already."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    sources = [connection.remote_address for connection in server.connections]
    assert len(set(sources)) == len(sources), f"connections come from {sources}"
    repeated_on = asked_where_allocated(server)
    assert not repeated_on, f"a further Allocate came from {repeated_on[0].remote_address}, which has an allocation"


@both_sides
@requirement("RFC8656-7.1-04")
def test_allocate_names_the_transport(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests are read
    then    each has REQUESTED-TRANSPORT."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    wrong = lacking(server.requests(Method.ALLOCATE), Attribute.REQUESTED_TRANSPORT)
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8656-7.1-05")
def test_allocate_names_one_family_at_most(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests are read
    then    none has more than one REQUESTED-ADDRESS-FAMILY."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    counts = [len(one.message.all(Attribute.REQUESTED_ADDRESS_FAMILY)) for one in server.requests(Method.ALLOCATE)]
    assert max(counts) <= 1, f"an Allocate has {max(counts)} REQUESTED-ADDRESS-FAMILY"


@both_sides
@requirement("RFC8656-7.1-08")
def test_requested_and_additional_family_are_not_together(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's Allocate requests are read
    then    none has REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY."""
    server = peer.turn_server()
    gather(upper, peer, side, server, allocated=False)
    kinds = (Attribute.REQUESTED_ADDRESS_FAMILY, Attribute.ADDITIONAL_ADDRESS_FAMILY)
    both = [one for one in server.requests(Method.ALLOCATE) if all(map(one.message.has, kinds))]
    assert not both, "an Allocate has both"


@both_sides
@requirement("RFC8656-7.3-01")
def test_address_of_an_unknown_family_is_not_offered(upper, peer, side):
    """with    a TURN server that allocates an address of a family that nobody knows
    when    the IUT's description is read
    then    it has no relayed candidate."""
    server = peer.turn_server()
    server.manner.strange_family = True
    found = relayed_or_none(upper, peer, side, server)
    assert not found, f"it has a relayed candidate at {found[0].endpoint}"


@both_sides
@requirement("RFC8656-7.3-02")
def test_allocation_of_an_unknown_family_is_given_up(upper, peer, side):
    """with    a TURN server that allocates an address of a family that nobody knows
    when    the IUT's description is there
    then    the IUT has deleted the allocation or closed its connection, and asks for no other one of this kind."""
    server = peer.turn_server()
    server.manner.strange_family = True
    relayed_or_none(upper, peer, side, server)
    peer.wait_until(lambda: not any(map(is_held, server.allocations)), peer.pixit.close)
    assert not any(map(is_held, server.allocations)), "the allocation is still there"


@pytest.mark.parametrize("code", _CODES)
@requirement(needs="sides:offerer")
def test_refused_allocate_is_not_sent_again(upper, peer, code):
    """with    a TURN server that refuses the IUT's Allocate by a code
    when    some time has passed
    then    the IUT has not sent it again on this connection."""
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE], server.manner.always = [code], {code}
    gather(upper, peer, "offerer", server, allocated=False)
    count = repeated(peer, server, Method.ALLOCATE, code, within=peer.pixit.retransmission)
    assert not count, f"Allocate was sent again {count} times after {code}"


@both_sides
@requirement("RFC8656-7.4-08")
def test_mismatch_is_followed_by_another_address(upper, peer, side):
    """with    a TURN server that answers Allocate by 437 (Allocation Mismatch) each time
    when    the IUT has tried what it tries
    then    it has asked from another transport address as well."""
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE], server.manner.always = [437], {437}
    gather(upper, peer, side, server, allocated=False)
    count = sources_after_mismatch(peer, server)
    assert count >= 2, "it has asked from one address alone"


@both_sides
@requirement("RFC8656-7.4-09", "RFC8656-7.4-08")
def test_mismatch_is_followed_by_three_addresses(upper, peer, side):
    """with    a TURN server that answers Allocate by 437 (Allocation Mismatch) each time
    when    the IUT has tried what it tries
    then    it has asked from three transport addresses."""
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE], server.manner.always = [437], {437}
    gather(upper, peer, side, server, allocated=False)
    count = sources_after_mismatch(peer, server)
    assert count >= 3, f"it has asked from {count} addresses"


@both_sides
@requirement("RFC8656-7.4-10")
def test_mismatch_ends_in_rest(upper, peer, side):
    """with    a TURN server that answers Allocate by 437 (Allocation Mismatch) each time
    when    the IUT has tried what it tries
    then    it has not asked from more than three transport addresses for each allocation that it usually makes, and
            then it rests."""
    usual = usual_allocates(upper, peer, side)
    server = peer.turn_server()
    server.manner.refusals[Method.ALLOCATE], server.manner.always = [437], {437}
    gather(upper, peer, side, server, allocated=False)
    count = sources_after_mismatch(peer, server)
    assert count <= 3 * usual, f"it has asked from {count} addresses for {usual} allocations"

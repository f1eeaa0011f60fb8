"""RFC 8489 section 6.3.3: success responses."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    await_success,
    expect_no_valid_pair,
    needs_regular_nomination,
    needs_valid_pairs_to_show,
)
from conformance.suites.marks import both_sides, requirement
from conformance.suites.media import expect_completion
from conformance.suites.messages import expect_goes_on, first_check
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_OPTIONAL, UNKNOWN_REQUIRED
from conformance.wire.attributes import Attribute
from conformance.wire.layers import RFC4571, RawStunAttribute, binding_success


@requirement("RFC8489-6.3.3-s01", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_success_with_an_unknown_required_attribute_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    a success response comes with an unknown comprehension-required attribute
    then    the IUT does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    response = binding_success(request.stun.transaction_id, connection.seen_from, peer.pwd, attributes=[strange])
    connection.send(RFC4571() / response)
    expect_no_valid_pair(upper, peer, request)


@requirement("RFC8489-6.3.3-s02", needs="connects:active sides:offerer")
def test_success_without_a_mapped_address_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    a success response comes without XOR-MAPPED-ADDRESS
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, peer, request)
    response = peer.success(connection, request)
    response.attributes = response.attributes[1:]
    connection.send(RFC4571() / response)
    expect_no_valid_pair(upper, peer, request)


@both_sides
@requirement("RFC8489-6.3.3-01", needs="connects:active")
def test_mapped_address_of_an_unknown_family_leaves_the_iut_working(upper, peer, side, pixit):
    """with    the IUT's check on a connection
    when    the success response has a mapped address of a family that nobody knows
    then    the IUT answers a check that comes on another connection, or on this one."""
    connection, request = first_check(upper, peer, side)
    await_success(peer, peer.iut, connection)
    response = peer.success(connection, request)
    response.attributes[0] = RawStunAttribute(type=Attribute.XOR_MAPPED_ADDRESS, value=bytes([0, 9]) + bytes(6))
    connection.send(RFC4571() / response)
    peer.wait(pixit.drip)
    expect_goes_on(peer, connection)


@requirement("RFC8489-6.3.3-s01", "RFC8489-6.3-01", needs="connects:active sides:offerer")
def test_success_response_with_an_optional_attribute_is_taken(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    the success response has an unknown comprehension-optional attribute
    then    the pair has become valid: a nomination, a state or data shows it."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    peer.answer_only_on(connection)
    strange = RawStunAttribute(type=UNKNOWN_OPTIONAL, value=b"any")
    response = binding_success(request.stun.transaction_id, connection.seen_from, peer.pwd, attributes=[strange])
    connection.send(RFC4571() / response)
    expect_completion(upper, peer, connection)

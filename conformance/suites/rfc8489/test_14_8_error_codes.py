"""RFC 8489 section 14.8: error codes and what comes with them."""

from __future__ import annotations

from conformance.peer.events import BindingError, BindingRequest
from conformance.suites.checks import roles_said
from conformance.suites.marks import both_sides, by_openers, requirement
from conformance.suites.messages import converse, flaws
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import (
    gather,
    redirecting,
)
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.layers import RFC4571, RawStunAttribute


@both_sides
@requirement("RFC8489-14.8-10", "RFC8489-6.3.1.1-03", "RFC6544-7.2-s01", needs="offers:passive")
def test_every_unknown_required_attribute_is_named(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with three unknown comprehension-required attributes
    then    the IUT answers with error 420 and names them all."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    types = [UNKNOWN_REQUIRED - n for n in range(3)]
    strange = [RawStunAttribute(type=kind, value=bytes(kind & 3)) for kind in types]
    connection.send(RFC4571() / peer.check(iut, attributes=strange))
    error = connection.await_frame(BindingError(420), within=pixit.response)
    assert set(error.stun.unknown_attributes or ()) == set(types), f"it names {error.stun.unknown_attributes}"


@both_sides
@by_openers
@requirement("RFC8489-14.8-01")
def test_reason_phrase_is_short_utf_8(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    each reason phrase is UTF-8 of less than 128 characters."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "a reason of UTF-8 in less than 128 characters")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.8-02")
def test_reserved_bits_of_error_code_are_zero(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    the bits before the class of each error code are zero."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "zeros before the class of ERROR-CODE")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.8-04")
def test_error_class_is_from_3_to_6(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    the class of each error code is 3 to 6."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "an error class from 3 to 6")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.8-05")
def test_error_number_is_from_0_to_99(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    the number of each error code is 0 to 99."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "an error number from 0 to 99")
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8489-14.8-03", needs="connects:active")
def test_role_conflict_with_reserved_bits_is_heeded(upper, peer, side, pixit):
    """with    the IUT's check on a connection
    when    a 487 (Role Conflict) comes in whose ERROR-CODE bits are set that a receiver ignores
    then    the IUT checks again in the other role."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    conflict = peer.error(request, 487, "Role Conflict")
    conflict.attributes[0].value = b"\xff\xff" + bytes(conflict.attributes[0].value)[2:]
    connection.send(RFC4571() / conflict)
    assert peer.wait_until(lambda: len(roles_said(peer)) == 2, pixit.response), "the IUT kept its role"


@requirement("RFC8489-14.8-08", needs="connects:active sides:offerer")
def test_check_answered_by_400_is_not_sent_again(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    an authenticated error 400 answers it
    then    the same request does not come again on this connection."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.error(request, 400, "Bad Request"))
    connection.expect_nothing(BindingRequest, within=pixit.retransmission)


@both_sides
@requirement("RFC8489-14.8-07")
def test_unauthenticated_redirection_is_not_followed(upper, peer, side):
    """with    a TURN server that sends the IUT to another one by a 300 without integrity
    when    its description is there
    then    it has not asked the other server."""
    server, other = redirecting(peer)
    server.manner.unsigned = {300}
    gather(upper, peer, side, server, allocated=False)
    assert not other.asked, "the IUT went where an unauthenticated 300 sent it"

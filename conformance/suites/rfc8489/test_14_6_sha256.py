"""RFC 8489 sections 14.6 and 9: MESSAGE-INTEGRITY-SHA256, of agents that use it."""

from __future__ import annotations

from conformance.peer.events import AnyResponse, BindingRequest
from conformance.suites.checks import expect_no_valid_pair, needs_valid_pairs_to_show
from conformance.suites.marks import both_sides, requirement
from conformance.suites.messages import answer_by_sha256, by_sha256, first_check, sha256_of
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.verdict import JudgedElsewhere
from conformance.wire.attributes import Attribute
from conformance.wire.integrity import Check, check_integrity_sha256, short_term_key
from conformance.wire.layers import RFC4571, RawStunAttribute, binding_success


@both_sides
@requirement("RFC8489-14.6-01", needs="offers:passive")
def test_size_of_message_integrity_sha256(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check with MESSAGE-INTEGRITY-SHA256 has been answered by the same
    then    it has at least 16 octets, at most 32, and a multiple of 4."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    value = sha256_of(answer_by_sha256(peer, iut).stun).value
    assert len(value) in range(16, 33, 4), f"MESSAGE-INTEGRITY-SHA256 has {len(value)} octets"


@both_sides
@requirement("RFC8489-14.6-s01", "RFC8489-14.6-01", needs="offers:passive")
def test_message_integrity_sha256_is_not_truncated(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check with MESSAGE-INTEGRITY-SHA256 has been answered by the same
    then    it has all its 32 octets, for ICE does not allow less."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    value = sha256_of(answer_by_sha256(peer, iut).stun).value
    assert len(value) == 32, f"MESSAGE-INTEGRITY-SHA256 has {len(value)} octets"


@both_sides
@requirement("RFC8489-14.6-s02", needs="offers:passive")
def test_message_integrity_sha256_is_right(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check with MESSAGE-INTEGRITY-SHA256 has been answered by the same
    then    it is that of the message before it under the IUT's password."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    response = answer_by_sha256(peer, iut)
    if len(sha256_of(response.stun).value) != 32:
        raise JudgedElsewhere("it is truncated", case="RFC8489-14.6/message_integrity_sha256_is_not_truncated")
    found = check_integrity_sha256(response.octets, short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY-SHA256 is {found}"


@both_sides
@requirement("RFC8489-9.1.3-10", needs="offers:passive")
def test_sha256_is_answered_by_sha256(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check is answered with success that has MESSAGE-INTEGRITY-SHA256 alone
    then    the response has it too. Who does not know it, as by RFC 5389, refuses the check."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    response = answer_by_sha256(peer, iut)
    known = response.stun.is_error or response.stun.has(Attribute.MESSAGE_INTEGRITY_SHA256)
    assert known, "the success response has no MESSAGE-INTEGRITY-SHA256"


@both_sides
@requirement("RFC8489-9-02", needs="offers:passive")
def test_attribute_behind_sha256_is_ignored(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an unknown required attribute behind MESSAGE-INTEGRITY-SHA256, its only integrity
    then    no answer of the IUT's names this attribute as unknown."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    check = by_sha256(peer.check(iut), iut.pwd)
    check.attributes.insert(-1, RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7"))
    connection.send(RFC4571() / check)
    response = connection.await_frame(AnyResponse, within=pixit.response)
    named = response.stun.unknown_attributes or ()
    assert UNKNOWN_REQUIRED not in named, f"UNKNOWN-ATTRIBUTES names {named}"


@requirement("RFC8489-9.1.4-01", "RFC8489-9.1.4-04", needs="connects:active sides:offerer")
def test_response_by_the_other_algorithm_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's check, whose only integrity is MESSAGE-INTEGRITY
    when    the success response to it has MESSAGE-INTEGRITY-SHA256 alone
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, request)
    success = binding_success(request.stun.transaction_id, connection.seen_from, peer.pwd)
    connection.send(RFC4571() / by_sha256(success, peer.pwd))
    expect_no_valid_pair(upper, peer, request)


@both_sides
@requirement("RFC8489-9.1.5-01", needs="connects:active")
def test_later_requests_keep_to_the_algorithm(upper, peer, side, pixit):
    """with    the IUT's first check having both kinds of integrity, and our response MESSAGE-INTEGRITY alone
    when    further requests come on this connection
    then    none has MESSAGE-INTEGRITY-SHA256. An IUT that never sends both has nothing to keep to."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    sha256_of(request.stun)
    peer.complete(iut, connection)
    later = [check for check in peer.checks() if check is not request]
    both = [check for check in later if check.stun.has(Attribute.MESSAGE_INTEGRITY_SHA256)]
    assert not both, f"{both[0]} has MESSAGE-INTEGRITY-SHA256"

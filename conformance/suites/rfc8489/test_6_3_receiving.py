"""RFC 8489 section 6.3: what is looked at in every message."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import (
    expect_answer,
    expect_no_valid_pair,
    expect_refusal,
    needs_valid_pairs_to_show,
)
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement
from conformance.suites.media import await_delivered
from conformance.suites.negotiation import negotiate
from conformance.suites.values import MALFORMED, UNKNOWN_OPTIONAL, UNKNOWN_REQUIRED
from conformance.wire.layers import (
    RFC4571,
    ErrorCode,
    Nonce,
    RawStunAttribute,
    Realm,
    UnknownAttributes,
    binding_success,
)
from conformance.wire.rfc4571 import frame

_OUT_OF_PLACE = {  # known attributes that a Binding request has no use for
    "ERROR-CODE": ErrorCode(code=400, reason="Bad Request"),
    "NONCE": Nonce(value="nonce"),
    "REALM": Realm(value="realm"),
    "UNKNOWN-ATTRIBUTES": UnknownAttributes(types=(7,)),
}


@both_sides
@requirement("RFC8489-6.3-01", "RFC6544-7.2-s01", needs="offers:passive")
def test_unknown_optional_attribute_is_ignored(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an unknown comprehension-optional attribute
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_OPTIONAL, value=b"any value")
    connection.send(RFC4571() / peer.check(iut, attributes=[strange]))
    expect_answer(peer, iut, connection)


@both_sides
@requirement("RFC8489-6.3-s04", "RFC6544-7.2-s01", needs="offers:passive")
def test_request_with_a_wrong_fingerprint_is_not_answered(upper, peer, side, pixit):
    """with    a connection on which a check has been answered
    when    a request arrives whose FINGERPRINT is wrong, and then a right one
    then    only the right one is answered, for what is not STUN by its FINGERPRINT is discarded."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    peer.wait_for_own_check(iut, connection)  # before that, what is not STUN may end the connection (section 7.1)
    wrong = bytearray(bytes(peer.check(iut, transaction_id=b"wrong-crc-32")))
    wrong[-1] ^= 1
    right = peer.check(iut)
    connection.send(frame(bytes(wrong)) + bytes(RFC4571() / right))
    connection.await_frame(BindingSuccess(right.transaction_id), within=pixit.response)
    peer.wait_for_own_check(iut, connection)  # before that, what is not STUN may end the connection (section 7.1)
    answers = connection.messages(transaction_id=b"wrong-crc-32")
    assert not answers, f"the request with a wrong FINGERPRINT was answered by {answers[0]}"


@requirement("RFC8489-6.3-s04", "RFC8445-7.3-08", needs="connects:active sides:offerer")
def test_success_with_a_wrong_fingerprint_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    a success response comes that is right but for its FINGERPRINT
    then    the IUT does not nominate the pair, for what is not STUN by its FINGERPRINT is discarded."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    wrong = bytearray(bytes(peer.success(connection, request)))
    wrong[-1] ^= 1
    connection.send(frame(bytes(wrong)))
    expect_no_valid_pair(upper, peer, request)


@pytest.mark.parametrize("what", sorted(MALFORMED))
@requirement("RFC8489-6.3-s01", "RFC6544-7.2-s01", needs="sides:answerer offers:passive")
def test_malformed_message_is_discarded(upper, peer, what, pixit):
    """with    a connection on which a check has been answered
    when    a STUN message that is not well formed arrives, and then a check
    then    the check is answered, whether the other is discarded or refused as malformed (RFC 8489 section 14.8)."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    peer.wait_for_own_check(iut, connection)  # before that, what is not STUN may end the connection (section 7.1)
    connection.send(frame(MALFORMED[what]))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    connection.expect(BindingSuccess(request.transaction_id), within=pixit.response)


@both_sides
@requirement("RFC8489-6.3-s05", "RFC6544-10.2-s01", needs="payload:raw reports:data")
def test_data_is_told_from_stun_whatever_it_begins_with(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    frames arrive that begin with each octet there is, or are STUN but for a length or FINGERPRINT that is wrong
    then    the IUT's application receives all of them."""
    selected = establish(upper, peer, side, media="bytes")
    await_delivered(upper, peer, selected)
    check = bytes(peer.check(peer.iut))
    portions = [*(bytes([first]) * 24 for first in range(256)), check + bytes(4), check[:-1] + bytes([check[-1] ^ 1])]
    selected.send(b"".join(map(frame, portions)))
    upper.expect_data(b"".join(portions), within=pixit.response)


@requirement("RFC8489-6.3-s03", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_response_of_another_transaction_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    a success response comes whose transaction id is another
    then    the IUT does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    other = bytes(octet ^ 0xFF for octet in request.stun.transaction_id)
    connection.send(RFC4571() / binding_success(other, connection.seen_from, peer.pwd))
    expect_no_valid_pair(upper, peer, request)


@pytest.mark.parametrize("which", sorted(_OUT_OF_PLACE))
@requirement("RFC8489-6.3-02", needs="offers:passive sides:answerer")
def test_known_attribute_out_of_place_is_ignored(upper, peer, which):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with a known attribute that belongs into other messages
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, attributes=[_OUT_OF_PLACE[which].copy()]))
    expect_answer(peer, iut, connection)


@both_sides
@requirement("RFC8489-6.3-01", needs="offers:passive")
def test_unknown_optional_attribute_of_3000_octets_is_ignored(upper, peer, side):
    """with    a connection to the IUT's passive candidate, and nothing selected yet
    when    a check arrives with an unknown comprehension-optional attribute of 3,000 octets
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    long = RawStunAttribute(type=UNKNOWN_OPTIONAL, value=bytes(3000))
    connection.send(RFC4571() / peer.check(iut, attributes=[long]))
    expect_answer(peer, iut, connection)


@both_sides
@requirement("RFC8489-6.3-s06", needs="offers:passive")
def test_credentials_are_checked_before_unknown_attributes(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with a wrong password and an unknown comprehension-required attribute
    then    the IUT answers with the error of wrong credentials, not with 420."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    connection.send(RFC4571() / peer.check(iut, password="wrong" * 5, attributes=[strange]))
    expect_refusal(peer, iut, connection, 400, 401)

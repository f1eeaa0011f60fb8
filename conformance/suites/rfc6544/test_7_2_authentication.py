"""RFC 6544 section 7.2: whose checks the IUT accepts, when, and how its refusals look."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess, Data
from conformance.suites.checks import expect_answer, expect_check, expect_refusal, expect_right_success, other_names
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.media import came
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA, MALFORMED, UNKNOWN_OPTIONAL, UNKNOWN_REQUIRED
from conformance.wire.attributes import Attribute
from conformance.wire.integrity import Check, short_term_key
from conformance.wire.layers import RFC4571, RawStunAttribute
from conformance.wire.rfc4571 import frame


@pytest.mark.parametrize("name", ["longer", "other-case", "reversed", "shorter"])
@requirement("RFC6544-7.2-s01", needs="sides:answerer offers:passive")
def test_user_name_like_the_iuts_is_refused_with_401(upper, peer, name):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose user name begins with something like the IUT's fragment
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, username=other_names(iut, peer)[name]))
    expect_refusal(peer, iut, channel, 401)


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_request_without_user_name_is_refused_with_400(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with MESSAGE-INTEGRITY but without USERNAME
    then    the IUT answers with error 400."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, username=None))
    expect_refusal(peer, iut, channel, 400)


@requirement("RFC6544-7.2-s01", needs="offers:passive sides:answerer")
def test_nomination_with_a_wrong_password_is_refused(upper, peer, pixit):
    """with    the IUT controlled, and a pair that is valid on both sides
    when    a nomination arrives whose integrity is made with another password
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.await_frame(BindingSuccess, within=pixit.response)
    channel.send(RFC4571() / peer.check(iut, use_candidate=True, password="wrong" * 5))
    expect_refusal(peer, iut, channel, 401)


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_wrong_password_on_the_selected_connection_is_refused(upper, peer, side, pixit):
    """with    ICE completed on a connection that we opened
    when    a request arrives on it whose integrity is made with another password
    then    the IUT answers with error 401."""
    selected = establish(upper, peer, side, opener="tester")
    request = peer.check(peer.iut, password="wrong" * 5)
    selected.send(RFC4571() / request)
    selected.expect(BindingError(401, transaction_id=request.transaction_id), within=pixit.response)


@requirement("RFC6544-7.2-s01", "RFC6544-7.2-s02", needs="offers:passive sides:offerer")
def test_wrong_password_before_the_answer_is_refused(upper, peer, pixit):
    """with    the IUT's offer out, and a request with a wrong password sent before our answer
    when    the IUT has got our answer
    then    the request has been, or is, answered with error 401."""
    offer = upper.offer()
    channel = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    channel.send(RFC4571() / peer.check(offer, password="wrong" * 5))
    channel.wait_for(AnyResponse, within=pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    expect_refusal(peer, offer, channel, 401)


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_refused_check_triggers_none(upper, peer, side, pixit):
    """with    a check answered on one connection, and another connection to the IUT's passive candidate
    when    a request with a wrong password arrives on the other
    then    it is refused there as well, and no check of the IUT's follows on this connection."""
    peer.answering = False  # or a controlling IUT may complete on the first
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    first, second = (peer.connect(iut.candidate(tcptype="passive")) for _ in range(2))
    first.send(RFC4571() / peer.check(iut))
    first.wait_for(BindingSuccess, within=pixit.response)
    second.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    second.await_frame(BindingError(401), within=pixit.response)
    second.expect_nothing(BindingRequest, within=pixit.silence)


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_refusal_of_credentials_has_fingerprint_and_no_integrity(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request has been refused for its wrong password
    then    the error response has a right FINGERPRINT, and no MESSAGE-INTEGRITY, there being no shared secret."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    error = channel.await_frame(BindingError(401), within=pixit.response)
    assert error.fingerprint is Check.VALID, "FINGERPRINT is not right"
    assert not error.stun.has(Attribute.MESSAGE_INTEGRITY), "the refusal has a MESSAGE-INTEGRITY"


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_every_unknown_required_attribute_is_named(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with three unknown comprehension-required attributes
    then    the IUT answers with error 420 and names them all."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    types = [UNKNOWN_REQUIRED - n for n in range(3)]
    strange = [RawStunAttribute(type=kind, value=bytes(kind & 3)) for kind in types]
    channel.send(RFC4571() / peer.check(iut, attributes=strange))
    error = channel.await_frame(BindingError(420), within=pixit.response)
    assert set(error.stun.unknown_attributes or ()) == set(types), f"it names {error.stun.unknown_attributes}"


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_unknown_optional_attribute_is_ignored(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an unknown comprehension-optional attribute
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_OPTIONAL, value=b"any value")
    channel.send(RFC4571() / peer.check(iut, attributes=[strange]))
    expect_answer(peer, iut, channel)


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_response_has_no_user_name(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    the response has no USERNAME."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    response = channel.await_frame(BindingSuccess, within=pixit.response)
    assert not response.stun.has(Attribute.USERNAME), f"USERNAME is {response.stun.username}"


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_request_with_a_wrong_fingerprint_is_not_answered(upper, peer, side, pixit):
    """with    a connection on which a check has been answered
    when    a request arrives whose FINGERPRINT is wrong, and then a right one
    then    only the right one is answered, for what is not STUN by its FINGERPRINT is discarded."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.await_frame(BindingSuccess, within=pixit.response)
    wrong = bytearray(bytes(peer.check(iut, transaction_id=b"wrong-crc-32")))
    wrong[-1] ^= 1
    channel.send(frame(bytes(wrong)) + bytes(RFC4571() / peer.check(iut)))
    channel.await_frame(BindingSuccess, within=pixit.response)
    answers = channel.messages(transaction_id=b"wrong-crc-32")
    assert not answers, f"the request with a wrong FINGERPRINT was answered by {answers[0]}"


@pytest.mark.parametrize("what", sorted(MALFORMED))
@requirement("RFC6544-7.2-s01", needs="sides:answerer offers:passive")
def test_malformed_message_is_discarded(upper, peer, what, pixit):
    """with    a connection on which a check has been answered
    when    a STUN message that is not well formed arrives, and then a check
    then    the check is answered, whether the other is discarded or refused as malformed (RFC 8489 section 14.8)."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.await_frame(BindingSuccess, within=pixit.response)
    channel.send(frame(MALFORMED[what]))
    request = peer.check(iut)
    channel.send(RFC4571() / request)
    channel.expect(BindingSuccess(request.transaction_id), within=pixit.response)


@varied("family", "roles", side="answerer")
@requirement("RFC6544-7.2-s01", needs="offers:passive components:2 sides:answerer")
def test_check_of_the_second_component_is_answered(upper, peer, pixit):
    """with    a connection to the passive candidate of the IUT's second component
    when    a check arrives
    then    it is answered with success, with the right address and protections."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", components=2)
    channel = peer.connect(iut.candidate(tcptype="passive", component=2))
    channel.send(RFC4571() / peer.check(iut, component=2))
    expect_right_success(channel, iut, within=pixit.response)


@both_sides
@requirement("RFC6544-7.2-s01", needs="connects:active")
def test_response_on_an_opened_connection_is_right(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    a check of ours has been answered on it
    then    the response has the right address and protections."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    channel = peer.await_connection()
    channel.send(RFC4571() / peer.check(iut))
    expect_right_success(channel, iut, within=pixit.response)


@pytest.mark.parametrize("agent", ["full", "lite"])
@requirement("RFC6544-7.2-s01", needs="offers:passive sides:answerer payload:raw")
def test_our_nomination_is_followed(upper, peer, agent):
    """with    the IUT controlled, two connections of ours, and the first one checked
    when    we check and nominate the second
    then    its application's data comes over the second."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", agent=agent)
    first, second = (peer.connect(iut.candidate(tcptype="passive")) for _ in range(2))
    first.send(RFC4571() / peer.check(iut))
    peer.complete(iut, second)
    assert came(upper, peer, second, DATA), "the data did not come over the nominated connection"


@requirement("RFC6544-7.2-s01", needs="agent:lite offers:passive sides:answerer payload:raw")
def test_lite_agent_uses_no_pair_before_our_nomination(upper, peer, pixit):
    """with    a lite IUT, and a check of ours answered that does not nominate
    when    the IUT's application wants to send data
    then    none comes over the connection."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", agent="lite")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.wait_for(BindingSuccess, within=pixit.response)
    upper.try_to_send(DATA)
    channel.expect_nothing(Data, within=pixit.silence)


@varied("components")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_checks_on_further_connections_trigger_checks(upper, peer, side):
    """with    connections to the passive candidate of the IUT's last component
    when    each has brought a check
    then    the IUT sends a check of its own on each of them."""
    peer.answering = False  # or a controlling IUT may complete on the first
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    passive = iut.candidate(tcptype="passive", component=peer.shape.components)
    first, second = peer.connect(passive), peer.connect(passive)
    first.send(RFC4571() / peer.check(iut, component=first.component))
    expect_check(peer, iut, first)
    second.send(RFC4571() / peer.check(iut, component=second.component))
    expect_check(peer, iut, second)


@both_sides
@requirement("RFC6544-7.2-s01", needs="offers:passive role:stack")
def test_role_conflict_error_is_protected(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check that claims the IUT's own role has been refused
    then    the error 487 has a right MESSAGE-INTEGRITY under the IUT's password, and FINGERPRINT."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.controlling = not peer.controlling
    peer.tie_breaker = 0 if peer.controlling else 2**64 - 1
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    error = channel.await_frame(BindingError(487), within=pixit.response)
    assert error.integrity(short_term_key(iut.pwd)) is Check.VALID, "MESSAGE-INTEGRITY is not right"
    assert error.fingerprint is Check.VALID, "FINGERPRINT is not right"


@pytest.mark.parametrize(("side", "role"), [("offerer", "controlled"), ("answerer", "controlling")])
@requirement("RFC6544-7.2-s01", needs="offers:passive role:stack")
def test_role_conflict_that_the_iut_loses_switches_its_role(upper, peer, side, role, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check claims the IUT's role with a tie-breaker by which the IUT loses it
    then    the IUT answers with success, and its own check claims the other role."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.switch_roles()
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.expect(BindingSuccess, within=pixit.response)
    request = channel.await_frame(BindingRequest, within=pixit.connect)
    assert getattr(request.stun, f"ice_{role}") is not None, f"its check does not claim to be {role}"

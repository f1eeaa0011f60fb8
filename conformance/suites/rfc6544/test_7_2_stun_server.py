"""RFC 6544 section 7.2: the IUT accepts connections and answers checks."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingError, BindingSuccess
from conformance.suites.checks import await_success, expect_answer, expect_answer_octets, expect_check, expect_refusal
from conformance.suites.framing import await_answer_octets, misframed
from conformance.suites.marks import EVERY_CUT, both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.values import ELSEWHERE, UNKNOWN_REQUIRED
from conformance.wire.integrity import Check, short_term_key
from conformance.wire.layers import RFC4571, RawStunAttribute, binding_indication


@both_sides
@requirement("RFC6544-7.2-03", needs="offers:passive")
def test_request_without_a_frame_is_not_answered(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives without LENGTH before it
    then    it is not answered, for to who reads frames it is none."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(peer.check(iut, transaction_id=b"out-of-frame"))
    peer.wait(pixit.silence)
    assert b"out-of-frame" not in channel.octets, "it was answered"


@varied("family", "roles", "segmentation", "components", "candidates", cuts=EVERY_CUT)
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_response_is_framed(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives in a frame
    then    the success response comes back in a frame."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    request = peer.check(iut)
    channel.send(RFC4571() / request)
    expect_answer_octets(peer, iut, channel, request)
    bare = misframed([channel]).unframed
    assert not bare, bare[0]


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_response_reports_where_the_request_came_from(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives
    then    it is answered with success, and XOR-MAPPED-ADDRESS is our end of the connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    response = channel.expect(BindingSuccess, within=pixit.response)
    assert response.xor_mapped_address == channel.local_address, f"it says {response.xor_mapped_address}"


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_response_is_protected(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    the response has a right MESSAGE-INTEGRITY under the IUT's password, and FINGERPRINT."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    response = channel.await_frame(BindingSuccess, within=pixit.response)
    found = response.integrity(short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"
    assert response.fingerprint is Check.VALID, "FINGERPRINT is not right"


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_length_field_split_between_segments(upper, peer, side, pixit):
    """with    the IUT offering a passive host candidate
    when    a Binding request arrives with its frame length in two segments
    then    the IUT answers once, on the same connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut), cut=[1], pause=pixit.drip)
    expect_answer(peer, iut, channel)
    channel.expect_nothing(AnyResponse, within=pixit.silence)


@varied("family", "roles", "components", "candidates")
@pytest.mark.parametrize(
    "cut", [(2,), (10,), (22,), (-1,)], ids=["behind-length", "in-header", "behind-header", "last-octet"]
)
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_request_split_between_segments(upper, peer, side, pixit, cut):
    """with    a connection to the IUT's passive candidate
    when    the frame with a check comes in two segments
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut), cut=cut, pause=pixit.drip)
    expect_answer(peer, iut, channel)


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_request_octet_by_octet(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives octet by octet
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    request = bytes(RFC4571() / peer.check(iut))
    channel.send(request, cut=range(1, len(request)), pause=0.001)
    expect_answer(peer, iut, channel)


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_two_requests_in_one_segment(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    two checks arrive in one segment
    then    the IUT answers both."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    checks = [peer.check(iut) for _ in range(2)]
    channel.send(b"".join(bytes(RFC4571() / check) for check in checks))
    expect_answer(peer, iut, channel, *checks)


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC6544-7.2-s02", needs="offers:passive sides:offerer")
def test_check_before_the_answer_is_answered(upper, peer, pixit):
    """with    the IUT's offer out, and a check sent before our answer
    when    the IUT has got our answer
    then    the check has been, or is, answered with success."""
    offer = upper.offer()
    channel = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    channel.send(RFC4571() / peer.check(offer))
    channel.wait_for(BindingSuccess, within=pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    expect_answer(peer, offer, channel)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_check_triggers_a_check_on_the_same_connection(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate from our active one
    when    our check has been answered
    then    the IUT sends a check of its own on this connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))
    channel.await_frame(BindingSuccess, within=pixit.response)
    expect_check(peer, iut, channel)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_wrong_password_is_refused_with_401(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose integrity is made with another password
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    expect_refusal(peer, iut, channel, 401)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_wrong_user_name_is_refused_with_401(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose user name does not begin with the IUT's fragment
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, username=f"nobody:{peer.ufrag}"))
    expect_refusal(peer, iut, channel, 401)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_request_without_integrity_is_refused_with_400(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives without MESSAGE-INTEGRITY
    then    the IUT answers with error 400."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, password=None))
    expect_refusal(peer, iut, channel, 400)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_unknown_required_attribute_is_refused_with_420(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with an unknown comprehension-required attribute
    then    the IUT answers with error 420 and names the attribute."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    channel.send(RFC4571() / peer.check(iut, attributes=[strange]))
    error = expect_refusal(peer, iut, channel, 420)
    assert error.stun.unknown_attributes == (UNKNOWN_REQUIRED,), f"UNKNOWN-ATTRIBUTES: {error.stun.unknown_attributes}"


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_error_to_an_authenticated_request_is_protected(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request with right credentials has been refused for an unknown required attribute
    then    the error response has a right MESSAGE-INTEGRITY under the IUT's password."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    channel.send(RFC4571() / peer.check(iut, attributes=[strange]))
    error = channel.await_frame(BindingError(420), within=pixit.response)
    found = error.integrity(short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY is {found}"


@pytest.mark.parametrize(("side", "controlling", "tie_breaker"), [("offerer", True, 0), ("answerer", False, 2**64 - 1)])
@requirement("RFC6544-7.2-s01", needs="offers:passive role:stack")
def test_role_conflict_is_refused_with_487(upper, peer, side, controlling, tie_breaker):
    """with    a connection to the IUT's passive candidate
    when    a check claims the IUT's own role with a tie-breaker by which the IUT keeps it
    then    the IUT answers with error 487."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.tie_breaker = tie_breaker
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut, controlling=controlling))
    expect_refusal(peer, iut, channel, 487)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-7.2-03", needs="offers:passive")
def test_framing_lasts_beyond_selection(upper, peer, side):
    """with    ICE completed on a connection that we opened
    when    a further check arrives on it
    then    the response comes in a frame."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    request = peer.check(iut)
    selected.send(RFC4571() / request)
    await_answer_octets(peer, selected, request.transaction_id)
    bare = misframed([selected]).unframed
    assert not bare, bare[0]


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.2-s03", needs="offers:passive")
def test_request_from_an_unknown_address_is_followed_by_a_check(upper, peer, side):
    """with    our description holding nothing but an active candidate of another address
    when    we connect to the IUT's passive candidate all the same and send a check
    then    the IUT takes the address for a peer-reflexive candidate and sends a check on this connection."""
    elsewhere = peer.candidate("active", address=ELSEWHERE[peer.shape.family])
    iut = negotiate(upper, peer, side, peer_candidates=[elsewhere])
    channel = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, channel)
    expect_check(peer, iut, channel)


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC6544-7.2-s02", needs="offers:passive sides:offerer")
def test_check_before_the_answer_is_followed_up(upper, peer, pixit):
    """with    the IUT's offer out, and a check sent before our answer
    when    the IUT has got our answer
    then    it sends a check of its own on the connection of the early one."""
    offer = upper.offer()
    channel = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    channel.send(RFC4571() / peer.check(offer))
    channel.wait_for(BindingSuccess, within=pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    expect_check(peer, offer, channel)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-7.2-s01", needs="offers:passive")
def test_indication_is_not_answered(upper, peer, side, pixit):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    channel = peer.connect(iut.candidate(tcptype="passive"))
    channel.send(RFC4571() / peer.check(iut))  # an IUT may expect a check first of a connection
    channel.await_frame(BindingSuccess, within=pixit.response)
    channel.send(RFC4571() / binding_indication(transaction_id=b"indication!!"))
    channel.send(RFC4571() / peer.check(iut))
    channel.await_frame(BindingSuccess, within=pixit.response)
    answers = channel.messages(transaction_id=b"indication!!")
    assert not answers, f"the indication was answered by {answers[0]}"

"""RFC 8489 section 9.1.3: requests whose credentials are wrong or missing."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess
from conformance.suites.check_contents import answered_check
from conformance.suites.checks import (
    expect_refusal,
    other_names,
)
from conformance.suites.establishing import connect_twice, establish
from conformance.suites.marks import both_sides, on_other_connections, requirement, varied
from conformance.suites.messages import (
    answer_by_sha256,
    as_indication,
    expect_discarded,
)
from conformance.suites.negotiation import negotiate
from conformance.wire.attributes import Attribute
from conformance.wire.layers import RFC4571


@pytest.mark.parametrize("name", ["longer", "other-case", "reversed", "shorter"])
@requirement(
    "RFC8489-9.1.3-05", "RFC8489-9.1.3-04", "RFC8445-7.3-04", "RFC6544-7.2-s01", needs="sides:answerer offers:passive"
)
def test_user_name_like_the_iuts_is_refused_with_401(upper, peer, name):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose user name begins with something like the IUT's fragment
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, username=other_names(iut, peer)[name]))
    expect_refusal(peer, iut, connection, 401)


@both_sides
@requirement("RFC8489-9.1.3-02", "RFC8489-9.1.3-01", "RFC6544-7.2-s01", needs="offers:passive")
def test_request_without_user_name_is_refused_with_400(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with MESSAGE-INTEGRITY but without USERNAME
    then    the IUT answers with error 400."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, username=None))
    expect_refusal(peer, iut, connection, 400)


@requirement("RFC8489-9.1.3-08", "RFC8489-9.1.3-07", "RFC6544-7.2-s01", needs="offers:passive sides:answerer")
def test_nomination_with_a_wrong_password_is_refused(upper, peer, pixit):
    """with    the IUT controlled, and a pair that is valid on both sides
    when    a nomination arrives whose integrity is made with another password
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.send(RFC4571() / peer.check(iut, use_candidate=True, password="wrong" * 5))
    expect_refusal(peer, iut, connection, 401)


@both_sides
@requirement("RFC8489-9.1.3-08", "RFC8489-9.1.3-07", "RFC6544-7.2-s01", needs="offers:passive")
def test_wrong_password_on_the_selected_connection_is_refused(upper, peer, side):
    """with    ICE completed on a connection that we opened
    when    a request arrives on it whose integrity is made with another password
    then    the IUT answers with error 401."""
    selected = establish(upper, peer, side, opener="tester")
    request = peer.check(peer.iut, password="wrong" * 5)
    selected.send(RFC4571() / request)
    expect_refusal(peer, upper.description, selected, 401, request=request)


@requirement(
    "RFC8489-9.1.3-08", "RFC8489-9.1.3-07", "RFC6544-7.2-s01", "RFC6544-7.2-s02", needs="offers:passive sides:offerer"
)
def test_wrong_password_before_the_answer_is_refused(upper, peer, pixit):
    """with    the IUT's offer out, and a request with a wrong password sent before our answer
    when    the IUT has got our answer
    then    the request has been, or is, answered with error 401."""
    offer = upper.offer()
    connection = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    connection.send(RFC4571() / peer.check(offer, password="wrong" * 5))
    connection.wait_for(AnyResponse, within=pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    expect_refusal(peer, offer, connection, 401)


@both_sides
@requirement("RFC8489-9.1.3-07", "RFC6544-7.2-s01", needs="offers:passive")
def test_refused_check_triggers_none(upper, peer, side, pixit):
    """with    a check answered on one connection, and another connection to the IUT's passive candidate
    when    a request with a wrong password arrives on the other
    then    it is refused there as well, and no check of the IUT's follows on this connection."""
    peer.answering = False  # or a controlling IUT may complete on the first
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    first, second = connect_twice(peer, iut)
    first.send(RFC4571() / peer.check(iut))
    first.wait_for(BindingSuccess, within=pixit.response)
    second.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    second.await_frame(BindingError(401), within=pixit.response)
    second.expect_nothing(BindingRequest, within=pixit.silence)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-9.1.3-08", "RFC8489-9.1.3-07", "RFC6544-7.2-s01", needs="offers:passive")
def test_wrong_password_is_refused_with_401(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose integrity is made with another password
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    expect_refusal(peer, iut, connection, 401)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-9.1.3-05", "RFC8489-9.1.3-04", "RFC6544-7.2-s01", needs="offers:passive")
def test_wrong_user_name_is_refused_with_401(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose user name does not begin with the IUT's fragment
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, username=f"nobody:{peer.ufrag}"))
    expect_refusal(peer, iut, connection, 401)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-9.1.3-02", "RFC8489-9.1.3-01", "RFC6544-7.2-s01", needs="offers:passive")
def test_request_without_integrity_is_refused_with_400(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives without MESSAGE-INTEGRITY
    then    the IUT answers with error 400."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, password=None))
    expect_refusal(peer, iut, connection, 400)


@pytest.mark.parametrize("where", ["behind-both", "behind-the-iuts"])
@requirement("RFC8489-9.1.3-04", "RFC8489-9.1.3-05", "RFC8445-7.3-04", needs="sides:answerer offers:passive")
def test_user_name_with_octets_behind_a_nul_is_refused_with_401(upper, peer, where):
    """with    a connection to the IUT's passive candidate
    when    a request arrives whose user name is right up to a NUL, but goes on behind it
    then    the IUT answers with error 401."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    names = {"behind-both": f"{iut.ufrag}:{peer.ufrag}\0x", "behind-the-iuts": f"{iut.ufrag}\0x:{peer.ufrag}"}
    connection.send(RFC4571() / peer.check(iut, username=names[where]))
    expect_refusal(peer, iut, connection, 401)


@both_sides
@requirement("RFC8489-9.1.3-s01", "RFC8489-9.1.3-02", needs="offers:passive")
def test_missing_integrity_comes_before_a_wrong_user_name(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives without integrity, and with a user name that is not the IUT's
    then    the IUT answers with error 400, not with 401."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, username="nobody:nowhere", password=None))
    expect_refusal(peer, iut, connection, 400)


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
@requirement("RFC8489-9.1.3-03", "RFC8489-6.3.2-s02", needs="offers:passive")
def test_indication_without_credentials_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives that has PRIORITY, but neither USERNAME nor integrity
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    indication = as_indication(peer.check(iut, username=None, password=None))
    expect_discarded(peer, iut, connection, indication)


@both_sides
@requirement("RFC8489-9.1.3-06", "RFC8489-6.3.2-s02", needs="offers:passive")
def test_indication_of_an_unknown_user_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives with a user name that is not the IUT's
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    expect_discarded(peer, iut, connection, as_indication(peer.check(iut, username="nobody:nowhere")))


@both_sides
@requirement("RFC8489-9.1.3-09", "RFC8489-6.3.2-s02", needs="offers:passive")
def test_indication_with_wrong_integrity_is_not_answered(upper, peer, side):
    """with    a connection on which a check has been answered
    when    a Binding indication arrives whose integrity is made with another password
    then    no response to it comes, and a further check is answered."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    expect_discarded(peer, iut, connection, as_indication(peer.check(iut, password="wrong" * 5)))


@both_sides
@on_other_connections
@requirement("RFC8489-9.1.3-07", "RFC6544-7.2-s01")
def test_wrong_password_on_another_connection_is_refused(upper, peer, side, where):
    """with    a connection of the IUT's, to its second component or stream, S-O, relayed, restarted or selected
    when    a request arrives on it whose integrity is made with another password
    then    the IUT answers with an error."""
    connection, iut, _ = answered_check(upper, peer, side, where)
    request = peer.check(iut, component=connection.component, password="wrong" * 5)
    connection.send(RFC4571() / request)
    expect_refusal(peer, iut, connection, request=request)

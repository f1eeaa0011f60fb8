"""RFC 8445 section 7.3: requests that come before the answer, and the protection of responses."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingError, BindingRequest, BindingSuccess
from conformance.suites.check_contents import answered_check, conflicting_check
from conformance.suites.checks import (
    await_success,
    expect_check,
    expect_refusal,
    expect_successes,
)
from conformance.suites.marks import both_sides, on_other_connections, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.integrity import Check
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import frame

_FLAWS = {"wrong": lambda _: "wrong" * 5, "ours": lambda peer: peer.pwd, "unprotected": lambda _: None}


@both_sides
@requirement("RFC8445-7.3-01", "RFC6544-7.2-01", needs="offers:passive obeys:addresses")
def test_requests_are_taken_on_every_candidate(upper, peer, side):
    """with    the IUT on two addresses
    when    we connect to its passive candidate on each and send a check
    then    each check is answered with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", addresses=upper.two_addresses())
    expect_successes(peer, iut, peer.expect_all_accepted(iut.candidates(tcptype="passive", type="host")))


@both_sides
@pytest.mark.parametrize("flaw", sorted(_FLAWS))
@requirement("RFC8445-7.3-02", "RFC8489-9.1.3-07", needs="connects:active")
def test_requests_on_opened_connections_are_authenticated(upper, peer, side, flaw, pixit):
    """with    a connection that the IUT has opened
    when    a check arrives there whose password is wrong, or ours, or that is not protected at all
    then    the IUT refuses it."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.wait_for(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.check(iut, password=_FLAWS[flaw](peer)))
    expect_refusal(peer, iut, connection, 400, 401)


@both_sides
@requirement("RFC8445-7.3-07", needs="offers:passive")
def test_request_of_rfc3489_is_not_answered(upper, peer, side, rng, pixit):
    """with    a check answered on a connection to the IUT's passive candidate
    when    a Binding request of RFC 3489 arrives there, which has no magic cookie
    then    nothing answers it."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, connection)
    identifier = rng.randbytes(16)
    connection.send(frame(bytes.fromhex("0001 0000") + identifier))
    peer.wait(pixit.silence)
    assert identifier[4:] not in connection.octets, "something with the id of the request came back"


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC8445-7.3-05", "RFC8839-4.2.4-01", "RFC6544-7.2-s02", needs="offers:passive sides:offerer")
def test_check_before_the_answer_is_answered(upper, peer):
    """with    the IUT's offer out, and no answer of ours yet
    when    a check arrives
    then    it is answered with success at once."""
    offer = upper.offer()
    connection = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    expect_successes(peer, offer, [connection])


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC8445-7.3-06", "RFC6544-7.2-s02", needs="offers:passive sides:offerer")
def test_check_before_the_answer_is_followed_up(upper, peer, pixit):
    """with    the IUT's offer out, and a check sent before our answer
    when    the IUT has got our answer
    then    it sends a check of its own on the connection of the early one."""
    offer = upper.offer()
    connection = peer.connect(offer.candidate(tcptype="passive"))
    peer.controlling = False
    connection.send(RFC4571() / peer.check(offer))
    connection.wait_for(BindingSuccess, within=pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    expect_check(peer, offer, connection)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8445-7.3-08", "RFC6544-7.2-s01", needs="offers:passive")
def test_response_has_a_fingerprint(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    the response has a right FINGERPRINT."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(BindingSuccess, within=pixit.response)
    assert response.fingerprint is Check.VALID, f"FINGERPRINT is {response.fingerprint}"


@both_sides
@on_other_connections
@requirement("RFC8445-7.3-08", "RFC6544-7.2-s01")
def test_response_on_another_connection_has_a_fingerprint(upper, peer, side, where):
    """with    a connection of the IUT's, to its second component or stream, S-O, relayed, restarted or selected
    when    a check has been answered with success
    then    the response has a right FINGERPRINT."""
    _, _, response = answered_check(upper, peer, side, where)
    assert response.fingerprint is Check.VALID, f"FINGERPRINT is {response.fingerprint}"


@both_sides
@requirement("RFC8445-7.3-08", "RFC6544-7.2-s01", needs="offers:passive")
def test_refusal_of_credentials_has_a_fingerprint(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request has been refused for its wrong password
    then    the error response has a right FINGERPRINT."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, password="wrong" * 5))
    error = connection.await_frame(BindingError, within=pixit.response)
    assert error.fingerprint is Check.VALID, f"FINGERPRINT is {error.fingerprint}"


@both_sides
@requirement("RFC8445-7.3-08", "RFC6544-7.2-s01", needs="offers:passive")
def test_role_conflict_error_has_a_fingerprint(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check that claims the IUT's own role has been refused
    then    the error 487 has a right FINGERPRINT."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / conflicting_check(peer, iut))
    error = connection.await_frame(BindingError, within=pixit.response)
    assert error.fingerprint is Check.VALID, f"FINGERPRINT is {error.fingerprint}"

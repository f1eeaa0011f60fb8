"""RFC 6544 section 7.1: checks are no part of (D)TLS, and its handshake comes after them."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.peer.secure import AnyDtls, Hello
from conformance.suites.framing import await_message_octets
from conformance.suites.marks import both_sides, in_pieces, requirement, varied
from conformance.suites.media import expect_completion, note_beginning
from conformance.suites.negotiation import negotiate_dtls
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-7.1-s05", needs="payload:dtls offers:passive")
def test_checks_on_an_accepted_connection_are_outside_dtls(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate, on which our check was answered
    when    the IUT checks in return
    then    its check is a STUN message in a frame of its own."""
    iut = negotiate_dtls(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.expect(BindingRequest, within=pixit.connect)


@both_sides
@requirement("RFC6544-7.1-s05", needs="payload:dtls connects:active")
def test_checks_on_an_opened_connection_are_outside_dtls(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its first frame arrives
    then    it is a check, a STUN message in a frame of its own."""
    negotiate_dtls(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    await_message_octets(peer, connection)
    request = connection.expect(BindingRequest, within=pixit.response)
    assert request.number == 1, f"{request.number - 1} frames came before the check"


@requirement("RFC6544-7.1-s06", "RFC6544-3-s03", needs="payload:dtls offers:passive sides:answerer")
def test_handshake_of_the_controlled_waits_for_a_success(upper, peer, pixit):
    """with    the IUT controlled, its own check on a connection unanswered
    when    some time passes, and then we answer the check and nominate the pair
    then    the IUT begins DTLS after the answer, not before."""
    peer.answering = False
    iut = negotiate_dtls(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.await_frame(BindingRequest, within=pixit.connect)
    connection.expect_nothing(AnyDtls, within=pixit.silence)
    peer.answer_held()
    note_beginning(peer, connection)
    connection.send(RFC4571() / peer.check(iut, use_candidate=True))
    connection.await_frame(Hello, within=pixit.complete)


@requirement("RFC6544-7.1-s06", "RFC6544-3-s03", needs="payload:dtls connects:active sides:offerer")
def test_handshake_of_the_controlling_waits_for_a_success(upper, peer, pixit):
    """with    the IUT controlling, its check on a connection unanswered
    when    some time passes, and then we answer the check, and whatever nomination follows
    then    the IUT begins DTLS after the answer, not before."""
    peer.answering = False
    negotiate_dtls(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    first = connection.await_frame(BindingRequest, within=pixit.response)
    connection.expect_nothing(AnyDtls, within=pixit.silence)
    peer.answer_only_on(connection)
    connection.send(RFC4571() / peer.success(connection, first))
    note_beginning(peer, connection)
    connection.await_frame(Hello, within=pixit.decides)


@varied("family", side="offerer")
@in_pieces
@requirement("RFC6544-7.1-03", "RFC4571-2-s01", needs="connects:active payload:dtls sides:offerer")
def test_response_in_pieces_leads_to_the_nomination(upper, peer, pixit, cut):
    """with    the controlling IUT's check on a connection
    when    the success response comes in pieces
    then    the pair has become valid: a nomination, a state or the ClientHello shows it."""
    peer.answering = False
    negotiate_dtls(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    peer.answer_only_on(connection)
    connection.send(RFC4571() / peer.success(connection, request), cut=cut, pause=pixit.drip / len(cut))
    expect_completion(upper, peer, connection)

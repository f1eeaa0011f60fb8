"""RFC 8489 section 6.2.2: STUN over TCP."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest, Repetition
from conformance.suites.checks import await_success, await_unanswered_nomination
from conformance.suites.marks import both_sides, requirement, varied, watches
from conformance.suites.media import expect_completion
from conformance.suites.messages import ask_and_end, expect_all_answered, expect_beginning
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.servers import NAT
from conformance.wire.layers import RFC4571


@varied("family", "candidates")
@requirement("RFC8489-6.2.2-s01", "RFC6544-7.1-s03", needs="connects:active")
def test_check_is_not_retransmitted(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, and we give no answer
    when    a UDP retransmission would long be due
    then    the request is not sent again."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.expect_nothing(Repetition(request), within=pixit.retransmission)


@both_sides
@requirement("RFC8489-6.2.2-s01", "RFC6544-7.1-s03", needs="offers:passive")
def test_triggered_check_is_not_retransmitted(upper, peer, side, pixit):
    """with    the IUT's check on a connection that we have opened, and we give no answer
    when    a UDP retransmission would long be due
    then    the request is not sent again."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    request = connection.await_frame(BindingRequest, within=pixit.connect)
    connection.expect_nothing(Repetition(request), within=pixit.retransmission)


@requirement("RFC8489-6.2.2-s01", "RFC6544-7.1-s03", needs="connects:active sides:offerer")
def test_nomination_is_not_retransmitted(upper, peer, pixit):
    """with    the controlling IUT's nomination on a connection, and we give no answer
    when    a UDP retransmission would long be due
    then    the request is not sent again."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    first = connection.await_frame(BindingRequest, within=pixit.response)
    nomination = await_unanswered_nomination(peer, connection, first)
    connection.expect_nothing(Repetition(nomination), within=pixit.retransmission)


@both_sides
@requirement("RFC8489-6.2.2-s01", "RFC6544-7.1-s03", needs="connects:active")
def test_silent_peer_gets_no_further_check(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, and its check there without an answer
    when    UDP retransmissions would long be due
    then    no other check comes on it either, whatever its transaction."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.expect_nothing(BindingRequest, within=pixit.retransmission)


@pytest.mark.parametrize("delay", [0.06, *(pytest.param(delay, marks=watches(delay)) for delay in (3.0, 20.0))])
@requirement("RFC8489-6.2.2-02", needs="connects:active sides:offerer")
def test_late_response_is_taken(upper, peer, delay):
    """with    the controlling IUT's check on a connection
    when    the success response comes late, but within Ti (39.5 s)
    then    the pair has become valid: a nomination, a state or data shows it."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=peer.pixit.response)
    peer.wait(delay)
    peer.answer_only_on(connection)
    connection.send(RFC4571() / peer.success(connection, request))
    expect_completion(upper, peer, connection)


@watches(3.0)
@requirement("RFC8489-6.2.2-06", needs="offers:passive sides:answerer")
def test_connection_stays_open_behind_the_response(upper, peer, pixit):
    """with    a check answered on a connection to the controlled IUT's passive candidate, and nothing nominated
    when    some seconds pass
    then    the IUT leaves it to us to close the connection."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, connection)
    connection.expect_open(within=pixit.response)


@both_sides
@requirement("RFC8489-6.2.2-07", needs="offers:passive")
def test_every_request_is_answered_before_the_connection_ends(upper, peer, side, pixit):
    """with    eight connections to the IUT's passive candidate
    when    five requests arrive at once on each, and FIN behind them
    then    the IUT answers each of them, however it ends the connections then."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connections = [peer.connect(iut.candidate(tcptype="passive")) for _ in range(8)]
    expect_all_answered(ask_and_end(peer, iut, connections), within=pixit.response)


@both_sides
@requirement("RFC8489-6.2.2-08", needs="offers:passive")
def test_no_connection_is_opened_for_a_response(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate from a port on which we listen, as an active candidate
    when    a check is followed by the end of the connection
    then    the IUT opens no connection to that port."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    source = peer.listen()
    connection = peer.connect(iut.candidate(tcptype="passive"), source=source)
    connection.send(RFC4571() / peer.check(iut))
    connection.half_close()
    peer.expect_no_connection(source, within=pixit.retransmission)


@both_sides
@requirement("RFC8489-6.2.2-s04")
def test_messages_to_a_stun_server_have_no_frames(upper, peer, side):
    """with    a STUN server that serves nothing but STUN
    when    the IUT asks it for an address
    then    its connection begins with a Binding request, not with the length of a frame."""
    server = peer.stun_server(mapped=NAT)
    obtain_description(upper, peer, side, ice_servers=[server.entry])
    expect_beginning(server, b"\0\1")

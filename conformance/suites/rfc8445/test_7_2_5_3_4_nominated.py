"""RFC 8445 sections 7.2.5.3.4 and 7.3.1.5: when a pair is nominated, and when it is not."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess, Data
from conformance.suites.checks import needs_regular_nomination, refuse_checks
from conformance.suites.driving import check_each
from conformance.suites.establishing import two_connections
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@requirement("RFC8445-7.2.5.3.4-01", needs="connects:active sides:offerer payload:raw")
def test_pair_of_a_failed_nomination_is_not_used(upper, peer, pixit):
    """with    the controlling IUT's first check answered with success, and its nomination with an error
    when    the IUT's application wants to send data
    then    none comes over the connection: the pair is not valid any more."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    connection.send(RFC4571() / peer.success(connection, request))
    nomination = peer.await_nomination(connection)
    refuse_checks(peer)
    connection.send(RFC4571() / peer.error(nomination, 400, "Bad Request"))
    peer.wait(pixit.silence)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)


@requirement("RFC8445-7.2.5.3.4-02", needs="connects:active sides:answerer payload:raw")
def test_nomination_whose_check_fails_selects_nothing(upper, peer, pixit):
    """with    the controlled IUT's checks answered with an error on a connection that it has opened
    when    we nominate there, and the IUT's application wants to send data
    then    none comes over the connection."""
    refuse_checks(peer)
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.check(iut, use_candidate=True))
    connection.wait_for(BindingSuccess, within=pixit.response)
    peer.wait(pixit.silence)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)


@requirement("RFC8445-7.2.5.3.4-s01", "RFC6544-8-02", needs="sides:offerer")
def test_nomination_without_an_answer_closes_nothing(upper, peer, pixit):
    """with    the IUT controlling, and two validated connections of one component
    when    it has nominated one of them, and we do not answer
    then    nothing is nominated yet: it closes neither."""
    peer.answering = False
    iut, connections = two_connections(upper, peer, "offerer")
    check_each(peer, iut, connections, BindingRequest)
    peer.answer_held()
    peer.answering = False
    peer.await_any_nomination()
    connections[0].expect_open(within=pixit.silence)
    connections[1].expect_open(within=0)

"""RFC 8445 section 7.3.1.5: nominated."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess, Data
from conformance.suites.checks import refuse_checks
from conformance.suites.driving import check_each, nominate
from conformance.suites.marks import requirement, varied
from conformance.suites.media import (
    expect_coming,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@requirement("RFC8445-7.3.1.5-01", needs="offers:passive sides:answerer payload:raw")
def test_nomination_whose_triggered_check_fails_selects_nothing(upper, peer, pixit):
    """with    our nomination being the first check on a connection to the controlled IUT's passive candidate
    when    the check that it triggers is answered with an error, and the IUT's application wants to send data
    then    none comes over the connection."""
    refuse_checks(peer)
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, use_candidate=True))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.await_frame(BindingRequest, within=pixit.connect)
    peer.wait(pixit.silence)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)


@varied("family", "components", side="answerer")
@requirement("RFC8445-7.3.1.5-s01", needs="offers:passive sides:answerer payload:raw")
def test_nomination_of_a_valid_pair_needs_no_further_check(upper, peer, pixit):
    """with    the controlled IUT's check answered, so that its pair is valid, and no further check of its answered
    when    we nominate the pair
    then    its application's data comes over the connection."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connections = [
        peer.connect(iut.candidate(tcptype="passive", component=n + 1)) for n in range(peer.shape.components)
    ]
    check_each(peer, iut, connections, BindingRequest)
    for_all = peer.wait_until(lambda: all(connection.checked for connection in connections), pixit.response)
    iut.require(for_all, "checks of its own on our connections")
    peer.settle(connections[0])
    peer.answering = False
    nominate(peer, iut, connections)
    expect_coming(upper, peer, connections[0], DATA, "the data did not come over the nominated connection")


@varied("family", side="answerer")
@requirement("RFC8445-7.3.1.5-s02", needs="offers:passive sides:answerer payload:raw")
def test_nomination_counts_when_its_check_has_succeeded(upper, peer, pixit):
    """with    our nomination being the first check on a connection to the controlled IUT's passive candidate
    when    the check that it triggers is answered after a while
    then    its application's data comes over the connection, and none has come before."""
    peer.answering = False
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, use_candidate=True))
    connection.await_frame(BindingSuccess, within=pixit.response)
    upper.try_to_send(DATA)
    connection.expect_nothing(Data, within=pixit.silence)
    peer.answer_held()
    expect_coming(upper, peer, connection, DATA, "the data did not come once the triggered check was answered")

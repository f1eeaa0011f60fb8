"""RFC 8445 section 8.1.1: nomination."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import needs_regular_nomination
from conformance.suites.driving import check_each
from conformance.suites.establishing import await_open, connect_twice, two_connections
from conformance.suites.marks import requirement, varied
from conformance.suites.media import (
    expect_coming,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@pytest.mark.parametrize("agent", ["full", "lite"])
@requirement("RFC8445-8.1.1-s02", "RFC6544-7.2-s01", needs="offers:passive sides:answerer payload:raw")
def test_our_nomination_is_followed(upper, peer, agent):
    """with    the IUT controlled, two connections of ours, and the first one checked
    when    we check and nominate the second
    then    its application's data comes over the second."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", agent=agent)
    first, second = connect_twice(peer, iut)
    first.send(RFC4571() / peer.check(iut))
    peer.complete(iut, second)
    await_open(peer, second)
    expect_coming(upper, peer, second, DATA, "the data did not come over the nominated connection")


@varied("family", "components", side="offerer")
@requirement("RFC8445-8.1.1-02", "RFC8445-7.1.2-01", "RFC6544-8-01", needs="connects:active sides:offerer")
def test_pair_is_nominated_in_the_end(upper, peer, pixit):
    """with    the IUT controlling, and its checks answered with success on the connections that it has opened
    when    it has had as long as its criteria may take
    then    it has nominated a pair."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    peer.expect_any_nomination()


@requirement("RFC8445-8.1.1-s01", "RFC6544-8-01", needs="connects:active offers:passive sides:offerer")
def test_nomination_repeats_a_successful_check(upper, peer, pixit):
    """with    a connection that the controlling IUT has opened, its check there unanswered, and one that we have opened
    when    checks of both sides have succeeded on ours, and the IUT has nominated
    then    it has not nominated the pair of the other connection."""
    peer.answering = False
    iut = negotiate(upper, peer, "offerer", peer_candidates=[peer.candidate("passive"), peer.candidate("active")])
    opened = peer.await_connection()
    needs_regular_nomination(opened.await_frame(BindingRequest, within=pixit.response))
    accepted = peer.connect(iut.candidate(tcptype="passive"))
    peer.answer_only_on(accepted)
    accepted.send(RFC4571() / peer.check(iut))
    peer.await_any_nomination()
    opened.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)


@requirement("RFC8445-8.1.1-03", "RFC8839-4.3.4-04", "RFC6544-8-01", needs="sides:offerer")
def test_one_pair_is_nominated(upper, peer, pixit):
    """with    the IUT controlling, and two validated connections of one component
    when    it has nominated one of them
    then    it nominates no other."""
    peer.answering = False
    iut, connections = two_connections(upper, peer, "offerer")
    check_each(peer, iut, connections, BindingRequest)
    peer.answer_held()
    peer.complete_any(iut)
    peer.await_any_nomination()
    peer.wait(pixit.silence)
    nominated = [
        str(connection) for connection in peer.connections if connection.has(BindingRequest(use_candidate=True))
    ]
    assert len(nominated) < 2, f"it nominated {' and '.join(nominated)}"

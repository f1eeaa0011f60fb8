"""RFC 8445 section 7.1.2: who sends USE-CANDIDATE."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.check_contents import exchange_checks, wrong_checks
from conformance.suites.checks import needs_controlled
from conformance.suites.marks import (
    everywhere,
    requirement,
    varied,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.places import ask_each, connected_at, places
from conformance.wire.layers import RFC4571


@varied("family", "segmentation", "candidates", side="answerer")
@requirement("RFC8445-7.1.2-02", "RFC6544-7.1-s04", needs="connects:active sides:answerer")
def test_controlled_agent_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlled, and a connection that it has opened
    when    checks of both sides have succeeded on it
    then    none of its checks carried USE-CANDIDATE."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    peer.wait(pixit.retransmission)
    needs_controlled(peer)
    connection.expect_nothing(BindingRequest(use_candidate=True), within=0)


@varied("family", side="offerer")
@requirement("RFC8445-7.1.2-01", "RFC8445-8.1.1-02", needs="connects:active sides:offerer reports:selected")
def test_selection_follows_from_use_candidate(upper, peer, pixit):
    """with    the controlling IUT's checks answered on a connection that it has opened
    when    it tells that it has selected the pair
    then    a check of its own has said USE-CANDIDATE before."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    upper.await_selected(within=pixit.decides)
    assert connection.has(BindingRequest(use_candidate=True)), "it has selected a pair that it has not nominated"


@everywhere
@requirement("RFC8445-7.1.2-02", "RFC6544-7.1-s04", needs="sides:answerer")
def test_controlled_agents_checks_never_nominate(upper, peer, where):
    """with    the IUT controlled, and connections that have been checked by both sides, but not nominated by us
    when    the time for a nomination has passed
    then    none of its checks has USE-CANDIDATE."""
    iut = exchange_checks(upper, peer, "answerer", where, nominate=False)
    wrong = wrong_checks(peer, iut, "without USE-CANDIDATE")
    assert not wrong, wrong[0]


@places("component", "stream")
@requirement("RFC8445-7.1.2-01", "RFC8445-8.1.1-02", needs="sides:offerer reports:selected")
def test_every_selection_follows_from_use_candidate(upper, peer, where, pixit):
    """with    the IUT controlling, and connections to two components or two streams, checked both ways
    when    it tells that it has selected the pairs of both
    then    a check of its own has said USE-CANDIDATE on each."""
    asked = connected_at(upper, peer, "offerer", where)
    ask_each(peer, asked)
    upper.await_selected(within=pixit.decides, pairs=len(asked))
    unsaid = [str(c) for _, c in asked if not c.has(BindingRequest(use_candidate=True))]
    assert not unsaid, f"it has selected a pair that it has not nominated: {unsaid[0]}"

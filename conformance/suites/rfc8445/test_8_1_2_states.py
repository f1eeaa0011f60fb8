"""RFC 8445 section 8.1.2: what nominations and failures do to checklists and to the session."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites import pace
from conformance.suites.checks import expect_successes, needs_another_connection
from conformance.suites.driving import answer_check, await_check, check_each, nominate
from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.negotiation import negotiate, negotiate_streams
from conformance.suites.values import LOST


@requirement("RFC8445-8.1.2-01", needs="connects:active sides:answerer")
def test_nomination_ends_the_checks_of_the_component(upper, peer, pixit):
    """with    24 passive candidates of ours, and the controlled IUT's first check answered, no other
    when    we have nominated the pair before it has come to all of them
    then    it connects to no further one."""
    peer.answering = False
    iut = negotiate(upper, peer, "answerer", peer_candidates=pace.targets(peer, 24))
    first, request = await_check(peer)
    answer_check(peer, first, request)
    await_selection(upper, peer, peer.complete(iut, first))
    peer.forget_arrivals()
    peer.expect_no_connection(within=pixit.silence)


@requirement("RFC8445-8.1.2-02", needs="offers:passive components:2 sides:answerer")
def test_requests_are_answered_when_a_component_has_its_pair(upper, peer):
    """with    the IUT controlled, two components, and checks of both sides answered for each
    when    we have nominated the pair of the first, and not that of the second
    then    checks are still answered on both."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active", components=2)
    connections = [peer.connect(iut.candidate(tcptype="passive", component=number)) for number in (1, 2)]
    check_each(peer, iut, connections, BindingRequest)
    nominate(peer, iut, connections[:1])
    peer.settle(connections[1])
    expect_successes(peer, iut, connections)


@watches(46.0)
@requirement("RFC8445-8.1.2-05", "RFC8445-8.1.1-01", needs="connects:active sides:offerer")
def test_session_fails_with_all_its_pairs(upper, peer, pixit):
    """with    the IUT controlling, and connections to both of our candidates refused
    when    all transactions and the timer of RFC 8863 are over
    then    the IUT reports that the session has failed."""
    ours = [peer.candidate("passive", foundation=name, port=peer.refusing_port()) for name in ("one", "other")]
    negotiate(upper, peer, "offerer", peer_candidates=ours)
    upper.expect_state(*LOST, within=pixit.hopeless)


@requirement("RFC8445-8.1.2-s01", needs="offers:passive streams:2 sides:answerer")
def test_session_has_not_completed_with_one_stream(upper, peer, pixit):
    """with    two streams, and the IUT controlled
    when    the pair of the first has been nominated, and that of the second has not
    then    the IUT does not report that ICE has completed."""
    first, second = negotiate_streams(upper, peer, "answerer")
    peer.complete(first, peer.connect(first.candidate(tcptype="passive")))
    peer.connect(second.candidate(tcptype="passive"))
    upper.expect_not_completed(streams=2, within=pixit.silence)


@both_sides
@requirement("RFC8445-8.1.2-s02", needs="connects:active reports:state")
def test_cancelled_checks_are_no_failure(upper, peer, side, pixit):
    """with    the IUT's checks on connections to two candidates of ours, of which the first one's is answered
    when    its pair has been nominated, and the other's check comes to nothing
    then    the IUT does not report a failure."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(2)]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    first, other = peer.await_connection(), needs_another_connection(peer)
    other.await_frame(BindingRequest, within=pixit.response)
    peer.answer_only_on(first)
    answer_check(peer, first, first.await_frame(BindingRequest, within=pixit.response))
    await_selection(upper, peer, peer.complete(iut, first))
    other.close(reset=True)
    upper.expect_no_state(*LOST, within=pixit.retransmission)

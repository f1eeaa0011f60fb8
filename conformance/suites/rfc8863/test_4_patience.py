"""RFC 8863 section 4: the timer for what the peer's checks may still bring."""

from __future__ import annotations

from conformance.suites.checks import expect_answers, expect_check
from conformance.suites.marks import both_sides, lasts, requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571

_TIMER = 39.5
_TOLERANCE = 5.0


@both_sides
@lasts(1)
@requirement("RFC8863-4-03", "RFC8863-4-01", needs="offers:passive connects:active")
def test_no_failure_while_checks_may_come(upper, peer, side, pixit):
    """with    our only candidate refusing the IUT's connection, so that it has no pair left
    when    we connect to its passive candidate a while later and check
    then    it has not reported a failure, answers the check and sends one of its own."""
    iut = negotiate(upper, peer, side, peer_candidates=[peer.candidate("passive", port=peer.refusing_port())])
    peer.wait(2 * pixit.silence)
    assert "failed" not in upper.states_since(0), "it has failed"
    connection = peer.connect(iut.candidate(tcptype="passive"))
    expect_answers(peer, [(iut, connection)])
    connection.send(RFC4571() / peer.check(iut))
    expect_check(peer, iut, connection)


@watches(35.0)
@requirement("RFC8863-4-02", needs="connects:active reports:state sides:answerer")
def test_timer_lasts_as_long_as_a_transaction(upper, peer):
    """with    our only candidate refusing the IUT's connection, so that it has no pair left
    when    nearly as much time has passed as a transaction takes
    then    it has not reported a failure."""
    negotiate(upper, peer, "answerer", peer_candidates=[peer.candidate("passive", port=peer.refusing_port())])
    failed = upper.wait_state("failed", within=_TIMER - _TOLERANCE)
    assert not failed, f"it reports {upper.states}"


@watches(46.0)
@requirement("RFC8863-4-04", needs="connects:active sides:answerer")
def test_failure_when_the_timer_is_over(upper, peer):
    """with    our only candidate refusing the IUT's connection, so that it has no pair left
    when    more time has passed than a transaction takes
    then    it has reported a failure."""
    negotiate(upper, peer, "answerer", peer_candidates=[peer.candidate("passive", port=peer.refusing_port())])
    failed = upper.wait_state("failed", within=_TIMER + 2 * _TOLERANCE)
    assert failed, f"it reports {upper.states}"

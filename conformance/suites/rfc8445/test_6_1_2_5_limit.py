"""RFC 8445 section 6.1.2.5: how many pairs are checked."""

from __future__ import annotations

from conformance.suites import pace
from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.negotiation import negotiate, negotiate_streams

_LIMIT = 100


@both_sides
@lasts(8)
@requirement("RFC8445-6.1.2.5-02", "RFC8445-19.5.1-01", needs="connects:active")
def test_no_more_than_100_pairs_are_checked(upper, peer, side, pixit):
    """with    110 passive candidates of ours, of different foundations, and no check answered
    when    the IUT, on one address, begins no further check
    then    it has connected to no more than 100 of them, and sent no more than 100 checks."""
    peer.answering = False
    ours = pace.targets(peer, _LIMIT + 10)
    negotiate(upper, peer, side, peer_candidates=ours)
    pace.until_calm(peer, len(ours), calm=pixit.attempts)
    met = len(pace.opened_to(peer, ours))
    assert met <= _LIMIT, f"it has connected to {met} of our candidates"
    assert len(peer.checks()) <= _LIMIT, f"it has sent {len(peer.checks())} checks"


@lasts(8)
@requirement("RFC8445-6.1.2.5-01", needs="connects:active streams:2 sides:offerer")
def test_limit_holds_for_all_streams_together(upper, peer, pixit):
    """with    two streams, with 60 passive candidates of ours in each, and no check answered
    when    the IUT begins no further check
    then    it has connected to no more than 100 of them together."""
    peer.answering = False
    ours = [pace.targets(peer, 60), pace.targets(peer, 60, "second")]
    negotiate_streams(upper, peer, "offerer", peer_candidates=ours)
    pace.until_calm(peer, 120, calm=pixit.attempts)
    met = [len(pace.opened_to(peer, candidates)) for candidates in ours]
    assert sum(met) <= _LIMIT, f"it has connected to {met[0]} and {met[1]} candidates of the streams"


@lasts(8)
@requirement("RFC8445-6.1.2.5-03", needs="connects:active streams:2 sides:answerer")
def test_each_stream_gives_up_as_many_pairs(upper, peer, pixit):
    """with    two streams, with 70 passive candidates of ours in the first and 50 in the second, no check answered
    when    the IUT begins no further check, and has not come to all of them
    then    each stream lacks the same number, those of lowest priority."""
    peer.answering = False
    ours = [pace.targets(peer, 70), pace.targets(peer, 50, "second")]
    negotiate_streams(upper, peer, "answerer", peer_candidates=ours)
    pace.until_calm(peer, 120, calm=pixit.attempts)
    met = [pace.opened_to(peer, candidates) for candidates in ours]
    pace.needs_a_limit(sum(map(len, met)), below=120)
    pace.needs_second_begun(met[1])
    lacking = [len(all_) - len(some) for all_, some in zip(ours, met, strict=True)]
    assert abs(lacking[0] - lacking[1]) <= 1, f"the streams lack {lacking[0]} and {lacking[1]} pairs"
    worst = [max(some, key=all_.index) for all_, some in zip(ours, met, strict=True)]
    highest = [all_.index(one) + 1 == len(some) for all_, some, one in zip(ours, met, worst, strict=True)]
    assert all(highest), "other pairs than those of lowest priority are left out"

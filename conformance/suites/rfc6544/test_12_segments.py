"""RFC 6544 section 12: how many SYNs of the IUT may be unanswered."""

from __future__ import annotations

from conformance.suites.marks import crosswise, in_segments, lasts, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.segments import silent_candidates


@in_segments
@crosswise
@lasts(3)
@requirement("RFC6544-12-03", needs="connects:active")
def test_no_more_than_five_syns_are_unanswered(upper, peer, segments, side, pixit):
    """with    eight candidates of ours at one address, none of which answers a SYN
    when    the IUT has begun with as many of them as it wants to
    then    no more than five attempts were outstanding at once, as their repeated SYNs show."""
    negotiate(upper, peer, side, peer_candidates=silent_candidates(peer, segments, 8))
    peer.wait_until(lambda: bool(segments.syns()), pixit.connect)
    segments.require_attempts()
    most = segments.most_outstanding(calm=pixit.attempts)
    assert most <= 5, f"{most} attempts were outstanding at once"

"""RFC 8445 section 6.1.4.2: when which check is sent."""

from __future__ import annotations

from conformance.suites import pace
from conformance.suites.marks import crosswise, in_segments, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.segments import expect_check_elsewhere

_TARGETS = 12


@in_segments
@crosswise
@requirement("RFC8445-6.1.4.2-s01", "RFC6544-7.1-s04", needs="connects:active")
def test_standing_still_holds_up_no_other_pair(upper, peer, segments, side, pixit):
    """with    a connection of the IUT's on which its check is neither acknowledged nor answered
    when    its other pairs' turn has come
    then    it checks our other candidate as well."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation="first"), peer.candidate("passive", address=segments.other_address)]
    negotiate(upper, peer, side, peer_candidates=ours)
    stalled = peer.await_connection()
    stalled.acknowledge(False)
    expect_check_elsewhere(peer, stalled, within=pixit.connect)


@varied("family")
@requirement("RFC8445-6.1.4.2-s01", "RFC6544-4.1-s01", needs="connects:active")
def test_checks_are_paced(upper, peer, side, pixit):
    """with    twelve passive candidates of ours, none of which waits for another, and no check answered
    when    the IUT checks them
    then    no check comes before its turn, one every Ta from the moment our description was made."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_candidates=pace.targets(peer, _TARGETS))
    seen = pace.watch(peer, iut, _TARGETS, within=pixit.attempts)
    assert not seen.early(seen.checks), f"checks are begun too fast: {seen.early(seen.checks)}"

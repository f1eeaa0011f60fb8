"""RFC 8445 section 14.2: the pace of transactions."""

from __future__ import annotations

from conformance.suites import pace
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate

_TARGETS = 6
_OURS = 0.2


@both_sides
@requirement("RFC8445-14.2-03", "RFC8445-6.1.4.2-s01", needs="sdp:full")
def test_slower_pace_of_ours_counts(upper, peer, side, pixit):
    """with    our description proposing a Ta of 200 ms, and six passive candidates of ours, no check answered
    when    the IUT checks them
    then    no check comes before its turn at this pace."""
    peer.answering = False
    says = [f"ice-pacing:{round(_OURS * 1000)}"]
    iut = negotiate(upper, peer, side, peer_candidates=pace.targets(peer, _TARGETS), peer_says=says)
    seen = pace.watch(peer, iut, _TARGETS, within=pixit.connect, ours=_OURS)
    assert not seen.early(seen.checks), f"checks are begun too fast: {seen.early(seen.checks)}"

"""RFC 8863 section 5: the timer and the end of candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.negotiation import negotiate_trickled


@both_sides
@lasts(1)
@requirement("RFC8863-5-01", needs="connects:active reports:state")
def test_end_of_candidates_is_no_failure(upper, peer, side, pixit):
    """with    our only candidate, trickled, refusing the IUT's connection
    when    our end of candidates is told
    then    the IUT reports no failure."""
    negotiate_trickled(upper, peer, side)
    upper.trickle(peer.candidate("passive", port=peer.refusing_port()))
    peer.wait(pixit.silence)
    upper.trickle(None)
    peer.wait(pixit.silence)
    assert "failed" not in upper.states_since(0), f"it reports {upper.states}"

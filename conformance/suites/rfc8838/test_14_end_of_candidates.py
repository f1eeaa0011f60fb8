"""RFC 8838 section 14: our end of candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate_trickled


@both_sides
@requirement("RFC8838-14-02", needs="connects:active sdp:full")
def test_candidate_behind_the_end_is_ignored(upper, peer, side):
    """with    a passive candidate of ours trickled, then the end of candidates
    when    another one is trickled behind that, which the IUT may reject
    then    the IUT connects to the first alone."""
    peer.answering = False
    first, behind = peer.listen(), peer.listen()
    negotiate_trickled(upper, peer, side)
    upper.trickle(peer.candidate("passive", port=first.port))
    upper.trickle(None)
    peer.await_connection(first)
    upper.trickle_unless_rejected(peer.candidate("passive", port=behind.port, foundation="behind"))
    peer.expect_no_connection(behind)

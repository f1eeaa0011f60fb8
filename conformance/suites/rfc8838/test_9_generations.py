"""RFC 8838 section 9: candidates of another generation."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.trickling import completed, restart_trickled, told_in_full


@requirement("RFC8838-9-s01", needs="sdp:full sides:answerer offers:passive connects:active")
def test_candidate_of_before_a_restart_is_ignored(upper, peer):
    """with    ICE restarted by us
    when    a candidate with our ufrag of before is trickled, and then one with the new ufrag
    then    the IUT connects to the second alone."""
    completed(upper, peer, told_in_full(upper, peer, "answerer"))
    old, stale, fresh = peer.ufrag, peer.listen(), peer.listen()
    restart_trickled(upper, peer)
    upper.trickle(peer.candidate("passive", port=stale.port, extensions=(("ufrag", old),)))
    upper.trickle(peer.candidate("passive", port=fresh.port, other=8000, extensions=(("ufrag", peer.ufrag),)))
    peer.await_connection(fresh)
    peer.expect_no_connection(stale)

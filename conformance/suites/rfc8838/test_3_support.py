"""RFC 8838 section 3: who trickles to whom."""

from __future__ import annotations

from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.negotiation import STREAMS
from conformance.suites.trickling import told_since


@requirement("RFC8838-3-02", needs="sides:offerer restart half_trickle")
def test_candidates_are_not_trickled_to_a_peer_without_trickle(upper, peer, pixit):
    """with    ICE completed with us, who do not say trickle
    when    the IUT restarts, and need not wait for its candidates
    then    its offer has candidates, and none are told later."""
    establish(upper, peer, "offerer")
    upper.call("restart")
    offer = upper.describe(trickle=True)
    peer.wait(pixit.silence)
    assert offer.media().candidates, "its offer has no candidates"
    assert not told_since(upper), f"it tells {told_since(upper)[0]}"


@requirement("RFC8838-3-03", needs="sides:offerer streams:2")
def test_trickle_is_said_of_all_streams_or_of_none(upper):
    """with    the IUT's offer of two streams
    when    its options are read
    then    trickle is among those of the session, or of every section, or of none."""
    upper.open("offerer", streams=STREAMS)
    said = ["trickle" in media.ice_options for media in upper.describe(trickle=True).sdp.media]
    assert len(set(said)) == 1, f"trickle is said of section {said.index(True) + 1} alone"

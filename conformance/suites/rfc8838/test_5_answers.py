"""RFC 8838 section 5: answers to offers without trickle."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.trickling import told_since


@requirement("RFC8838-5-01", needs="half_trickle")
def test_answer_to_an_offer_without_trickle_has_all_candidates(upper, peer, pixit):
    """with    our offer, which does not say trickle
    when    the IUT answers it, and need not wait for its candidates
    then    its answer has candidates, and none are told later."""
    upper.open("answerer")
    upper.accept(peer.offer("active"), kind="offer")
    answer = upper.describe(trickle=True)
    peer.wait(pixit.silence)
    assert answer.media().candidates, "its answer has no candidates"
    assert not told_since(upper), f"it tells {told_since(upper)[0]}"

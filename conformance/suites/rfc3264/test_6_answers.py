"""RFC 3264 section 6: an answer has a media section for each of the offer's."""

from __future__ import annotations

from conformance.peer.describe import joined
from conformance.suites.marks import requirement


@requirement("RFC3264-6-03", "RFC3264-6-02", needs="streams:2")
def test_answer_has_as_many_sections_as_the_offer(upper, peer):
    """with    our offer holding two media sections
    when    the IUT answers it
    then    its answer has two."""
    answer = upper.answer(joined([peer.offer("active", mid=str(n)) for n in range(2)]))
    assert len(answer.sdp.media) == 2, f"it has {len(answer.sdp.media)}"


@requirement("RFC3264-6-01")
def test_answer_has_an_origin_of_its_own(upper, peer):
    """with    our offer
    when    the IUT answers it
    then    the o= line of its answer is not ours."""
    offer = peer.offer("active")
    origins = upper.answer(offer).sdp.values("o"), offer.values("o")
    assert origins[0] != origins[1], f"o={origins[0][0]} is the offer's"

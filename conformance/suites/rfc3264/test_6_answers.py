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

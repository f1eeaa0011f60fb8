"""RFC 8839 section 4.3.2: the first answer."""

from __future__ import annotations

from conformance.suites.marks import requirement


@requirement("RFC8839-4.3.2-05")
def test_answer_keeps_the_protocol_of_the_media_line(upper, peer):
    """with    our offer
    when    the IUT answers it
    then    the protocol of its media line is that of ours."""
    offer = peer.offer("active")
    answer = upper.answer(offer)
    protocols = answer.media(0).proto, offer.media[0].proto
    assert protocols[0] == protocols[1], f"it is {protocols[0]}, offered was {protocols[1]}"

"""RFC 3264 section 6.1: the sections of an answer."""

from __future__ import annotations

from conformance.suites.marks import requirement


@requirement("RFC3264-6.1-02")
def test_answer_keeps_the_media_type(upper, peer):
    """with    our offer
    when    the IUT answers it
    then    the media type of its section is that of ours."""
    offer = peer.offer("active")
    answer = upper.answer(offer)
    kinds = answer.media(0).kind, offer.media[0].kind
    assert kinds[0] == kinds[1], f"m={kinds[0]}, offered was m={kinds[1]}"

"""RFC 3264 section 6: an answer has a media section for each of the offer's."""

from __future__ import annotations

from conformance.peer.describe import joined
from conformance.suites.marks import requirement
from conformance.suites.sections import (
    answered,
    disabled,
    expect_no_ice,
    needs_one_disabled,
    offered_streams,
    unchanged,
)


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


@requirement("RFC3264-6-07", needs="sides:offerer streams:2 offers:passive")
def test_nothing_is_sent_for_a_rejected_stream(upper, peer):
    """with    the IUT's offer of two streams
    when    our answer has rejected the second by port 0
    then    the IUT answers no check of ours for it and sends none."""
    _, streams = offered_streams(upper)
    upper.accept(joined(answered(peer, streams, unchanged, disabled)))
    expect_no_ice(peer, streams[1])


@requirement("RFC3264-6-02", needs="streams:2")
def test_answer_has_its_sections_in_the_order_of_the_offer(upper, peer):
    """with    our offer of two sections, the second disabled
    when    the IUT answers it
    then    not its first, but its second section is disabled."""
    offers = [peer.offer("active", mid="0"), disabled(peer.offer("active", mid="1"))]
    ports = [media.port for media in upper.answer(joined(offers)).sdp.media]
    needs_one_disabled(ports)
    assert not ports[1], f"the ports of its sections are {ports}"

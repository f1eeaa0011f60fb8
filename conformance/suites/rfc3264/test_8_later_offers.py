"""RFC 3264 section 8: later offers."""

from __future__ import annotations

from conformance.suites.establishing import establish, establish_streams
from conformance.suites.marks import requirement, varied
from conformance.suites.updates import answered, complete_and_remove_second, origin, update


@requirement("RFC3264-8-04")
@varied("family", "candidates", side="offerer")
def test_origin_of_a_later_offer(upper, peer):
    """with    ICE completed, and the IUT's first offer
    when    the IUT makes a later offer that says something else
    then    its o= line is that of the first, with the version raised by one."""
    establish(upper, peer, "offerer")
    first = origin(peer.iut)
    later = origin(upper.updated_offer())
    assert later == (first[0], first[1] + 1), f"o= {later}, before {first}"


@requirement("RFC3264-8-05", needs="sides:answerer")
def test_same_version_is_the_same_description(upper, peer):
    """with    ICE completed, and we control
    when    we make a later offer and the IUT answers it
    then    its answer has a raised version, or is its first one, word by word."""
    selected = establish(upper, peer, "answerer")
    first = peer.iut
    later = update(upper, peer, "tester", [selected])
    assert origin(later)[1] > origin(first)[1] or later.text == first.text, "the version is that of another answer"


@requirement("RFC3264-8-06", "RFC3264-8-07", "RFC8839-4.4.3.1-05")
def test_unchanged_offer_is_taken_and_answered(upper, peer, pixit):
    """with    ICE completed, and we control
    when    we make our first offer again, word by word
    then    the IUT answers it with its credentials of before, and the connection stays open."""
    selected = establish(upper, peer, "answerer")
    first, offer = peer.iut, upper.first_description("tester")
    upper.accept(offer, kind="offer")
    later = answered(upper)
    assert (later.ufrag, later.pwd) == (first.ufrag, first.pwd), "ICE restarts"
    selected.expect_open(within=pixit.silence)


@requirement("RFC3264-8-08", needs="streams:2 offers:passive")
def test_later_offer_has_as_many_sections(upper, peer):
    """with    ICE completed for two streams that the IUT has offered
    when    the IUT makes a later offer
    then    it has two media sections at least."""
    establish_streams(upper, peer, "offerer")
    count = len(upper.updated_offer().sdp.media)
    assert count >= 2, f"it has {count}"


@requirement("RFC3264-8-10", needs="sides:answerer offers:passive")
def test_section_of_a_removed_stream_stays(upper, peer):
    """with    ICE completed for two streams, and the second removed by our later offer
    when    the IUT makes a later offer
    then    it has two sections, the second with port 0."""
    complete_and_remove_second(upper, peer)
    sections = upper.updated_offer().sdp.media
    assert len(sections) == 2, f"it has {len(sections)} sections"
    assert sections[1].port == 0, f"the second has port {sections[1].port}"

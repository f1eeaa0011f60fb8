"""RFC 8839 section 5.3: a=ice-lite and a=ice-mismatch."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.sections import (
    accept_unless_refused,
    expect_no_ice,
    mismatching,
)


@both_sides
@requirement("RFC8839-5.3-s01")
def test_ice_lite_stands_at_the_session_level(upper, peer, side):
    """with    a description of a lite IUT
    when    its media sections are read
    then    none has a=ice-lite."""
    iut = obtain_description(upper, peer, side, agent="lite")
    misplaced = [n for n, media in enumerate(iut.sdp.media, start=1) if media.has("ice-lite")]
    assert not misplaced, f"a=ice-lite in media section {misplaced[0]}"


@both_sides
@requirement("RFC8839-5.3-s02")
def test_ice_mismatch_stands_in_sections_of_answers(upper, peer, side):
    """with    a description of the IUT
    when    its session level is read, and of an offer its media sections
    then    there is no a=ice-mismatch."""
    iut = obtain_description(upper, peer, side)
    assert not iut.sdp.has("ice-mismatch"), "a=ice-mismatch at the session level"
    assert iut.kind == "answer" or not iut.media().has("ice-mismatch"), "a=ice-mismatch in an offer"


@requirement("RFC8839-5.3-01", "RFC8839-4.2.5-05", "RFC8839-4.3.3-01", needs="sdp:full offers:passive")
def test_answer_with_a_mismatch_ends_ice(upper, peer):
    """with    the IUT's offer of one stream
    when    our answer says a=ice-mismatch
    then    the IUT, if it takes it, answers no check of ours and sends none."""
    offer = upper.offer()
    accept_unless_refused(upper, mismatching(peer.answer(offer.sdp, "passive")))
    expect_no_ice(peer, offer)

"""RFC 8839 section 4.3.3: the offerer reads the first answer."""

from __future__ import annotations

from conformance.peer.describe import joined
from conformance.suites.checks import expect_answers
from conformance.suites.marks import requirement
from conformance.suites.sections import (
    accept_or_refuse,
    accept_unless_refused,
    answered,
    answers_checks,
    expect_no_ice,
    mismatching,
    offered_streams,
    unchanged,
    with_another_default,
    without_ice,
)


@requirement("RFC8839-4.3.3-01", needs="sdp:full offers:passive")
def test_answer_without_ice_ends_it(upper, peer):
    """with    the IUT's offer
    when    our answer has nothing of ICE
    then    the IUT, if it takes it, answers no check of ours and sends none."""
    offer = upper.offer()
    accept_unless_refused(upper, without_ice(peer.answer(offer.sdp, "passive")))
    expect_no_ice(peer, offer)


@requirement("RFC8839-4.3.3-02", "RFC8839-5.3-01", needs="sdp:full offers:passive profile:plain")
def test_mismatch_of_one_stream_ends_ice_for_it(upper, peer):
    """with    the IUT's offer of two streams
    when    our answer says a=ice-mismatch of the second
    then    the IUT answers no check of ours for it and sends none."""
    _, streams = offered_streams(upper)
    upper.accept(joined(answered(peer, streams, unchanged, mismatching)))
    expect_no_ice(peer, streams[1])


@requirement("RFC8839-4.3.3-03", needs="sdp:full offers:passive profile:plain")
def test_ice_goes_on_for_streams_without_a_mismatch(upper, peer):
    """with    the IUT's offer of two streams, and our answer that says a=ice-mismatch of the second
    when    we check a passive candidate of the first
    then    it is answered."""
    _, streams = offered_streams(upper)
    upper.accept(joined(answered(peer, streams, unchanged, mismatching)))
    connection = peer.expect_accept(streams[0].candidate(tcptype="passive"))
    expect_answers(peer, [(streams[0], connection)])


@requirement("RFC8839-4.3.3-04", needs="sdp:full offers:passive profile:plain streams:2")
def test_mismatch_seen_ends_ice_for_all_or_for_none(upper, peer):
    """with    the IUT's offer of two streams
    when    the default destination of the second in our answer is none of its candidates
    then    the IUT goes on with ICE for both streams, or for neither, or refuses the answer."""
    _, streams = offered_streams(upper)
    accept_or_refuse(upper, peer, joined(answered(peer, streams, unchanged, with_another_default)))
    used = [answers_checks(peer, stream) for stream in streams]
    assert used[0] is used[1], f"ICE is used for stream {used.index(True) + 1} alone"

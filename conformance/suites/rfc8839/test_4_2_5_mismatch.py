"""RFC 8839 section 4.2.5: ICE support and ICE mismatch."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.values import expect_all_or_nothing


@requirement("RFC8839-4.2.5-03", "RFC6544-6-s02", needs="sdp:full profile:plain")
def test_default_that_is_no_candidate_is_a_mismatch_or_none(upper, peer, pixit):
    """with    our offer's default destination being none of its candidates'
    when    the IUT answers
    then    it goes on with ICE, or says a=ice-mismatch, states no candidates and connects to none of ours."""
    offer = peer.offer("passive", setup="passive", port=peer.refusing_port())
    expect_all_or_nothing(peer, upper.answer_unless_rejected(offer), within=pixit.connect)

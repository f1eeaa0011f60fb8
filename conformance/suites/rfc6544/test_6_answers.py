"""RFC 6544 section 6: what follows when both descriptions are there."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.values import expect_all_or_nothing


@requirement("RFC6544-6-s01", needs="offers:passive sdp:full")
def test_lite_offerer_controls_beside_a_lite_agent(upper, peer, pixit):
    """with    a lite IUT having offered, our lite answer, and our connection to its passive candidate
    when    it makes an updated offer
    then    the offer names our candidate of the selected pair, as that of the controlling agent does."""
    iut = negotiate(upper, peer, "offerer", agent="lite", peer_lite=True, peer_tcptypes="active")
    peer.connect(iut.candidate(tcptype="passive"))
    upper.allow_for_connecting(within=pixit.response)
    media = upper.updated_offer().media()
    assert media.has("remote-candidates"), "the updated offer has no a=remote-candidates"


@requirement("RFC6544-6-s02", needs="sdp:full profile:plain")
def test_default_that_is_no_candidate_is_a_mismatch_or_none(upper, peer, pixit):
    """with    our offer's default destination being none of its candidates'
    when    the IUT answers
    then    it goes on with ICE, or says a=ice-mismatch, states no candidates and connects to none of ours."""
    offer = peer.offer("passive", setup="passive", port=peer.refusing_port())
    expect_all_or_nothing(peer, upper.answer_unless_rejected(offer), within=pixit.connect)

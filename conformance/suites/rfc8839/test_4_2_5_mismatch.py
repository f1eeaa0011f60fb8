"""RFC 8839 section 4.2.5: ICE support and ICE mismatch."""

from __future__ import annotations

from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.sections import NO_DEFAULT
from conformance.suites.values import expect_all_or_nothing


@requirement("RFC8839-4.2.5-03", "RFC6544-6-s02", needs="sdp:full profile:plain")
def test_default_that_is_no_candidate_is_a_mismatch_or_none(upper, peer, pixit):
    """with    our offer's default destination being none of its candidates'
    when    the IUT answers
    then    it goes on with ICE, or says a=ice-mismatch, states no candidates and connects to none of ours."""
    offer = peer.offer("passive", setup="passive", port=peer.refusing_port())
    expect_all_or_nothing(peer, upper.answer_unless_rejected(offer), within=pixit.connect)


@varied("family")
@requirement("RFC8839-4.2.5-04", needs="connects:active")
def test_no_default_is_no_mismatch(upper, peer, side, shape):
    """with    our default destination 0.0.0.0 or :: with port 9, and a passive candidate
    when    the IUT has both descriptions
    then    it connects to the candidate."""
    negotiate(upper, peer, side, peer_tcptypes="passive", says=NO_DEFAULT[shape.family])
    peer.expect_connection()


@varied("family")
@requirement("RFC8839-4.2.5-06", needs="connects:active")
def test_default_with_a_host_name_is_no_mismatch(upper, peer, side):
    """with    our default destination a host name, and a passive candidate
    when    the IUT has both descriptions
    then    it connects to the candidate."""
    negotiate(upper, peer, side, peer_tcptypes="passive", says={"address": "agent.example"})
    peer.expect_connection()

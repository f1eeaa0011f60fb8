"""RFC 8445 section 6.1.1: who controls."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate


@requirement("RFC8445-6.1.1-03", "RFC8839-4.4.1.3-06", "RFC6544-6-s01", needs="offers:passive sdp:full")
def test_lite_offerer_controls_beside_a_lite_agent(upper, peer, pixit):
    """with    a lite IUT having offered, our lite answer, and our connection to its passive candidate
    when    it makes an updated offer
    then    the offer names our candidate of the selected pair, as that of the controlling agent does."""
    iut = negotiate(upper, peer, "offerer", agent="lite", peer_lite=True, peer_tcptypes="active")
    peer.connect(iut.candidate(tcptype="passive"))
    upper.allow_for_connecting(within=pixit.response)
    media = upper.updated_offer().media()
    assert media.has("remote-candidates"), "the updated offer has no a=remote-candidates"

"""RFC 8839 section 5.1: the candidate attribute."""

from __future__ import annotations

from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import negotiate


@varied("family", "segmentation", "candidates")
@requirement("RFC8839-5.1-10", "RFC6544-4.5-s05", needs="connects:active")
def test_unknown_extension_attributes_are_ignored(upper, peer, side):
    """with    our passive candidate carrying an extension attribute behind its tcptype that nobody knows
    when    the IUT has both descriptions
    then    it nevertheless connects to the candidate."""
    strange = peer.candidate("passive", extensions=(("x-test-suite", "7"),))
    negotiate(upper, peer, side, peer_candidates=[strange])
    peer.expect_connection()

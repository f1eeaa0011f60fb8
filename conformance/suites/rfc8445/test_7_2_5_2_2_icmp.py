"""RFC 8445 section 7.2.5.2.2: ICMP errors."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import crosswise, in_segments, requirement
from conformance.suites.negotiation import negotiate


@in_segments
@crosswise
@requirement("RFC8445-7.2.5.2.2-02", "RFC6544-7.1-04", needs="connects:active")
def test_hard_icmp_error_fails_the_pair(upper, peer, segments, side, pixit):
    """with    SYNs to our first candidate answered by ICMP port unreachable, and a second one of the same foundation
    when    the IUT has both descriptions
    then    it checks the second one, which waits for the end of the first."""
    unreachable = peer.candidate("passive", port=segments.port("port").port, foundation="same")
    other = peer.candidate("passive", foundation="same", other=8000)
    negotiate(upper, peer, side, peer_candidates=[unreachable, other])
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)

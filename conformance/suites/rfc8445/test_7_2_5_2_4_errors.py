"""RFC 8445 section 7.2.5.2.4: error responses that a check cannot recover from."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import REFUSED
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@requirement("RFC8445-7.2.5.2.4-01", "RFC8445-7.2.5.2-s01", needs="connects:active sides:offerer")
def test_error_response_fails_the_pair(upper, peer, pixit):
    """with    two candidates of ours of the same foundation, and the controlling IUT's check of the first
    when    an error response answers it
    then    the IUT checks the second one, which waits for the end of the first."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation="same", other=other) for other in (8191, 8000)]
    negotiate(upper, peer, "offerer", peer_candidates=ours)
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.error(request, *REFUSED))
    peer.expect_connection().expect(BindingRequest, within=pixit.response)

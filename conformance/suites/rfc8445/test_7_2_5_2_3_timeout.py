"""RFC 8445 section 7.2.5.2.3: checks that are never answered."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.values import LOST


@watches(46.0)
@requirement("RFC8445-7.2.5.2.3-01", "RFC8489-6.2.2-02", needs="connects:active sides:answerer reports:state")
def test_check_that_is_never_answered_fails(upper, peer, pixit):
    """with    the IUT's checks on the connection to our only candidate never answered
    when    the time of a transaction and the timer of RFC 8863 are over
    then    the IUT reports that ICE has failed."""
    peer.answering = False
    negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    upper.expect_state(*LOST, within=pixit.hopeless)

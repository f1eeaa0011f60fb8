"""RFC 8445 section 6.1.2.1: the states of a checklist."""

from __future__ import annotations

from conformance.suites.marks import requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.values import LOST


@watches(46.0)
@requirement(
    "RFC8445-6.1.2.1-s01", "RFC8445-7.2.5.4-s01", needs="connects:active sides:answerer components:2 reports:state"
)
def test_component_without_a_pair_fails_the_checklist(upper, peer, pixit):
    """with    two components, the first one's check answered, and connections to our candidate of the second refused
    when    all transactions and the timer of RFC 8863 are over
    then    the IUT reports that ICE has failed."""
    ours = [peer.candidate("passive"), peer.candidate("passive", component=2, port=peer.refusing_port())]
    negotiate(upper, peer, "answerer", components=2, peer_candidates=ours)
    peer.await_connection()
    upper.expect_state(*LOST, within=pixit.hopeless)

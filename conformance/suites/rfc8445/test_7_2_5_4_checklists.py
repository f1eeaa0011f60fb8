"""RFC 8445 section 7.2.5.4: a checklist in which nothing is left."""

from __future__ import annotations

from conformance.suites.marks import requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.values import LOST


@watches(46.0)
@requirement("RFC8445-7.2.5.4-s01", "RFC8445-8.1.1-01", needs="connects:active sides:answerer reports:state")
def test_checklist_without_a_pair_fails(upper, peer, pixit):
    """with    the IUT controlled, and connections to both of our candidates refused
    when    all transactions and the timer of RFC 8863 are over
    then    the IUT reports that ICE has failed."""
    ours = [peer.candidate("passive", foundation=name, port=peer.refusing_port()) for name in ("one", "other")]
    negotiate(upper, peer, "answerer", peer_candidates=ours)
    upper.expect_state(*LOST, within=pixit.hopeless)

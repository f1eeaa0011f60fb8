"""RFC 8445 section 6.1.3: the state of the agent."""

from __future__ import annotations

from conformance.suites.checks import needs_controlled
from conformance.suites.driving import check_each
from conformance.suites.establishing import two_connections
from conformance.suites.marks import requirement
from conformance.suites.values import LOST


@requirement("RFC8445-6.1.3-s01", needs="sides:answerer")
def test_ice_has_not_completed_before_the_nomination(upper, peer, pixit):
    """with    the IUT controlled, and checks of both sides answered on two connections
    when    we have not nominated either
    then    it reports neither that ICE has completed nor that it has failed; it does once we have nominated."""
    iut, connections = two_connections(upper, peer, "answerer")
    check_each(peer, iut, connections)
    peer.wait(pixit.retransmission)
    needs_controlled(peer)
    upper.expect_no_state("completed", *LOST, within=0)
    peer.complete(iut, connections[0])
    upper.expect_state("connected", "completed", within=pixit.complete)

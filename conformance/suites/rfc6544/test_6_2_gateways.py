"""RFC 6544 section 6.2: the pairs of NAT-assisted candidates."""

from __future__ import annotations

from conformance.suites.gateways import EITHER, assisted_if_any
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate


@both_sides
@requirement("RFC6544-6.2-s02", "RFC8445-6.1.2.4-01", needs=f"connects:active offers:active {EITHER}")
def test_nat_assisted_candidates_make_no_further_checks(upper, peer, side, pixit):
    """with    the IUT having an active host candidate and an active NAT-assisted one of the same base
    when    it has connected to our passive candidate, and its check is not answered
    then    it does not connect a second time: the NAT-assisted candidate is replaced by its base."""
    peer.answering = False
    gateway = peer.gateway()
    iut = negotiate(upper, peer, side, peer_tcptypes="passive", gateways=[gateway.entry])
    assisted_if_any(iut, gateway, "active")
    iut.needs_one_base()
    peer.await_connection()
    peer.expect_no_connection(within=pixit.silence)

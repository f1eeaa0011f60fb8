"""RFC 6544 section 7.2: the IUT accepts connections to candidates that it has told after its description."""

from __future__ import annotations

from conformance.suites.checks import expect_answers
from conformance.suites.marks import crosswise, requirement
from conformance.suites.negotiation import negotiate_trickled


@crosswise
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive trickle")
def test_trickled_passive_candidates_accept(upper, peer, side, pixit):
    """with    descriptions exchanged, and passive candidates that the IUT has trickled
    when    we connect to each of them and send a check
    then    it accepts every connection and answers every check."""
    negotiate_trickled(upper, peer, side)
    iut = upper.await_candidates()
    connections = peer.expect_all_accepted(iut.trickled_candidates(tcptype="passive"))
    expect_answers(peer, [(iut, connection) for connection in connections])

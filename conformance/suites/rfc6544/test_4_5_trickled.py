"""RFC 6544 section 4.5: candidates that the IUT trickles are written as in a description."""

from __future__ import annotations

from conformance.suites.marks import crosswise, requirement
from conformance.suites.negotiation import negotiate_trickled

_DIRECTIONS = ("active", "passive", "so")


@crosswise
@requirement("RFC6544-4.5-s02", needs="trickle")
def test_trickled_candidates_say_their_direction(upper, peer, side):
    """with    descriptions exchanged
    when    the IUT trickles TCP candidates
    then    each has the tcptype active, passive or so."""
    negotiate_trickled(upper, peer, side)
    found = upper.await_candidates().trickled_candidates()
    strange = [str(candidate) for candidate in found if (candidate.tcptype or "").lower() not in _DIRECTIONS]
    assert not strange, f"without one of these tcptypes: {strange}"


@crosswise
@requirement("RFC6544-4.5-01", needs="trickle offers:active")
def test_trickled_active_candidates_state_port_9(upper, peer, side):
    """with    descriptions exchanged
    when    the IUT trickles active candidates
    then    each states port 9, or is a relayed one."""
    negotiate_trickled(upper, peer, side)
    found = upper.await_candidates().trickled_candidates(tcptype="active")
    strange = [str(candidate) for candidate in found if candidate.port != 9 and candidate.type.lower() != "relay"]
    assert not strange, f"active candidates with another port than 9: {strange}"

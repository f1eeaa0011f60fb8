"""RFC 8839 section 4.2.4: each candidate can be sent requests."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.values import unreachable


@both_sides
@requirement("RFC8839-4.2.4-01")
def test_requests_can_be_sent_to_each_candidate(upper, peer, side):
    """with    a description of the IUT
    when    the addresses and ports of its candidates are read
    then    none is unspecified, broadcast, multicast or of port 0, where nobody can send to."""
    candidates = obtain_description(upper, peer, side).media().candidates
    wrong = [f"{candidate} {why}" for candidate in candidates if (why := unreachable(candidate))]
    assert not wrong, wrong[0]

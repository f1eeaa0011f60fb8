"""RFC 8445 section 6.1.2.6: which pairs wait for others."""

from __future__ import annotations

from conformance.suites import order
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate


@both_sides
@requirement("RFC8445-6.1.2.6-s01", needs="offers:active")
def test_second_pair_of_a_foundation_waits_for_the_others(upper, peer, side, pixit):
    """with    two passive candidates of ours of one foundation, a third of another and lower, no check answered
    when    the IUT checks them
    then    it takes up the third before the second of the same foundation, which is frozen."""
    peer.answering = False
    first, second, other = ours = [
        peer.candidate("passive", foundation=name, priority=priority)
        for name, priority in (("same", 3000), ("same", 2000), ("other", 1000))
    ]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    address = iut.needs_one_base().address
    places = [(candidate.port, address) for candidate in (first, other, second)]
    wrong = order.overtaken(peer, places[:2], last=places[2], within=pixit.connect)
    assert not wrong, f"a frozen pair was checked: {wrong[0]}"

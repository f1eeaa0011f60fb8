"""RFC 8445 section 6.1.2.3: the priority of a pair."""

from __future__ import annotations

import pytest

from conformance.suites import order
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate

_PRIORITIES = {"above": (2**31 - 1, 2**31 - 2), "below": (1000, 100)}  # ours, to those of any host candidate
_PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))  # by the lower of a pair's two priorities, then by the higher


@both_sides
@pytest.mark.parametrize("ours", sorted(_PRIORITIES))
@requirement("RFC8445-6.1.2.3-s01", needs="connects:active offers:active obeys:addresses")
def test_pairs_are_ordered_by_the_lower_priority_first(upper, peer, side, ours, pixit):
    """with    the IUT on two addresses, and two passive candidates of ours, both above its own in priority or below
    when    it checks the four pairs, no check being answered
    then    it does so in the order of the formula: what counts first is the lower of a pair's two priorities."""
    peer.answering = False
    mine = [peer.candidate("passive", foundation=f"p{p}", priority=p) for p in _PRIORITIES[ours]]
    iut = negotiate(upper, peer, side, peer_candidates=mine, addresses=upper.two_addresses())
    theirs = iut.active_places(upper.two_addresses())
    places = [(mine[n].port, theirs[m]) if ours == "below" else (mine[m].port, theirs[n]) for n, m in _PLACES]
    wrong = order.overtaken(peer, places, within=pixit.connect)
    assert not wrong, f"not in the order of the formula: {wrong[0]}"

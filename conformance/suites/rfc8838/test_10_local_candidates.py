"""RFC 8838 section 10: candidates of the IUT's own that come late."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate_trickled
from conformance.suites.trickling import await_told, reflexive_behind_a_nat


@both_sides
@requirement("RFC8838-10-01", needs="connects:active")
def test_candidate_is_told_before_it_is_paired(upper, peer, side):
    """with    descriptions exchanged, ours without candidates, the IUT's without an active one
    when    a passive candidate of ours is trickled, and the IUT has connected to it
    then    it has told an active candidate."""
    iut = negotiate_trickled(upper, peer, side)
    iut.needs_no_candidates("active")
    upper.trickle(peer.candidate("passive"))
    peer.await_connection()
    assert await_told(upper, peer, "active"), "it has told none"


@requirement("RFC8838-10-02", needs="sides:offerer connects:active")
def test_late_reflexive_candidate_is_its_base(upper, peer):
    """with    our answer with a passive candidate, and the IUT behind a NAT on one address
    when    its host and reflexive candidates have come, and it has connected to ours
    then    it opens no second connection to ours."""
    reflexive_behind_a_nat(upper, peer, "offerer", [peer.candidate("passive")])
    peer.await_connection()
    peer.expect_no_connection()

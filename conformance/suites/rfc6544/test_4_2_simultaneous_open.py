"""RFC 6544 section 4.2: the priorities of simultaneous-open candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC6544-4.2-09", needs="offers:so")
def test_so_host_direction_preference_is_2(upper, peer, side):
    """with    a description of the IUT with an S-O host candidate
    when    the direction preference is read from its priority
    then    it is 2."""
    iut = obtain_description(upper, peer, side, tcptypes="active passive so")
    wrong = [c for c in iut.candidates(tcptype="so", type="host") if c.direction_preference != 2]
    assert not wrong, f"direction preference of an S-O host candidate is not 2: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.2-12", needs="offers:so obeys:addresses")
def test_other_preference_of_so_candidates_on_a_single_address_is_8191(upper, peer, side):
    """with    the IUT on one address, offering S-O candidates
    when    the other-pref is read from their priorities
    then    it is 8191."""
    iut = obtain_description(upper, peer, side, tcptypes="active passive so")
    iut.require(len({c.address for c in iut.candidates()}) == 1, "candidates on one address")
    wrong = [c for c in iut.candidates(tcptype="so") if c.other_preference != 8191]
    assert not wrong, f"other-pref is not 8191: {wrong[0]}"

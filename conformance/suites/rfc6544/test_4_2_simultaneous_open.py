"""RFC 6544 section 4.2: the priorities of simultaneous-open candidates."""

from __future__ import annotations

from conformance.suites.case import both_sides, describe, requirement


@both_sides
@requirement("RFC6544-4.2-09", needs="offers:so")
def test_so_host_direction_preference_is_2(upper, peer, side):
    """with    a description of the IUT with an S-O host candidate
    when    the direction preference is read from its priority
    then    it is 2."""
    iut = describe(upper, peer, side, tcptypes="active passive so")
    wrong = [c for c in iut.candidates(tcptype="so", type="host") if c.direction_preference != 2]
    assert not wrong, f"direction preference of an S-O host candidate is not 2: {wrong[0]}"

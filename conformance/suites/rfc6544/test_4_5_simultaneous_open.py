"""RFC 6544 section 4.5: simultaneous-open candidates in the SDP."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC6544-4.5-s02", needs="offers:so")
def test_tcptype_of_so_candidates_is_so(upper, peer, side):
    """with    a description of an IUT that offers S-O candidates
    when    the tcptypes of its candidates are read
    then    each is active, passive or so."""
    iut = obtain_description(upper, peer, side, tcptypes="active passive so")
    tcptypes = {(c.tcptype or "").lower() for c in iut.candidates()}
    assert tcptypes <= {"active", "passive", "so"}, f"tcptypes: {sorted(tcptypes)}"

"""RFC 6544 section 4.3: simultaneous-open candidates are no defaults."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC6544-4.3-02", needs="offers:so")
def test_default_is_no_so_candidate(upper, peer, side):
    """with    a description of the IUT with S-O candidates and others
    when    the default is read from its c= and m= lines
    then    it is none of the S-O candidates."""
    iut = obtain_description(upper, peer, side, tcptypes="active passive so")
    default = (iut.media().connection_address, iut.media().port)
    wrong = [c for c in iut.candidates(tcptype="so") if (c.address, c.port) == default]
    assert not wrong, f"the default is an S-O candidate: {wrong[0]}"

"""RFC 8445 sections 7.2.5.3.1 and 7.2.5.3.2: what a response's mapped address makes.

It shows in what the stack tells of the selected pair; no RFC says what it has to tell, so a failure counts for less.
"""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.selection import MAPPED, selected_behind_a_nat
from conformance.verdict import Level


@both_sides
@requirement("RFC8445-7.2.5.3.1-01", needs="connects:active reports:selected", at=Level.SHOULD)
def test_mapped_address_is_that_of_the_valid_pair(upper, peer, side):
    """with    our responses telling the IUT an address of a NAT
    when    ICE has completed on the connection that the IUT has opened
    then    the local candidate of the selected pair is at this address."""
    found = selected_behind_a_nat(upper, peer, side)
    assert found.local.endpoint == MAPPED, f"the selected pair begins at {found.local.endpoint}, mapped was {MAPPED}"


@both_sides
@requirement("RFC8445-7.2.5.3.1-s01", needs="connects:active", at=Level.SHOULD)
def test_unknown_mapped_address_is_a_peer_reflexive_candidate(upper, peer, side):
    """with    our responses telling the IUT an address of a NAT
    when    ICE has completed on the connection that the IUT has opened
    then    the local candidate of the selected pair is peer-reflexive, with the PRIORITY of the check."""
    found = selected_behind_a_nat(upper, peer, side)
    assert found.local.type.lower() == "prflx", f"its type is {found.local.type}"
    assert found.local.priority == found.connection.first_priority, "its priority is not PRIORITY of the check"

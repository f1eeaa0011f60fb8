"""RFC 8445 section 7.2.5.3.2: valid pairs."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.selection import selected_behind_a_nat
from conformance.verdict import Level


@both_sides
@requirement("RFC8445-7.2.5.3.2-s01", needs="connects:active", at=Level.SHOULD)
def test_valid_pair_ends_where_the_check_went(upper, peer, side):
    """with    two passive candidates of ours, and our responses telling the IUT an address of a NAT
    when    ICE has completed on a connection that the IUT has opened
    then    the remote candidate of the selected pair is that of this connection."""
    found = selected_behind_a_nat(upper, peer, side, candidates=2)
    where = found.connection.local_address
    assert found.remote.endpoint == where, f"the selected pair ends at {found.remote.endpoint}, the check at {where}"

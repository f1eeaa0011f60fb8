"""RFC 8421 section 5: local preferences."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.values import duplicates


@both_sides
@requirement("RFC8421-5-01", "RFC8445-5.1.2-01", needs="offers:passive")
def test_local_preferences_of_both_families_differ(upper, peer, side):
    """with    the IUT on an IPv4 and an IPv6 address
    when    the local preferences of its passive host candidates of a component are read
    then    they differ."""
    iut = obtain_description(upper, peer, side, addresses=upper.both_families())
    found = [c.local_preference for c in iut.candidates(tcptype="passive", type="host", component=1)]
    assert not duplicates(found), f"local preferences {found}"

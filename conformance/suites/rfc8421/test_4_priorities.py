"""RFC 8421 section 4: candidates of two families."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.values import by_priority
from conformance.verdict import Level


@requirement("RFC8421-4-s01", needs="offers:passive sides:offerer", at=Level.SHOULD)  # the sentence advises
def test_families_are_mixed(upper):
    """with    the IUT on two IPv4 addresses and one IPv6 address
    when    its passive host candidates are read by priority
    then    the IPv6 one is not behind both of IPv4."""
    offer = upper.offer(addresses=[*upper.two_addresses(), "::1"])
    found = by_priority(offer.candidates(tcptype="passive", type="host", component=1))
    is_ipv6 = [":" in candidate.address for candidate in found]
    offer.require(set(is_ipv6) == {True, False} and len(found) >= 3, "candidates on three addresses")
    assert is_ipv6.index(True) < len(found) - 1, "IPv6 comes last"

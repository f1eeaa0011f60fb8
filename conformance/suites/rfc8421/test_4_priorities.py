"""RFC 8421 section 4: candidates of two families."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.verdict import Level


@requirement("RFC8421-4-s01", needs="offers:passive sides:offerer", at=Level.SHOULD)  # the sentence advises
def test_families_are_mixed(upper):
    """with    the IUT on two IPv4 addresses and one IPv6 address
    when    its passive host candidates are read by priority
    then    the IPv6 one is not behind both of IPv4."""
    offer = upper.offer(addresses=[*upper.two_addresses(), upper.both_families()[1]])
    found = offer.candidates(tcptype="passive", type="host", component=1)
    ipv4 = [candidate.priority for candidate in found if ":" not in candidate.address]
    ipv6 = [candidate.priority for candidate in found if ":" in candidate.address]
    offer.require(bool(ipv6) and len(ipv4) >= 2, "candidates on three addresses")
    assert max(ipv6) >= min(ipv4), f"IPv6 has priority {max(ipv6)}, IPv4 {ipv4}"  # equal ones are another's matter

"""RFC 8445 section 5.1.1.3: foundations."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description


@both_sides
@requirement("RFC8445-5.1.1.3-s01")
def test_candidates_that_are_alike_share_a_foundation(upper, peer, side):
    """with    a description of the IUT with several TCP host candidates on one address
    when    their foundations are compared
    then    they are the same."""
    iut = obtain_description(upper, peer, side)
    by_address = {c.address: {d.foundation for d in iut.hosts() if d.address == c.address} for c in iut.hosts()}
    split = {address: found for address, found in by_address.items() if len(found) > 1}
    assert not split, f"TCP host candidates on one address have different foundations: {split}"


@both_sides
@requirement("RFC8445-5.1.1.3-s02", needs="transports:udp")
def test_transports_have_foundations_of_their_own(upper, peer, side):
    """with    a description of the IUT with UDP and TCP host candidates
    when    the foundations of each transport are compared
    then    no foundation is of both."""
    iut = obtain_description(upper, peer, side, transports=["udp", "tcp"])
    hosts = [c for c in iut.media().candidates if c.type.lower() == "host"]
    shared = {c.foundation for c in hosts if c.is_tcp} & {c.foundation for c in hosts if not c.is_tcp}
    assert not shared, f"UDP and TCP candidates have the foundation {min(shared)}"


@both_sides
@requirement("RFC8445-5.1.1.3-s02", needs="obeys:addresses families:4 families:6")
def test_addresses_have_foundations_of_their_own(upper, peer, side):
    """with    the IUT on an IPv4 and an IPv6 address
    when    the foundations of its host candidates on each are compared
    then    no foundation is of both."""
    hosts = obtain_description(upper, peer, side, addresses=upper.both_families()).hosts()
    first, second = ({c.foundation for c in hosts if (":" in c.address) is ipv6} for ipv6 in (False, True))
    assert not first & second, f"candidates on different addresses have the foundation {min(first & second)}"

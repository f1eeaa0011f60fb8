"""RFC 8445 section 5.1.1.1: host candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.values import deprecated_ipv6, ipv4_mapped


@both_sides
@requirement("RFC8445-5.1.1.1-01", "RFC6544-4.1-02", needs="components:2")
def test_every_component_has_candidates_on_every_address(upper, peer, side):
    """with    the IUT on two addresses, with two components
    when    its host candidates are read
    then    each component has some on each address."""
    wanted = upper.two_addresses()
    iut = obtain_description(upper, peer, side, components=2, addresses=wanted)
    places = {(component, address) for component in (1, 2) for address in wanted}
    missing = places - {(c.component, c.address) for c in iut.hosts()}
    assert not missing, f"no host candidate for (component, address) {sorted(missing)}"


@both_sides
@requirement("RFC8445-5.1.1.1-02")
def test_second_component_has_candidates_of_its_own(upper, peer, side):
    """with    the IUT having two components, of which RTCP is the second, on a port of its own
    when    its candidates are read
    then    there are some for the second component, and no passive one at a port of the first."""
    iut = obtain_description(upper, peer, side, components=2)
    iut.needs_no("rtcp-mux")
    first, second = ([c for c in iut.hosts() if c.component == number] for number in (1, 2))
    assert second, "there is no host candidate for the second component"
    shared = {c.endpoint for c in first if c.tcptype == "passive"} & {c.endpoint for c in second}
    assert not shared, f"both components have the address {min(map(str, shared))}"


@both_sides
@requirement("RFC8445-5.1.1.1-05", needs="obeys:addresses families:4")
def test_no_deprecated_ipv6_addresses(upper, peer, side):
    """with    the IUT on an IPv4 and an IPv6 address
    when    its candidates are read
    then    none has an IPv4-compatible or a site-local IPv6 address."""
    iut = obtain_description(upper, peer, side, addresses=upper.both_families())
    wrong = deprecated_ipv6(iut.media().candidates)
    assert not wrong, f"a candidate with a deprecated kind of address: {wrong[0]}"


@both_sides
@requirement("RFC8445-5.1.1.1-06", needs="obeys:addresses families:4")
def test_no_ipv4_mapped_addresses(upper, peer, side):
    """with    the IUT on an IPv4 and an IPv6 address
    when    its candidates are read
    then    none has an IPv4-mapped IPv6 address."""
    iut = obtain_description(upper, peer, side, addresses=upper.both_families())
    wrong = ipv4_mapped(iut.media().candidates)
    assert not wrong, f"a candidate with an IPv4-mapped address: {wrong[0]}"

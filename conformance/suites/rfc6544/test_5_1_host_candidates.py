"""RFC 6544 section 5.1: host candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import obtain_description


@varied("family", "components", "candidates")
@requirement("RFC6544-5.1-01", needs="offers:passive")
def test_passive_candidate_is_offered(upper, peer, side):
    """with    an IUT that can listen
    when    its description is read
    then    it has, for each component, a passive host candidate with a port that one can connect to."""
    iut = obtain_description(upper, peer, side)
    passive = {c.component for c in iut.hosts("passive") if c.port not in (0, 9)}
    missing = set(range(1, peer.shape.components + 1)) - passive
    assert not missing, f"there is no passive host candidate for component {min(missing)}"


@both_sides
@requirement("RFC6544-5.1-01", needs="offers:passive obeys:addresses families:4 families:6")
def test_passive_candidate_on_every_address(upper, peer, side):
    """with    an IUT that can listen, on an IPv4 and an IPv6 address
    when    its description is read
    then    it has a passive host candidate on each."""
    iut = obtain_description(upper, peer, side, addresses=upper.both_families())
    passive = {c.address for c in iut.hosts("passive")}
    assert passive >= set(upper.both_families()), f"passive host candidates on {sorted(passive)} only"


@both_sides
@requirement("RFC6544-5.1-01", needs="offers:passive components:2")
def test_components_listen_on_ports_of_their_own(upper, peer, side):
    """with    a description of the IUT with two components
    when    the addresses and ports of its passive and S-O host candidates are compared
    then    no two candidates of different components have the same."""
    iut = obtain_description(upper, peer, side, components=2)
    listening = [c for c in iut.candidates(type="host") if c.tcptype in ("passive", "so")]
    first = {c.endpoint for c in listening if c.component == 1}
    shared = [c for c in listening if c.component == 2 and c.endpoint in first]
    assert not shared, f"a candidate of the first component has the same address and port: {shared[0]}"

"""RFC 6544 section 5.1: simultaneous-open host candidates."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.values import is_host


@both_sides
@requirement("RFC6544-5.1-01", needs="offers:so")
def test_so_candidate_is_offered(upper, peer, side):
    """with    an IUT that can act simultaneously
    when    its description is read
    then    it has an S-O host candidate with a port that one can connect to."""
    media = obtain_description(upper, peer, side, tcptypes="active passive so").media()
    so = [c for c in media.candidates if is_host(c, "so") and c.port not in (0, 9)]
    assert so, "there is no S-O host candidate"


@both_sides
@requirement("RFC6544-5.1-01", needs="offers:so offers:passive")
def test_so_and_passive_candidates_have_ports_of_their_own(upper, peer, side):
    """with    a description of the IUT with S-O and passive host candidates
    when    their addresses and ports are compared
    then    no S-O candidate is where a passive one is."""
    iut = obtain_description(upper, peer, side, tcptypes="active passive so")
    passive = {c.endpoint for c in iut.candidates(tcptype="passive", type="host")}
    shared = [c for c in iut.candidates(tcptype="so", type="host") if c.endpoint in passive]
    assert not shared, f"a passive candidate has the same address and port: {shared[0]}"


@both_sides
@requirement("RFC6544-5.1-01", needs="offers:so obeys:addresses families:4 families:6")
def test_so_candidate_on_every_address(upper, peer, side):
    """with    an IUT that can act simultaneously, on an IPv4 and an IPv6 address
    when    its description is read
    then    it has an S-O host candidate on each."""
    iut = obtain_description(upper, peer, side, tcptypes="active passive so", addresses=upper.both_families())
    so = {c.address for c in iut.candidates(tcptype="so", type="host")}
    assert so >= set(upper.both_families()), f"S-O host candidates on {sorted(so)} only"

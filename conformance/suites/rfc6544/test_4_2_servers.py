"""RFC 6544 section 4.2: the priorities of server reflexive and relayed TCP candidates."""

from __future__ import annotations

import pytest

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import NAT, gathered, gathered_if_any, relayed
from conformance.suites.values import duplicates, interleaved, preferences

_DIRECTIONS = ("active", "passive")
_EITHER = pytest.mark.parametrize("tcptype", _DIRECTIONS)
_REFLEXIVE = {"active": 4, "passive": 2}
_RELAYED = {"active": 6, "passive": 4}


@both_sides
@requirement("RFC6544-4.2-04")
def test_relayed_candidates_rank_lowest(upper, peer, side):
    """with    a TURN server, which sees the IUT at an address of a NAT
    when    the type preferences of its candidates are compared
    then    those of relayed candidates are below all others."""
    peer.answering = False  # an answerer that is connected already may gather no more
    iut = obtain_description(upper, peer, side, ice_servers=[peer.turn_server(mapped=NAT).entry])
    found = relayed(iut)
    iut.require(bool(found), "relayed candidates")
    lowest = min(c.type_preference for c in iut.media().candidates if c.type.lower() != "relay")
    wrong = [c for c in found if c.type_preference >= lowest]
    assert not wrong, f"a relayed candidate is not below the others, whose lowest type preference is {lowest}: {wrong}"


@both_sides
@_EITHER
@requirement("RFC6544-4.2-09", needs="tcp_relay")
def test_relayed_direction_preference(upper, peer, side, tcptype):
    """with    a TURN server that allocates TCP addresses
    when    the direction preference is read from the IUT's relayed candidates of one tcptype
    then    it is 6 for active and 4 for passive ones."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    wanted = _RELAYED[tcptype]
    wrong = [c for c in gathered_if_any(iut, "relay", tcptype) if c.direction_preference != wanted]
    assert not wrong, f"direction preference of a {tcptype} relayed candidate is not {wanted}: {wrong[0]}"


@both_sides
@_EITHER
@requirement("RFC6544-4.2-10")
def test_reflexive_direction_preference(upper, peer, side, tcptype):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the direction preference is read from the IUT's reflexive candidates of one tcptype
    then    it is 4 for active and 2 for passive ones."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    wanted = _REFLEXIVE[tcptype]
    wrong = [c for c in gathered_if_any(iut, "srflx", tcptype) if c.direction_preference != wanted]
    assert not wrong, f"direction preference of a {tcptype} reflexive candidate is not {wanted}: {wrong[0]}"


@both_sides
@requirement("RFC6544-4.2-11", needs="tcp_srflx tcp_relay")
def test_other_preference_is_unique_with_several_servers(upper, peer, side):
    """with    two TURN servers and a STUN server, which see the IUT at different addresses of NATs
    when    its candidates of one component, type preference and direction preference are compared
    then    no two of them have the same other-pref."""
    servers = [peer.turn_server(), peer.turn_server(mapped=NAT), peer.stun_server(mapped="198.51.100.8")]
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry for server in servers])
    iut.require(len(iut.candidates()) > len(iut.candidates(type="host")), "candidates from servers")
    kinds = [preferences(c) for c in iut.candidates()]
    assert not duplicates(kinds), f"(component, type, direction, other) preferences occur twice: {duplicates(kinds)}"


@requirement("RFC6544-4.2-03", needs="sides:offerer")
def test_preferred_transport_is_above_the_other_throughout(upper, peer):
    """with    the IUT offering UDP and TCP for RTP, and servers that give it reflexive and relayed candidates
    when    the type preferences of its candidates are compared
    then    they are ordered by type, or else all of one transport are above the other's."""
    servers = [peer.stun_server(mapped=NAT).entry, peer.turn_server(mapped=NAT).entry]
    iut = upper.offer(transports=["udp", "tcp"], ice_servers=servers)
    iut.require(bool(gathered(iut, "srflx")), "reflexive TCP candidates")
    wrong = interleaved(iut.media().candidates)
    assert not wrong, f"type preferences are ordered neither by type nor by transport: {wrong}"

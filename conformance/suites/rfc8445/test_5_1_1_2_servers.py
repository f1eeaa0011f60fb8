"""RFC 8445 section 5.1.1.2: server reflexive and relayed candidates."""

from __future__ import annotations

from conformance.suites import pace
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import obtain_description
from conformance.suites.servers import NAT, asked_for, credentials_in, gathered, require_refusal
from conformance.wire.attributes import Address
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.stun import Method

_ACTIVE = 9  # the port that active candidates state (RFC 6544 section 4.5)


@both_sides
@requirement("RFC8445-5.1.1.2-01", needs="tcp_srflx tcp_relay")
def test_reflexive_and_relayed_candidates_stand_together(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT, and a TURN server
    when    the IUT's description is read
    then    it has server reflexive and relayed TCP candidates."""
    servers = [peer.stun_server(mapped=NAT), peer.turn_server(mapped=NAT)]
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry for server in servers])
    assert gathered(iut, "srflx"), "there is no server reflexive candidate"
    assert gathered(iut, "relay"), "there is no relayed candidate"


@both_sides
@requirement("RFC8445-5.1.1.2-04", needs="turn_over_tcp")
def test_one_server_of_each_kind_is_asked(upper, peer, side):
    """with    two STUN servers and two TURN servers
    when    the IUT has gathered its candidates
    then    it has asked one STUN server and one TURN server at least."""
    stun = [peer.stun_server(mapped=NAT), peer.stun_server(mapped=NAT)]
    turn = [peer.turn_server(), peer.turn_server()]
    obtain_description(upper, peer, side, ice_servers=[server.entry for server in (*stun, *turn)])
    assert any(server.requests() for server in stun), "it has asked no STUN server"
    assert any(server.requests() for server in turn), "it has asked no TURN server"


@both_sides
@requirement("RFC8445-5.1.1.2-06")
def test_allocate_requests_use_the_credentials(upper, peer, side):
    """with    a TURN server that challenges Allocate requests
    when    the IUT has gathered its candidates
    then    an Allocate request has come that is protected with its long-term credentials."""
    server = peer.turn_server()
    obtain_description(upper, peer, side, ice_servers=[server.entry])
    asked = asked_for(server, Method.ALLOCATE)
    key = long_term_key(server.username, server.realm, server.password)
    protected = [request for request in asked if check_integrity(request.octets, key) is Check.VALID]
    assert protected, f"none of {len(asked)} Allocate requests is protected with the credentials"


@requirement("RFC8445-5.1.1.2-07", "RFC6544-4.1-s01", needs="sides:answerer")
def test_requests_for_candidates_are_paced(upper, peer):
    """with    sixteen STUN servers
    when    the IUT, as the answerer, gathers its candidates
    then    no request comes before its turn, one every Ta from the moment our offer was made."""
    servers = [peer.stun_server(mapped=NAT) for _ in range(16)]
    upper.open("answerer", ice_servers=[server.entry for server in servers])
    upper.accept(peer.offer(), kind="offer")
    iut = upper.describe()
    seen = pace.of_requests(peer, iut, [request for server in servers for request in server.requests()])
    assert not seen.early(seen.checks), f"servers are asked too fast: {seen.early(seen.checks)}"


@both_sides
@requirement("RFC8445-5.1.1.2-08")
def test_binding_where_an_allocation_is_refused(upper, peer, side):
    """with    a TURN server without capacity (error 508), that sees the IUT at an address of a NAT
    when    the IUT has gathered its candidates
    then    it has sent a Binding request there for a server reflexive candidate."""
    server = peer.turn_server(mapped=NAT)
    server.lacks = True
    obtain_description(upper, peer, side, ice_servers=[server.entry])
    require_refusal(server, Method.ALLOCATE, 508)
    assert server.requests(Method.BINDING), "no Binding request has come"


@both_sides
@requirement("RFC8445-5.1.1.2-s01")
def test_requests_to_stun_servers_have_no_credentials(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the IUT's Binding requests to it are read
    then    they have neither USERNAME nor MESSAGE-INTEGRITY."""
    server = peer.stun_server(mapped=NAT)
    obtain_description(upper, peer, side, ice_servers=[server.entry])
    said = credentials_in(server.requests(Method.BINDING))
    assert not said, f"a Binding request to the server has {said[0]}"


@both_sides
@requirement("RFC8445-5.1.1.2-s02", needs="tcp_srflx")
def test_allocation_gives_two_candidates(upper, peer, side):
    """with    a TURN server that sees the IUT at an address of a NAT
    when    the IUT's description is read
    then    it has a relayed candidate at the allocated address, and a server reflexive one at the mapped address.

    An active one states port 9 instead of the allocated one (RFC 6544 section 4.5)."""
    server = peer.turn_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    allocated = {*server.relayed} | {Address(address.ip, _ACTIVE) for address in server.relayed}
    assert {c.endpoint for c in gathered(iut, "relay")} & allocated, "there is no relayed candidate"
    assert {c.address for c in gathered(iut, "srflx")} == {NAT}, "there is no server reflexive candidate"

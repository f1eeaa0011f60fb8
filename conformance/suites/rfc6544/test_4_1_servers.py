"""RFC 6544 section 4.1: candidates from STUN and TURN servers. The lower tester is the server."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.relays import exchange
from conformance.suites.servers import NAT, components, gathered


@both_sides
@requirement("RFC6544-4.1-04", needs="tcp_srflx")
def test_reflexive_candidates_are_obtained(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the IUT's description is read
    then    it has server reflexive TCP candidates at that address."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    reflexive = {c.address for c in gathered(iut, "srflx")}
    assert reflexive == {NAT}, f"reflexive candidates at {sorted(reflexive) or 'no address'}, the server said {NAT}"


@both_sides
@requirement("RFC6544-4.1-04", needs="tcp_srflx offers:passive")
def test_reflexive_passive_candidate_is_at_the_mapped_port(upper, peer, side):
    """with    a STUN server that sees the IUT at an address of a NAT
    when    the passive server reflexive candidates of the IUT's description are read
    then    each is at a transport address that the server has told the IUT."""
    server = peer.stun_server(mapped=NAT)
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    told = {server.seen(connection) for connection in server.used}
    strange = [c for c in gathered(iut, "srflx", "passive") if c.endpoint not in told]
    assert not strange, f"a passive reflexive candidate at no address that the server has told: {strange[0]}"


@both_sides
@requirement("RFC6544-4.1-05")
def test_passive_relayed_candidates_are_obtained(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's description is read
    then    it has a passive relayed candidate, at an address that the server has allocated."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    relayed = {c.endpoint for c in gathered(iut, "relay", "passive")}
    assert relayed, "there is no passive relayed candidate"
    assert relayed <= set(server.relayed), f"relayed candidates at {relayed}, allocated were {server.relayed}"


@both_sides
@requirement("RFC6544-4.1-05", needs="components:2")
def test_every_component_has_a_passive_relayed_candidate(upper, peer, side):
    """with    a TURN server that allocates TCP addresses, and two components
    when    the IUT's description is read
    then    each component has a passive relayed candidate."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, components=2, ice_servers=[server.entry])
    found = components(gathered(iut, "relay", "passive"))
    assert found == {1, 2}, f"passive relayed candidates for components {sorted(found) or 'none'}, not for 1 and 2"


@both_sides
@requirement("RFC6544-4.1-06")
def test_active_relayed_candidate_is_there(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's description is read
    then    it has an active relayed candidate."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    assert gathered(iut, "relay", "active"), "there is no active relayed candidate"


@both_sides
@requirement("RFC6544-4.1-07")
def test_host_and_relayed_candidates_together(upper, peer, side):
    """with    a TURN server that allocates TCP addresses
    when    the IUT's description is read
    then    it has host candidates and relayed candidates."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, ice_servers=[server.entry])
    assert gathered(iut, "relay"), "there is no relayed candidate"
    assert gathered(iut, "host"), "there is no host candidate"


@both_sides
@requirement("RFC6544-4.1-08", "RFC8489-6.2.2-04", needs="tcp_srflx")
def test_connection_to_the_stun_server_is_kept(upper, peer, side, pixit):
    """with    a STUN server that sees the IUT at an address of a NAT, and descriptions exchanged
    when    ICE has not completed yet
    then    the connections over which the IUT has learnt its addresses are open."""
    server = peer.stun_server(mapped=NAT)
    negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    server.expect_kept(within=pixit.silence)


@both_sides
@requirement("RFC6544-4.1-08", needs="turn_over_tcp")
def test_connection_to_the_turn_server_is_kept(upper, peer, side, pixit):
    """with    a TURN server, descriptions exchanged, and no answers of ours
    when    ICE has not completed yet
    then    the connections over which the IUT has allocated are open."""
    peer.answering = False
    server = peer.turn_server()
    exchange(upper, peer, side, server, "active")
    server.expect_kept(within=pixit.silence)


@both_sides
@requirement("RFC6544-4.1-09")
def test_relayed_udp_candidate_asked_for_over_tcp(upper, peer, side):
    """with    a TURN server over TCP, RTP over UDP and TCP, and an IUT that asks the server for a UDP address
    when    its description is read
    then    it has a relayed UDP candidate at this address."""
    server = peer.turn_server()
    iut = obtain_description(upper, peer, side, transports=["udp", "tcp"], ice_servers=[server.entry])
    allocated = server.udp_allocation().relayed
    found = {c.endpoint for c in iut.media().candidates if c.type.lower() == "relay" and c.transport.upper() == "UDP"}
    assert allocated in found, f"allocated was {allocated}; relayed UDP candidates are at {found or 'no address'}"


@both_sides
@requirement("RFC6544-4.1-09")
def test_checks_to_a_relayed_udp_candidate(upper, peer, side, pixit):
    """with    a relayed UDP address that the IUT has asked for over TCP, and a UDP candidate of ours to pair it with
    when    a check comes to this address
    then    the IUT answers it."""
    peer.answering = False  # else the IUT may be content with another pair
    server = peer.turn_server()
    ours = [peer.udp().candidate(), peer.candidate("passive")]
    iut = negotiate(upper, peer, side, peer_candidates=ours, transports=["udp", "tcp"], ice_servers=[server.entry])
    allocation = server.udp_allocation()
    server.ask_through(allocation, peer.check(iut), within=pixit.response)

"""RFC 6544 section 11.2: connections to STUN and TURN servers once ICE has completed."""

from __future__ import annotations

from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import complete_on_relay
from conformance.suites.servers import NAT, gathered
from conformance.suites.values import DATA, MORE_DATA
from conformance.wire.rfc4571 import frame


@both_sides
@requirement("RFC6544-11.2-01", needs="offers:passive")
def test_connection_to_the_stun_server_is_closed(upper, peer, side, pixit):
    """with    addresses learnt from a STUN server
    when    ICE has completed
    then    the IUT closes its connections to the server."""
    server = peer.stun_server(mapped=NAT)
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    await_selection(upper, peer, peer.complete(iut, peer.connect(iut.candidate(tcptype="passive"))))
    server.expect_closed(within=pixit.close)


@watches(6.0)
@both_sides
@requirement("RFC6544-11.2-02")
def test_connection_to_the_turn_server_in_use_stays(upper, peer, side, pixit):
    """with    an address allocated on a TURN server
    when    ICE has completed on this relayed address
    then    the connection over which the IUT has allocated it stays open."""
    server = peer.turn_server()
    control = complete_on_relay(upper, peer, server, side)
    control.expect_open(within=pixit.close)


@both_sides
@requirement("RFC6544-11.2-02", needs="tcp_relay payload:raw reports:data")
def test_data_flow_through_the_relay(upper, peer, side, pixit):
    """with    ICE completed on a connection to a relayed address
    when    data is sent both ways a while later
    then    the connection is still there, and it arrives."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    selected = peer.complete(iut, server.connect(iut.candidates(tcptype="passive", type="relay")[0]))
    upper.ready(within=pixit.complete)
    selected.expect_open(within=pixit.silence)
    selected.send(frame(DATA))
    upper.expect_data(DATA, within=pixit.response)
    upper.send(MORE_DATA)
    selected.expect_data(MORE_DATA, within=pixit.response)


@both_sides
@requirement("RFC6544-11.2-03", "RFC8656-8-02", needs="offers:passive")
def test_connection_to_the_turn_server_not_in_use_is_closed(upper, peer, side, pixit):
    """with    an address allocated on a TURN server
    when    ICE has completed on a connection to a host candidate
    then    the IUT closes its connections to the server."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    await_selection(upper, peer, peer.complete(iut, peer.connect(iut.candidate(tcptype="passive"))))
    server.expect_closed(within=pixit.close)


@both_sides
@requirement("RFC6544-11.2-04")
def test_lost_connection_to_the_turn_server_is_replaced(upper, peer, side, pixit):
    """with    ICE completed on a connection to a relayed address, and the TURN server ending the IUT's connection to it
    when    the IUT, told to, restarts ICE
    then    its credentials are new, and so is a relayed address, for which it has come to the server again."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    selected = peer.complete(iut, server.connect(iut.candidates(tcptype="passive", type="relay")[0]))
    await_selection(upper, peer, selected)
    before = set(server.relayed)
    server.lose(selected)
    peer.wait(pixit.silence)
    again = upper.restart()
    assert again.ufrag != iut.ufrag, "the credentials are the old ones"
    relayed = {c.endpoint for c in gathered(again, "relay")} & set(server.relayed)
    assert relayed - before, f"relayed candidates are at {relayed or 'no address'}, lost was {before}"

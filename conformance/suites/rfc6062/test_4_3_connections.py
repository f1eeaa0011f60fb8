"""RFC 6062 section 4.3: connections that a client asks for through an allocation."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.relays import (
    await_bind,
    connect_answered,
    connect_asked,
    expect_bind,
    expect_data_connection,
    is_signed,
    most_together,
    unsigned,
)
from conformance.wire.stun import Method


@both_sides
@requirement("RFC6062-4.3-01")
def test_connect_comes_on_the_control_connection(upper, peer, side):
    """with    an allocation on a TURN server, and a passive candidate of ours
    when    the IUT asks for a connection to it
    then    its Connect comes on the connection of the allocation."""
    server = peer.turn_server()
    asked = connect_asked(upper, peer, side, server)
    assert asked.connection in server.used, f"Connect came on {asked.connection}"


@both_sides
@requirement("RFC6062-4.3-02")
def test_connect_names_the_peer(upper, peer, side):
    """with    an allocation on a TURN server, and a passive candidate of ours
    when    the IUT asks for a connection to it
    then    XOR-PEER-ADDRESS of its Connect is our candidate."""
    server = peer.turn_server()
    asked = connect_asked(upper, peer, side, server)
    ours = {(peer.address, listener.port) for listener in peer.listeners}
    named = asked.message.xor_peer_address
    assert named is not None, "Connect has no XOR-PEER-ADDRESS"
    assert (named.ip, named.port) in ours, f"XOR-PEER-ADDRESS is {named}"


@both_sides
@requirement("RFC6062-4.3-06", "RFC6062-4.3-03")
def test_data_connection_is_bound(upper, peer, side):
    """with    an allocation on a TURN server, and a passive candidate of ours
    when    its Connect has been answered
    then    ConnectionBind comes on another connection, to the same server address."""
    server = peer.turn_server()
    asked = connect_answered(upper, peer, side, server)
    bind = expect_bind(peer, server)
    assert bind.connection is not asked.connection, "ConnectionBind came on the control connection"


@both_sides
@requirement("RFC6062-4.3-07")
def test_data_connection_is_bound_by_the_id_of_the_response(upper, peer, side):
    """with    an allocation on a TURN server, and a passive candidate of ours
    when    its Connect has been answered
    then    ConnectionBind has the CONNECTION-ID of this response."""
    server = peer.turn_server()
    connect_asked(upper, peer, side, server)
    bind = await_bind(peer, server)
    assert bind.message.connection_id in server.connection_ids, f"CONNECTION-ID is {bind.message.connection_id}"


@both_sides
@requirement("RFC6062-4.3-05")
def test_data_connection_is_authenticated(upper, peer, side):
    """with    an allocation on a TURN server, and a passive candidate of ours
    when    its Connect has been answered
    then    ConnectionBind has credentials and integrity, at the latest when it is asked again."""
    server = peer.turn_server()
    connect_asked(upper, peer, side, server)
    await_bind(peer, server)
    peer.wait(peer.pixit.silence)
    binds = server.requests(Method.CONNECTION_BIND)
    assert any(is_signed(one) and not unsigned([one]) for one in binds), "no ConnectionBind has integrity"


@both_sides
@watches(5)
@requirement("RFC6062-4.3-08")
def test_failed_connect_is_not_repeated_at_once(upper, peer, side):
    """with    an allocation on a TURN server that answers Connect by 447
    when    some seconds pass
    then    the IUT does not ask for a connection to the same peer again."""
    server = peer.turn_server()
    server.manner.refusals[Method.CONNECT], server.manner.always = [447], {447}
    asked = connect_asked(upper, peer, side, server)
    peer.wait(5.0)
    again = [
        one for one in server.requests(Method.CONNECT) if one.message.xor_peer_address == asked.message.xor_peer_address
    ]
    at = sorted(one.time for one in again if one.connection is asked.connection)
    assert len(at) == 1, f"it asked again {at[1] - at[0]:.1f} s later; 10 s are the least"


@both_sides
@requirement("RFC6062-4.3-10")
def test_no_two_connects_for_a_peer_at_a_time(upper, peer, side):
    """with    an allocation on a TURN server that leaves Connect unanswered
    when    the IUT asks for a connection to our candidate
    then    it does not ask for another one to this candidate meanwhile."""
    server = peer.turn_server()
    server.manner.withheld.add(Method.CONNECT)
    connect_asked(upper, peer, side, server)
    peer.wait(peer.pixit.retransmission)
    count = most_together(server)
    assert count == 1, f"{count} Connects for one peer are on their way"


@both_sides
@requirement("RFC6062-4.3-03")
def test_data_connection_goes_to_the_servers_address(upper, peer, side):
    """with    an allocation on a TURN server, and a passive candidate of ours
    when    its Connect has been answered
    then    another connection comes to the same server address."""
    server = peer.turn_server()
    connect_answered(upper, peer, side, server)
    expect_data_connection(peer, server)

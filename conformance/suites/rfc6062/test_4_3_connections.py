"""RFC 6062 sections 4.3 to 4.6: connections with peers through an allocation."""

from __future__ import annotations

from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import (
    attempted,
    await_bind,
    connect_asked,
    expect_bind,
    is_signed,
    most_together,
    relayed_of,
    unsigned,
)
from conformance.wire.rfc4571 import frame
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
    asked = connect_asked(upper, peer, side, server)
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
    binds = server.log(Method.CONNECTION_BIND)
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
        one for one in server.log(Method.CONNECT) if one.message.xor_peer_address == asked.message.xor_peer_address
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
    server.manner.withheld = {Method.CONNECT}
    connect_asked(upper, peer, side, server)
    peer.wait(peer.pixit.retransmission)
    count = most_together(server)
    assert count == 1, f"{count} Connects for one peer are on their way"


@both_sides
@requirement("RFC6062-4.4-04", "RFC6062-4.4-01")
def test_attempt_of_a_peer_is_taken(upper, peer, side):
    """with    a relayed candidate of the IUT's
    when    the server tells of a peer's connection to it
    then    the IUT opens a new connection to the same server and sends ConnectionBind on it."""
    server = peer.turn_server()
    attempted(upper, peer, side, server)
    bind = expect_bind(peer, server)
    assert bind.connection not in server.used, "ConnectionBind came on a control connection"


@both_sides
@requirement("RFC6062-4.4-01", "RFC6062-4.4-04")
def test_connection_for_an_attempt_goes_to_the_same_server(upper, peer, side):
    """with    a relayed candidate of the IUT's
    when    the server tells of a peer's connection to it
    then    the IUT opens a new connection to the same server address."""
    server = peer.turn_server()
    attempted(upper, peer, side, server)
    expect_bind(peer, server)


@both_sides
@requirement("RFC6062-4.4-03")
def test_connection_for_an_attempt_is_authenticated(upper, peer, side):
    """with    a relayed candidate of the IUT's
    when    the server tells of a peer's connection to it
    then    ConnectionBind has credentials and integrity, at the latest when it is asked again."""
    server = peer.turn_server()
    attempted(upper, peer, side, server)
    await_bind(peer, server)
    peer.wait(peer.pixit.silence)
    binds = server.log(Method.CONNECTION_BIND)
    assert any(is_signed(one) and not unsigned([one]) for one in binds), "no ConnectionBind has integrity"


@both_sides
@requirement("RFC6062-4.4-05")
def test_attempt_is_bound_by_its_id(upper, peer, side):
    """with    a relayed candidate of the IUT's
    when    the server tells of a peer's connection to it
    then    ConnectionBind has the CONNECTION-ID of the ConnectionAttempt."""
    server = peer.turn_server()
    identifier = attempted(upper, peer, side, server)
    bind = await_bind(peer, server)
    assert bind.message.connection_id == identifier, f"CONNECTION-ID is {bind.message.connection_id}, not {identifier}"


@both_sides
@requirement("RFC6062-4.5-s01")
def test_data_connection_carries_frames_as_they_are(upper, peer, side):
    """with    a data connection that the IUT has bound for our attempt
    when    its first octets come
    then    they are a frame that holds exactly one STUN message."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    connection = server.connect(relayed_of(iut))
    connection.send(frame(bytes(peer.check(iut))))
    peer.wait_until(lambda: len(connection.octets) > 22, peer.pixit.response)
    octets = bytes(connection.octets)
    assert octets[2:4] in (b"\0\1", b"\1\1"), f"it begins with {octets[:8].hex(' ')}, not with a frame of STUN"


@both_sides
@requirement("RFC6062-4.6-s01")
def test_relayed_connection_ends_by_closing_the_data_connection(upper, peer, side):
    """with    two connections of ours to a relayed candidate
    when    ICE has completed on one of them
    then    the IUT closes the data connection of the other."""
    server = peer.turn_server()
    iut = negotiate(upper, peer, side, peer_tcptypes="active", ice_servers=[server.entry])
    other, selected = (server.connect(relayed_of(iut)) for _ in range(2))
    await_selection(upper, peer, peer.complete(iut, selected))
    other.expect_end(within=peer.pixit.close)

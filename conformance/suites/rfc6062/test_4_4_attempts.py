"""RFC 6062 section 4.4: connections that peers open to a relayed address."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    attempted,
    await_bind,
    expect_bind,
    is_signed,
    unsigned,
)
from conformance.wire.stun import Method


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
    binds = server.requests(Method.CONNECTION_BIND)
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

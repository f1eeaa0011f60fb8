"""RFC 8489 section 14.10: nonce."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    allocates,
    gather,
    values,
)
from conformance.wire.attributes import Attribute


@both_sides
@requirement("RFC8489-14.10-01", "RFC8489-9.2.5-07")
def test_long_nonce_is_repeated_whole(upper, peer, side):
    """with    a TURN server whose nonce has 127 characters
    when    the IUT answers the 401
    then    its request has the whole nonce."""
    server = peer.turn_server()
    server.core.lengthen_nonce(127)
    gather(upper, peer, side, server, allocated=False)
    nonces = values(allocates(server), Attribute.NONCE)
    assert nonces == {server.core.nonce.encode()}, f"NONCE: {nonces}"

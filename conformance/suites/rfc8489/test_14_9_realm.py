"""RFC 8489 section 14.9: realm."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    allocates,
    gather,
    values,
)
from conformance.wire.attributes import Attribute


@both_sides
@requirement("RFC8489-14.9-01", "RFC8489-9.2.5-06")
def test_long_realm_is_repeated_whole(upper, peer, side):
    """with    a TURN server whose realm has 127 characters, of two octets each
    when    the IUT answers the 401
    then    its request has the whole realm."""
    server = peer.turn_server()
    server.manner.realm = "\u00e9" * 127
    gather(upper, peer, side, server, allocated=False)
    realms = values(allocates(server), Attribute.REALM)
    assert realms == {server.manner.realm.encode()}, f"REALM: {realms}"

"""RFC 6062 section 4.5: data over the connections of an allocation."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.relays import (
    relayed_of,
)
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MAGIC_COOKIE


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
    assert octets[6:10] == MAGIC_COOKIE.to_bytes(4), f"it begins with {octets[:8].hex(' ')}, not with a frame of STUN"

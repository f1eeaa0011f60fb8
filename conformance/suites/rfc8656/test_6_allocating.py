"""RFC 8656 section 6: allocating."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    allocates,
    gather,
    values,
    with_algorithm,
)
from conformance.wire.attributes import Attribute
from conformance.wire.longterm import MD5, SHA256, decode_algorithms


@both_sides
@requirement("RFC8656-6-03", "RFC8489-9.2.5-09")
def test_sha256_is_chosen(upper, peer, side):
    """with    a TURN server that lists SHA-256 and MD5
    when    the IUT answers the 401 and names an algorithm
    then    it is SHA-256."""
    server = peer.turn_server()
    server.manner.algorithms = (SHA256, MD5)
    gather(upper, peer, side, server, allocated=False)
    named = values(with_algorithm(allocates(server)), Attribute.PASSWORD_ALGORITHM)
    assert {decode_algorithms(value) for value in named} == {(SHA256,)}, f"PASSWORD-ALGORITHM: {named}"

"""RFC 8489 section 14.12: algorithms."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.relays import (
    allocates,
    gather,
    values,
    with_algorithm,
)
from conformance.wire.attributes import Attribute
from conformance.wire.longterm import MD5, SHA256


@both_sides
@requirement("RFC8489-14.12-01")
def test_parameters_of_an_algorithm_are_padded_with_zeros(upper, peer, side):
    """with    a TURN server that lists SHA-256 and MD5
    when    the IUT answers the 401 and names an algorithm
    then    what stands behind the number of the algorithm is a length, and padding that is zero."""
    server = peer.turn_server()
    server.manner.algorithms = (SHA256, MD5)
    gather(upper, peer, side, server, allocated=False)
    named = values(with_algorithm(allocates(server)), Attribute.PASSWORD_ALGORITHM)
    wrong = [value for value in named if any(value[4 + int.from_bytes(value[2:4], "big") :])]
    assert not wrong, f"PASSWORD-ALGORITHM is {wrong[0].hex(' ')}"

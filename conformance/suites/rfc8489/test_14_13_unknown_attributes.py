"""RFC 8489 section 14.13: unknown attributes."""

from __future__ import annotations

from conformance.peer.events import BindingError
from conformance.suites.marks import both_sides, by_openers, requirement
from conformance.suites.messages import converse, flaws
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.attributes import Attribute
from conformance.wire.layers import RFC4571, RawStunAttribute


@both_sides
@requirement("RFC8489-14.13-s01", "RFC8489-6.3.1.1-03", needs="offers:passive")
def test_unknown_attributes_has_16_bits_a_type(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a request has been refused for one unknown comprehension-required attribute
    then    UNKNOWN-ATTRIBUTES has two octets, and they are its type."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, attributes=[RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"7")]))
    error = connection.await_frame(BindingError(420), within=pixit.response)
    found = error.stun.first(Attribute.UNKNOWN_ATTRIBUTES)
    assert found is not None, "there is no UNKNOWN-ATTRIBUTES"
    assert found.value == UNKNOWN_REQUIRED.to_bytes(2, "big"), f"UNKNOWN-ATTRIBUTES is {found.value.hex()}"


@both_sides
@by_openers
@requirement("RFC8489-14.13-s02")
def test_unknown_attributes_is_in_a_420_alone(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    UNKNOWN-ATTRIBUTES is only in an error response of code 420."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "a 420 around UNKNOWN-ATTRIBUTES")
    assert not wrong, wrong[0]

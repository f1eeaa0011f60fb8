"""RFC 8489 section 6.3.1: requests with unknown comprehension-required attributes."""

from __future__ import annotations

from conformance.suites.checks import expect_refusal
from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.layers import RFC4571, RawStunAttribute


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8489-6.3.1-s01", "RFC6544-7.2-s01", needs="offers:passive")
def test_unknown_required_attribute_is_refused_with_420(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with an unknown comprehension-required attribute
    then    the IUT answers with error 420."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    connection.send(RFC4571() / peer.check(iut, attributes=[strange]))
    expect_refusal(peer, iut, connection, 420)

"""RFC 8445 section 7.3.1.3: peer-reflexive remote candidates."""

from __future__ import annotations

from conformance.suites.checks import await_success, expect_check
from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.values import ELSEWHERE


@varied("family", "segmentation", "candidates")
@requirement("RFC8445-7.3.1.3-s01", "RFC6544-7.2-s03", needs="offers:passive")
def test_request_from_an_unknown_address_is_followed_by_a_check(upper, peer, side):
    """with    our description holding nothing but an active candidate of another address
    when    we nevertheless connect to the IUT's passive candidate and send a check
    then    the IUT takes the address for a peer-reflexive candidate and sends a check on this connection."""
    elsewhere = peer.candidate("active", address=ELSEWHERE[peer.shape.family])
    iut = negotiate(upper, peer, side, peer_candidates=[elsewhere])
    connection = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, connection)
    expect_check(peer, iut, connection)

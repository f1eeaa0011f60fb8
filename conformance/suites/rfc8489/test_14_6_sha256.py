"""RFC 8489 sections 14.6 and 9: MESSAGE-INTEGRITY-SHA256, of agents that use it."""

from __future__ import annotations

from conformance.suites.marks import both_sides, requirement
from conformance.suites.messages import answer_by_sha256, needs_all_octets, sha256_of
from conformance.suites.negotiation import negotiate
from conformance.wire.integrity import Check, check_integrity_sha256, short_term_key


@both_sides
@requirement("RFC8489-14.6-01", needs="offers:passive")
def test_size_of_message_integrity_sha256(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check with MESSAGE-INTEGRITY-SHA256 has been answered by the same
    then    it has at least 16 octets, at most 32, and a multiple of 4."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    value = sha256_of(answer_by_sha256(peer, iut).stun).value
    assert len(value) in range(16, 33, 4), f"MESSAGE-INTEGRITY-SHA256 has {len(value)} octets"


@both_sides
@requirement("RFC8489-14.6-s01", "RFC8489-14.6-01", needs="offers:passive")
def test_message_integrity_sha256_is_not_truncated(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check with MESSAGE-INTEGRITY-SHA256 has been answered by the same
    then    it has all its 32 octets, for ICE does not allow less."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    value = sha256_of(answer_by_sha256(peer, iut).stun).value
    assert len(value) == 32, f"MESSAGE-INTEGRITY-SHA256 has {len(value)} octets"


@both_sides
@requirement("RFC8489-14.6-s02", needs="offers:passive")
def test_message_integrity_sha256_is_right(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check with MESSAGE-INTEGRITY-SHA256 has been answered by the same
    then    it is that of the message before it under the IUT's password."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    response = answer_by_sha256(peer, iut)
    needs_all_octets(response.stun)
    found = check_integrity_sha256(response.octets, short_term_key(iut.pwd))
    assert found is Check.VALID, f"MESSAGE-INTEGRITY-SHA256 is {found}"

"""RFC 8489 section 9: what message integrity covers, and by which key."""

from __future__ import annotations

from conformance.peer.events import AnyResponse
from conformance.suites.checks import expect_answer
from conformance.suites.marks import both_sides, by_openers, requirement
from conformance.suites.messages import (
    answers,
    asked,
    behind_integrity,
    by_sha256,
    converse,
    unprotected,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_REQUIRED
from conformance.wire.attributes import Attribute
from conformance.wire.layers import RFC4571, RawStunAttribute


@both_sides
@requirement("RFC8489-9-01", needs="offers:passive")
def test_required_attribute_behind_integrity_is_ignored(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an unknown required attribute between MESSAGE-INTEGRITY and FINGERPRINT
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7")
    connection.send(RFC4571() / behind_integrity(peer.check(iut), strange))
    expect_answer(peer, iut, connection)


@both_sides
@by_openers
@requirement("RFC8489-9.1.1-s01", "RFC8489-14.5-s01")
def test_key_is_the_password(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    MESSAGE-INTEGRITY of each of its responses is computed
    then    it is right under the IUT's password."""
    iut = converse(upper, peer, side, opener)
    wrong = unprotected(answers(peer), iut.pwd)
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-9.1.2-01", needs="agent:full")
def test_requests_have_user_name_and_integrity(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    its requests are read
    then    each has USERNAME and MESSAGE-INTEGRITY, as all know it who know RFC 5389."""
    converse(upper, peer, side, opener)
    kinds = (Attribute.USERNAME, Attribute.MESSAGE_INTEGRITY)
    lacking = [f"{one} has no {kind.spelling}" for one in asked(peer) for kind in kinds if not one.stun.has(kind)]
    assert not lacking, lacking[0]


@both_sides
@requirement("RFC8489-9-02", needs="offers:passive")
def test_attribute_behind_sha256_is_ignored(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an unknown required attribute behind MESSAGE-INTEGRITY-SHA256, its only integrity
    then    no answer of the IUT's names this attribute as unknown."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    check = by_sha256(peer.check(iut), iut.pwd)
    check.attributes.insert(-1, RawStunAttribute(type=UNKNOWN_REQUIRED, value=b"\0\0\0\7"))
    connection.send(RFC4571() / check)
    response = connection.await_frame(AnyResponse, within=pixit.response)
    named = response.stun.unknown_attributes or ()
    assert UNKNOWN_REQUIRED not in named, f"UNKNOWN-ATTRIBUTES names {named}"

"""RFC 8489 section 14: attributes that a receiver must take as they are."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingRequest
from conformance.suites.checks import expect_answer
from conformance.suites.marks import both_families, both_sides, requirement
from conformance.suites.media import expect_completion
from conformance.suites.messages import behind_integrity, plainly_mapped
from conformance.suites.negotiation import negotiate
from conformance.suites.values import UNKNOWN_OPTIONAL
from conformance.wire.layers import RFC4571, RawStunAttribute, Software, Username


@both_sides
@requirement("RFC8489-14-04", needs="offers:passive")
def test_padding_that_is_not_zero_is_ignored(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives in which the padding of an attribute is not zero
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, attributes=[Software(value="tester", padding=b"\xff\x20")]))
    expect_answer(peer, iut, connection)


@both_sides
@requirement("RFC8489-14-06", needs="offers:passive")
def test_first_of_repeated_attributes_counts(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives that has USERNAME and PRIORITY twice, the first ones right
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    check = peer.check(iut)
    again = [Username(value="nobody:nowhere"), check.attributes[1].copy()]
    connection.send(RFC4571() / peer.check(iut, attributes=again))
    expect_answer(peer, iut, connection)


@pytest.mark.parametrize("kind", [0x8000, 0xBFFF, UNKNOWN_OPTIONAL], ids=hex)
@requirement("RFC8489-14-s01", "RFC8489-6.3-01", needs="offers:passive sides:answerer")
def test_types_from_8000_on_may_be_unknown(upper, peer, kind):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an unknown attribute from the beginning, the middle or the end of the optional types
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, attributes=[RawStunAttribute(type=kind, value=b"any")]))
    expect_answer(peer, iut, connection)


@both_families
@requirement("RFC8489-14.2-s01", needs="offers:passive sides:answerer")
def test_mapped_address_is_xored(upper, peer):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered with success
    then    XOR-MAPPED-ADDRESS does not hold our address as it is, or XORed with less than what its family asks for."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    plain = plainly_mapped(peer, iut, connection)
    assert connection.local_address not in plain, "XOR-MAPPED-ADDRESS is not XORed as section 14.2 asks for"


@requirement("RFC8489-14.2-s02", needs="connects:active sides:offerer")
def test_reserved_octet_of_the_mapped_address_is_ignored(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    the success response has an octet other than zero before the family of the mapped address
    then    the pair has become valid: a nomination, a state or data shows it."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    response = peer.success(connection, request)
    mapped = response.attributes[0].current_value(bytes(response))
    response.attributes[0] = RawStunAttribute(type=0x0020, value=b"\x80" + mapped[1:])
    peer.answer_only_on(connection)
    connection.send(RFC4571() / response)
    expect_completion(upper, peer, connection)


@both_sides
@requirement("RFC8489-14.3-02", needs="offers:passive")
def test_user_name_of_763_octets_is_read(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a request arrives with a user name of 763 octets, which nobody has
    then    the IUT answers it, like any other that it does not know."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, username=f"{iut.ufrag}:{peer.ufrag}".ljust(763, "x")[::-1]))
    connection.expect(AnyResponse, within=peer.pixit.response)


@both_sides
@requirement("RFC8489-14.5-s02", "RFC8489-9-01", needs="offers:passive")
def test_attribute_behind_integrity_does_not_disturb_it(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with an optional attribute between MESSAGE-INTEGRITY and FINGERPRINT
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    strange = RawStunAttribute(type=UNKNOWN_OPTIONAL, value=b"behind")
    connection.send(RFC4571() / behind_integrity(peer.check(iut), strange))
    expect_answer(peer, iut, connection)

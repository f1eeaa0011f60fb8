"""RFC 8489 section 14: how attributes are written."""

from __future__ import annotations

from conformance.suites.framing import await_answer_octets
from conformance.suites.marks import both_sides, by_openers, requirement
from conformance.suites.messages import converse, flaws
from conformance.suites.negotiation import negotiate
from conformance.wire.integrity import Check, check_fingerprint
from conformance.wire.layers import RFC4571


@both_sides
@by_openers
@requirement("RFC8489-14-01")
def test_attributes_are_type_length_and_value(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    each is attributes of type, length and value up to its end."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "attributes of type, length and value up to its end")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14-02", "RFC8489-5-s02")
def test_attributes_end_on_32_bit_boundaries(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    each attribute ends on a boundary of 32 bits."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "attributes that each end on a boundary of 32 bits")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14-03")
def test_attribute_length_leaves_padding_out(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    no length of ERROR-CODE, UNKNOWN-ATTRIBUTES or USERNAME counts padding."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "lengths of attributes without their padding")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.2-s02")
def test_mapped_address_begins_with_zero(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    the first octet of XOR-MAPPED-ADDRESS is zero."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "a mapped address whose first octet is zero")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.2-s03")
def test_family_of_the_mapped_address(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    XOR-MAPPED-ADDRESS has family 1 with 4 octets or family 2 with 16."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "a mapped address of family 1 with 4 octets or 2 with 16")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.3-01", needs="agent:full")
def test_user_name_is_utf_8(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    USERNAME is UTF-8 of at most 513 octets."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "USERNAME of UTF-8 in at most 513 octets")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.7-02")
def test_fingerprint_is_last(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    FINGERPRINT is the last attribute of those that have it."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "FINGERPRINT as its last attribute")
    assert not wrong, wrong[0]


@both_sides
@by_openers
@requirement("RFC8489-14.14-02")
def test_software_is_short_utf_8(upper, peer, side, opener):
    """with    connections on which the IUT refuses, answers and checks
    when    each of its messages is read
    then    SOFTWARE, if there is one, is UTF-8 of less than 128 characters."""
    converse(upper, peer, side, opener)
    wrong = flaws(peer, "SOFTWARE of UTF-8 in less than 128 characters")
    assert not wrong, wrong[0]


@both_sides
@requirement("RFC8489-14.7-s01", needs="offers:passive")
def test_fingerprint_is_the_xored_crc(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check of ours has been answered
    then    the response's FINGERPRINT, if it has one, is the CRC-32 of what is before it, XORed with 0x5354554e."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    answer = await_answer_octets(peer, connection, request.transaction_id)
    assert check_fingerprint(answer) is not Check.INVALID, "FINGERPRINT has another value"

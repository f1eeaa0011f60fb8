"""The STUN codec: any octets decode or are refused with a place and a clause, and what decodes encodes the same."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, ErrorCode, RawAttribute, comprehension_required, spelling
from conformance.wire.errors import StunError
from conformance.wire.integrity import (
    Check,
    check_fingerprint,
    check_integrity,
    check_integrity_sha256,
    fingerprint_value,
    integrity_sha256_value,
    integrity_value,
    is_integrity,
    with_length,
)
from conformance.wire.stun import Message, MessageClass, Method, View, build, looks_like_stun, pack_type, unpack_type

TRANSACTION = bytes(range(12))
HEADER = bytes.fromhex("000100002112a442") + TRANSACTION

raw_attributes = st.builds(RawAttribute, st.integers(0, 0xFFFF), st.binary(max_size=40))


def message(*attributes: RawAttribute) -> Message:
    return Message(1, MessageClass.REQUEST, TRANSACTION, attributes)


@settings(deadline=None)
@given(st.integers(0, 0x3FFF))
def test_types_are_packed_as_they_are_unpacked(kind) -> None:
    assert pack_type(*unpack_type(kind)) == kind


@pytest.mark.parametrize(
    ("method", "cls", "kind"),
    [(Method.BINDING, 0, 0x0001), (Method.BINDING, 2, 0x0101), (Method.BINDING, 3, 0x0111), (Method.DATA, 1, 0x0017)],
)
def test_known_types(method, cls, kind) -> None:
    assert pack_type(method, cls) == kind


@settings(deadline=None)
@given(
    st.integers(0, 0xFFF), st.sampled_from(MessageClass), st.binary(min_size=12, max_size=12), st.lists(raw_attributes)
)
def test_what_is_encoded_decodes_to_the_same(method, cls, transaction, attributes) -> None:
    built = Message(method, cls, transaction, tuple(attributes))
    decoded = Message.decode(built.encode())
    assert decoded.encode() == built.encode()
    assert [(a.type, a.value) for a in decoded.attributes] == [(a.type, a.value) for a in attributes]


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=120), st.binary(max_size=100).map(lambda tail: HEADER + tail)))
def test_any_octets_decode_to_themselves_or_are_refused(octets) -> None:
    try:
        decoded = Message.decode(octets)
    except StunError as error:
        assert error.clause
        assert str(error)
    else:
        assert decoded.encode() == octets
        for name in (
            "username",
            "priority",
            "xor_mapped_address",
            "error_code",
            "unknown_attributes",
            "ice_controlled",
        ):
            try:
                getattr(decoded, name)
            except StunError as error:
                assert error.offset is not None


@settings(deadline=None)
@given(st.lists(raw_attributes, max_size=4), st.data())
def test_a_well_formed_body_with_any_padding_is_kept(attributes, data) -> None:
    padded = [
        RawAttribute(a.type, a.value, data.draw(st.binary(min_size=-len(a.value) % 4, max_size=-len(a.value) % 4)))
        for a in attributes
    ]
    body = b"".join(attribute.encode() for attribute in padded)
    octets = with_length(HEADER, len(body)) + body
    assert Message.decode(octets).encode() == octets


@pytest.mark.parametrize(
    ("octets", "offset", "what"),
    [
        (b"", 0, "too few"),
        (HEADER[:19], 19, "too few"),
        (b"\x80" + HEADER[1:], 0, "most significant"),
        (b"\x40" + HEADER[1:], 0, "most significant"),
        (with_length(HEADER, 3) + b"abc", 2, "multiple of 4"),
        (with_length(HEADER, 8), 2, "says 8 octets, 0 follow"),
        (HEADER + b"more", 2, "says 0 octets, 4 follow"),
        (with_length(HEADER, 4) + b"\0\6\0\1", 20, "USERNAME of 1 octets runs past"),
        (with_length(HEADER, 8) + bytes.fromhex("7fff000500000000"), 20, "0x7FFF of 5 octets runs past"),
    ],
)
def test_what_is_no_message_is_refused_at_its_place(octets, offset, what) -> None:
    with pytest.raises(StunError, match=what) as caught:
        Message.decode(octets)
    assert caught.value.offset == offset
    assert f"octet {offset}" in str(caught.value)
    assert "RFC 8489" in caught.value.clause


def test_the_first_of_equal_attributes_counts() -> None:
    two = message(attr.username("one"), attr.username("two"), attr.priority(7))
    assert two.username == "one"
    assert [a.value for a in two.all(Attribute.USERNAME)] == [b"one", b"two"]
    assert [a.type for a in two.honoured()] == [Attribute.USERNAME, Attribute.PRIORITY]


def test_nothing_behind_the_integrities_is_honoured_but_what_protects() -> None:
    kinds = (0x06, 0x08, 0x24, 0x1C, 0x25, 0x8028, 0x8022)
    honoured = message(*(RawAttribute(kind, b"") for kind in kinds)).honoured()
    assert [a.type for a in honoured] == [0x06, 0x08, 0x1C, 0x8028]


def test_values_of_attributes() -> None:
    full = message(
        attr.username("u"),
        attr.software("s"),
        attr.text(Attribute.REALM, "r"),
        attr.text(Attribute.NONCE, "n"),
        attr.priority(1),
        attr.lifetime(600),
        attr.use_candidate(),
        attr.ice_controlling(2),
        attr.address(Attribute.MAPPED_ADDRESS, Address("::1", 80)),
        attr.xor_address(Attribute.XOR_PEER_ADDRESS, Address("10.0.0.1", 81), TRANSACTION),
        attr.xor_address(Attribute.XOR_RELAYED_ADDRESS, Address("2001:db8::1", 82), TRANSACTION),
        attr.error_code(438, "Stale Nonce"),
        attr.unknown_attributes([0x7FFF, 1]),
        attr.connection_id(5),
        attr.requested_transport(6),
        attr.additional_ipv6(),
    )
    assert Message.decode(full.encode()) == full
    assert (full.username, full.software, full.realm, full.nonce) == ("u", "s", "r", "n")
    assert (full.priority, full.lifetime, full.connection_id) == (1, 600, 5)
    assert full.first(Attribute.REQUESTED_TRANSPORT) == RawAttribute(Attribute.REQUESTED_TRANSPORT, b"\6\0\0\0")
    assert full.first(Attribute.ADDITIONAL_ADDRESS_FAMILY).value == b"\2\0\0\0"
    assert full.use_candidate
    assert full.ice_controlling == 2
    assert str(full.mapped_address) == "[::1]:80"
    assert str(full.xor_peer_address) == "10.0.0.1:81"
    assert full.xor_relayed_address == Address("2001:db8::1", 82)
    assert full.error_code == ErrorCode(438, "Stale Nonce")
    assert str(full.error_code) == "438 Stale Nonce"
    assert full.unknown_attributes == (0x7FFF, 1)
    assert str(full.attributes[0]) == "USERNAME (1 octets)"


def test_absent_attributes_are_none() -> None:
    bare = message()
    names = [
        "username",
        "software",
        "realm",
        "nonce",
        "priority",
        "lifetime",
        "connection_id",
        "ice_controlling",
        "ice_controlled",
        "mapped_address",
        "xor_mapped_address",
        "xor_peer_address",
        "xor_relayed_address",
        "error_code",
        "unknown_attributes",
    ]
    assert [getattr(bare, name) for name in names] == [None] * len(names)
    assert not bare.use_candidate
    assert (bare.is_request, bare.is_indication, bare.is_success, bare.is_error) == (True, False, False, False)


@pytest.mark.parametrize(
    ("kind", "value", "name", "what"),
    [
        (Attribute.USERNAME, b"\xff", "username", "not UTF-8"),
        (Attribute.SOFTWARE, b"x" * 764, "software", "longer than 763"),
        (Attribute.PRIORITY, b"abc", "priority", "not 4 octets"),
        (Attribute.ICE_CONTROLLED, b"abcd", "ice_controlled", "not 8 octets"),
        (Attribute.XOR_MAPPED_ADDRESS, b"\0", "xor_mapped_address", "shorter than 4"),
        (Attribute.XOR_MAPPED_ADDRESS, b"\0\1\0\0\1\2\3", "xor_mapped_address", "not 8 octets"),
        (Attribute.MAPPED_ADDRESS, b"\0\2\0\0\1\2\3\4", "mapped_address", "not 20 octets"),
        (Attribute.MAPPED_ADDRESS, b"\0\7\0\0\1\2\3\4", "mapped_address", "unknown address family 7"),
        (Attribute.ERROR_CODE, b"\0\0\4", "error_code", "shorter than 4"),
        (Attribute.ERROR_CODE, b"\0\0\2\0", "error_code", "not from 300 to 699"),
        (Attribute.ERROR_CODE, b"\0\0\4\x64", "error_code", "not from 300 to 699"),
        (Attribute.UNKNOWN_ATTRIBUTES, b"\0\1\2", "unknown_attributes", "odd length"),
    ],
)
def test_a_malformed_value_is_refused_at_its_place(kind, value, name, what) -> None:
    decoded = Message.decode(message(RawAttribute(kind, value)).encode())
    with pytest.raises(StunError, match=what) as caught:
        getattr(decoded, name)
    assert caught.value.offset == 20


def test_a_malformed_value_that_stands_nowhere() -> None:
    with pytest.raises(StunError) as caught:
        attr.decode_number(RawAttribute(0x24, b""), 4)
    assert caught.value.offset is None
    assert " at " not in str(caught.value)


def test_names_and_comprehension() -> None:
    assert Attribute.XOR_MAPPED_ADDRESS.spelling == "XOR-MAPPED-ADDRESS"
    assert spelling(0x7FFF) == "0x7FFF"
    assert comprehension_required(0x7FFF)
    assert not comprehension_required(0x8000)


def test_both_integrities_and_the_fingerprint_in_their_order() -> None:
    octets = build(1, 0, TRANSACTION, [attr.username("a:b")], key=b"k1", sha256_key=b"k2")
    assert [a.type for a in Message.decode(octets).attributes] == [0x06, 0x08, 0x1C, 0x8028]
    assert check_integrity(octets, b"k1") is Check.VALID
    assert check_integrity_sha256(octets, b"k2") is Check.VALID
    assert check_integrity_sha256(octets, b"k1") is Check.INVALID
    assert check_fingerprint(octets) is Check.VALID


@pytest.mark.parametrize(
    ("size", "expected"), [(16, Check.VALID), (32, Check.VALID), (12, Check.INVALID), (18, Check.INVALID)]
)
def test_a_truncated_sha256_is_lawful_down_to_16_octets(size, expected) -> None:
    value = integrity_sha256_value(HEADER, b"key", size)
    octets = Message(1, MessageClass.REQUEST, TRANSACTION, (RawAttribute(0x1C, value),)).encode()
    assert check_integrity_sha256(octets, b"key") is expected


def test_protections_that_are_not_there() -> None:
    assert check_integrity(HEADER, b"k") is Check.ABSENT
    assert check_integrity_sha256(HEADER, b"k") is Check.ABSENT
    assert check_fingerprint(HEADER) is Check.ABSENT


def test_a_fingerprint_must_be_last_and_an_integrity_20_octets() -> None:
    crc = fingerprint_value(HEADER).to_bytes(4, "big")
    behind = message(RawAttribute(Attribute.FINGERPRINT, crc), attr.use_candidate()).encode()
    assert check_fingerprint(behind) is Check.INVALID
    short = message(RawAttribute(Attribute.MESSAGE_INTEGRITY, bytes(19))).encode()
    assert check_integrity(short, b"k") is Check.INVALID


@pytest.mark.parametrize("key", [b"", b"k", b"k" * 64, b"k" * 65, b"k" * 200])
def test_integrity_is_hmac_sha1_for_keys_of_every_length(key) -> None:
    before = message(attr.username("a:b")).encode()
    assert integrity_value(before, key) == hmac.digest(key, with_length(before, len(before) - 20 + 24), "sha1")


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=60))
def test_protection_checks_take_any_octets(octets) -> None:
    assert check_integrity(octets, b"k") in Check
    assert check_fingerprint(octets) in Check


@settings(deadline=None)
@given(
    st.one_of(st.binary(max_size=64), st.binary(max_size=40).map(lambda tail: with_length(HEADER, len(tail)) + tail))
)
def test_lookalikes_have_the_magic_cookie_and_the_length(octets) -> None:
    if looks_like_stun(octets):
        assert octets[4:8] == HEADER[4:8]
        assert int.from_bytes(octets[2:4], "big") == len(octets) - 20


def test_what_does_not_look_like_stun() -> None:
    valid = build(1, 0, TRANSACTION)
    assert looks_like_stun(valid)
    assert looks_like_stun(HEADER)
    assert not looks_like_stun(valid[:-1])
    assert not looks_like_stun(valid[:-1] + bytes([valid[-1] ^ 1]))
    assert not looks_like_stun(b"\x80" + valid[1:])
    assert not looks_like_stun(valid[:4] + b"\0" + valid[5:])
    assert not looks_like_stun(with_length(HEADER, 2) + b"\0\0")


# -- a view: what is read of a message without taking it apart -----------------------------------------------------------

known = st.sampled_from([int(attribute) for attribute in Attribute])
of_known_types = st.builds(RawAttribute, known, st.sampled_from([0, 4, 7, 8, 20]).map(lambda size: b"\1" * size))
VALUES = (
    "username",
    "software",
    "priority",
    "lifetime",
    "use_candidate",
    "ice_controlling",
    "ice_controlled",
    "mapped_address",
    "xor_mapped_address",
    "error_code",
    "unknown_attributes",
)


def said(decoded, name):
    """Return a value, or what is wrong with it."""
    try:
        return getattr(decoded, name)
    except StunError as problem:
        return problem.what


def viewed(decode, octets):
    """Return a decoded message, or why it cannot be decoded."""
    try:
        return decode(octets)
    except StunError as problem:
        return str(problem), problem.clause


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.binary(max_size=60).map(lambda tail: with_length(HEADER, len(tail)) + tail),
        st.lists(st.one_of(raw_attributes, of_known_types), max_size=6).map(lambda found: message(*found).encode()),
        st.lists(of_known_types, max_size=3).map(lambda found: build(1, 2, TRANSACTION, found, key=b"k")),
    )
)
def test_a_view_says_what_the_message_says(octets) -> None:
    whole, view = viewed(Message.decode, octets), viewed(View, octets)
    if isinstance(whole, tuple):
        assert view == whole
        return
    assert (view.method, view.cls, view.transaction_id) == (whole.method, whole.cls, whole.transaction_id)
    assert [view.has(kind) for kind in Attribute] == [whole.has(kind) for kind in Attribute]
    assert [said(view, name) for name in VALUES] == [said(whole, name) for name in VALUES]
    assert view.fingerprint is check_fingerprint(octets)
    assert (view.integrity_at is None) is (check_integrity(octets, b"k") is Check.ABSENT)
    if view.integrity_at is not None:
        assert is_integrity(octets, view.integrity_at, b"k") is (check_integrity(octets, b"k") is Check.VALID)


def test_a_view_has_the_first_attribute_of_a_type() -> None:
    view = View(message(attr.software("first"), attr.software("second")).encode())
    assert view.software == "first"
    assert view.first(Attribute.SOFTWARE) == attr.software("first")
    assert view.first(Attribute.USERNAME) is None

"""The test vectors of RFC 5769: rebuilt octet for octet and verified, by the codec and by the Scapy layers."""

from __future__ import annotations

import pytest

from conformance.wire import attributes as attr
from conformance.wire import layers
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.integrity import Check, check_fingerprint, check_integrity, long_term_key, short_term_key
from conformance.wire.stun import Message, MessageClass, Method, build, looks_like_stun

REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1"
    "51263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599"
    "fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5"
    "bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)
LONG_TERM = bytes.fromhex(
    "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b3935"
    "3464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28c"
    "a89666"
)
KEY = short_term_key("VOkJxbRl1RmTxUk/WvJxBt")
USER, REALM, NONCE = "マトリックス", "example.org", "f//499k954d6OL34oL9FSTvy64sA"
LONG_KEY = long_term_key(USER, REALM, "TheMatrIX")
TRANSACTION, LONG_TRANSACTION = REQUEST[8:20], LONG_TERM[8:20]
MAPPED4, MAPPED6 = Address("192.0.2.1", 32853), Address("2001:db8:1234:5678:11:2233:4455:6677", 32853)
SHORT_TERM = [REQUEST, IPV4, IPV6]


@pytest.mark.parametrize("octets", [*SHORT_TERM, LONG_TERM])
def test_decoding_loses_nothing(octets) -> None:
    assert Message.decode(octets).encode() == octets
    assert bytes(layers.STUN(octets)) == octets
    assert looks_like_stun(octets)


@pytest.mark.parametrize("octets", SHORT_TERM)
def test_protections_are_verified(octets) -> None:
    assert check_integrity(octets, KEY) is Check.VALID
    assert check_integrity(octets, KEY + b"!") is Check.INVALID
    assert check_fingerprint(octets) is Check.VALID


def test_long_term_integrity_is_verified_and_a_missing_fingerprint_said() -> None:
    assert check_integrity(LONG_TERM, LONG_KEY) is Check.VALID
    assert check_fingerprint(LONG_TERM) is Check.ABSENT


def test_what_the_request_says() -> None:
    message = Message.decode(REQUEST)
    assert (message.method, message.cls) == (Method.BINDING, MessageClass.REQUEST)
    assert message.is_request
    assert message.software == "STUN test client"
    assert message.username == "evtj:h6vY"
    assert message.priority == 0x6E0001FF
    assert message.ice_controlled == 0x932FF9B151263B36


def test_what_the_responses_say() -> None:
    assert Message.decode(IPV4).xor_mapped_address == MAPPED4
    assert Message.decode(IPV6).xor_mapped_address == MAPPED6
    assert Message.decode(IPV4).is_success


def test_what_the_long_term_request_says() -> None:
    message = Message.decode(LONG_TERM)
    assert (message.username, message.realm, message.nonce) == (USER, REALM, NONCE)


def test_the_codec_builds_the_vectors() -> None:
    spaces = RawAttribute(Attribute.USERNAME, b"evtj:h6vY", b"   ")
    software = RawAttribute(Attribute.SOFTWARE, b"test vector", b" ")
    request = [attr.software("STUN test client"), attr.priority(0x6E0001FF), attr.ice_controlled(0x932FF9B151263B36)]
    assert build(1, 0, TRANSACTION, [*request, spaces], key=KEY) == REQUEST
    for octets, address in ((IPV4, MAPPED4), (IPV6, MAPPED6)):
        mapped = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, address, TRANSACTION)
        assert build(1, 2, TRANSACTION, [software, mapped], key=KEY) == octets
    texts = [attr.username(USER), attr.text(Attribute.NONCE, NONCE), attr.text(Attribute.REALM, REALM)]
    assert build(1, 0, LONG_TRANSACTION, texts, key=LONG_KEY, fingerprint=False) == LONG_TERM


def test_the_layers_build_the_vectors() -> None:
    request = [
        layers.Software(value="STUN test client"),
        layers.Priority(number=0x6E0001FF),
        layers.IceControlled(number=0x932FF9B151263B36),
        layers.Username(value="evtj:h6vY", padding=b"   "),
        layers.MessageIntegrity(key=KEY),
        layers.Fingerprint(),
    ]
    assert bytes(layers.STUN(transaction_id=TRANSACTION, attributes=request)) == REQUEST
    for octets, address in ((IPV4, MAPPED4), (IPV6, MAPPED6)):
        response = [
            layers.Software(value="test vector", padding=b" "),
            layers.XorMappedAddress(address=address),
            layers.MessageIntegrity(key=KEY),
            layers.Fingerprint(),
        ]
        assert bytes(layers.STUN(message_class=2, transaction_id=TRANSACTION, attributes=response)) == octets
    long_term = [
        layers.Username(value=USER),
        layers.Nonce(value=NONCE),
        layers.Realm(value=REALM),
        layers.MessageIntegrity(key=LONG_KEY),
    ]
    assert bytes(layers.STUN(transaction_id=LONG_TRANSACTION, attributes=long_term)) == LONG_TERM

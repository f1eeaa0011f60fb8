"""The Scapy layers agree with the codec, and break exactly what they are told to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.packet import Packet, Raw

from conformance.wire import layers
from conformance.wire.attributes import Address, Attribute, ErrorCode
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint, check_integrity, check_integrity_sha256
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Message, MessageClass

TRANSACTION = b"transaction!"
PASSWORD = "p" * 22
ADDRESS = Address("192.0.2.7", 4242)


def decoded(packet) -> Message:
    return Message.decode(bytes(packet))


attributes = st.one_of(
    st.text(max_size=20).map(lambda text: layers.Username(value=text)),
    st.integers(0, 2**32 - 1).map(lambda number: layers.Priority(number=number)),
    st.integers(0, 2**64 - 1).map(lambda number: layers.IceControlling(number=number)),
    st.just(None).map(lambda _: layers.UseCandidate()),
    st.builds(
        lambda ip, port: layers.XorMappedAddress(address=Address(str(ip), port)),
        st.ip_addresses(),
        st.integers(0, 65535),
    ),
    st.integers(300, 699).map(lambda code: layers.ErrorCode(code=code, reason="why")),
    st.lists(st.integers(0, 65535), max_size=5).map(lambda types: layers.UnknownAttributes(types=tuple(types))),
    st.builds(
        lambda kind, value: layers.RawStunAttribute(type=kind, value=value),
        st.integers(0, 65535),
        st.binary(max_size=30),
    ),
)


@settings(deadline=None)
@given(st.integers(0, 3), st.integers(0, 0xFFF), st.lists(attributes, max_size=5))
def test_what_scapy_builds_the_codec_reads(cls, method, parts) -> None:
    packet = layers.STUN(message_class=cls, method=method, transaction_id=TRANSACTION, attributes=parts)
    message = decoded(packet)
    assert (message.cls, message.method, message.transaction_id) == (cls, method, TRANSACTION)
    assert len(message.attributes) == len(parts)
    assert [a.type for a in message.attributes] == [int(part.type) for part in parts]
    again = layers.STUN(bytes(packet))
    assert bytes(again) == bytes(packet)
    assert [bytes(part.value) for part in again.attributes] == [a.value for a in message.attributes]


@pytest.mark.parametrize("kind", [*layers._CLASSES, 0x7001])
def test_an_attribute_without_a_value_is_rebuilt_without_one(kind) -> None:
    """A value that is given, or was read, is never computed, also if it holds no octets."""
    octets = bytes.fromhex("000100042112a442") + TRANSACTION + kind.to_bytes(2, "big") + bytes(2)
    assert bytes(layers.STUN(octets)) == octets
    made = layers._CLASSES.get(kind, layers.RawStunAttribute)
    given = {"address": Address("192.0.2.1", 9)} if issubclass(made, layers._XorAddress) else {}
    given |= {"key": b"key"} if issubclass(made, layers._Keyed) else {}
    attribute = made(value=b"", **given, **({} if made.kind else {"type": kind}))
    for one in (attribute, attribute.copy()):
        assert bytes(layers.STUN(transaction_id=TRANSACTION, attributes=[one])) == octets


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=20)), max_size=5))
def test_what_the_codec_builds_scapy_reads(parts) -> None:
    from conformance.wire.attributes import RawAttribute

    octets = Message(1, MessageClass.REQUEST, TRANSACTION, tuple(RawAttribute(k, v) for k, v in parts)).encode()
    packet = layers.STUN(octets)
    assert [(int(part.type), bytes(part.value)) for part in packet.attributes] == parts
    assert bytes(packet) == octets


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(min_size=1, max_size=80),
        st.binary(max_size=60).map(lambda tail: bytes.fromhex("000100002112a442") + TRANSACTION + tail),
    )
)
def test_any_octets_dissect_and_rebuild(octets) -> None:
    assert bytes(layers.STUN(octets)) == octets


def test_a_request_has_all_that_a_check_needs() -> None:
    packet = layers.binding_request(
        username="them:us",
        password=PASSWORD,
        priority=5,
        controlling=6,
        use_candidate=True,
        transaction_id=TRANSACTION,
        attributes=[layers.Software(value="test")],
    )
    message = decoded(packet)
    assert (message.username, message.priority, message.ice_controlling) == ("them:us", 5, 6)
    assert message.use_candidate
    assert message.software == "test"
    assert check_integrity(bytes(packet), PASSWORD.encode()) is Check.VALID
    assert check_fingerprint(bytes(packet)) is Check.VALID


def test_what_is_none_is_left_out() -> None:
    packet = layers.binding_request(
        username=None, password=None, priority=None, controlled=9, transaction_id=TRANSACTION, fingerprint=False
    )
    assert [a.type for a in decoded(packet).attributes] == [Attribute.ICE_CONTROLLED]


def test_responses_and_indications() -> None:
    success = layers.binding_success(TRANSACTION, ADDRESS, PASSWORD, attributes=[layers.Software(value="more")])
    assert decoded(success).xor_mapped_address == ADDRESS
    assert decoded(success).is_success
    error = layers.binding_error(TRANSACTION, 487, "Role Conflict", None)
    assert decoded(error).error_code == ErrorCode(487, "Role Conflict")
    assert check_integrity(bytes(error), b"") is Check.ABSENT
    assert decoded(layers.binding_indication(TRANSACTION)).is_indication


def test_turn_attributes_and_sha256() -> None:
    packet = layers.STUN(
        method=3,
        transaction_id=TRANSACTION,
        attributes=[
            layers.RequestedTransport(number=6 << 24),
            layers.Lifetime(number=600),
            layers.ConnectionId(number=7),
            layers.XorPeerAddress(address=ADDRESS),
            layers.XorRelayedAddress(address=ADDRESS),
            layers.Realm(value="r"),
            layers.Nonce(value=b"n"),
            layers.MessageIntegritySha256(key=b"k"),
        ],
    )
    message = decoded(packet)
    assert (message.lifetime, message.connection_id, message.realm, message.nonce) == (600, 7, "r", "n")
    assert message.xor_peer_address == message.xor_relayed_address == ADDRESS
    assert check_integrity_sha256(bytes(packet), b"k") is Check.VALID
    short = layers.STUN(transaction_id=TRANSACTION, attributes=[layers.MessageIntegritySha256(key=b"k", size=16)])
    assert check_integrity_sha256(bytes(short), b"k") is Check.VALID


@pytest.mark.parametrize(
    ("packet", "octets"),
    [
        (layers.STUN(length=0xFFFF, transaction_id=TRANSACTION), "0001ffff2112a442"),
        (layers.STUN(type=0xC001, transaction_id=TRANSACTION), "c00100002112a442"),
        (layers.STUN(cookie=7, transaction_id=TRANSACTION), "0001000000000007"),
    ],
)
def test_header_fields_take_any_value(packet, octets) -> None:
    assert bytes(packet) == bytes.fromhex(octets) + TRANSACTION
    assert bytes(layers.STUN(bytes(packet))) == bytes(packet)


@pytest.mark.parametrize(
    ("attribute", "octets"),
    [
        (layers.Username(value="abc", length=0xFFFF), "0006ffff61626300"),
        (layers.Username(value="abc", padding=b""), "00060003616263"),
        (layers.Username(value="abc", padding=b"zz"), "000600036162637a7a"),
        (layers.Priority(value=b"x"), "0024000178000000"),
        (layers.ErrorCode(value=b"\xff"), "00090001ff000000"),
        (layers.XorMappedAddress(value=b"\0\1"), "0020000200010000"),
        (layers.MessageIntegrity(value=b"short"), "0008000573686f7274000000"),
        (layers.MessageIntegritySha256(value=b"s"), "001c000173000000"),
        (layers.Fingerprint(value=b"\0\0\0\1"), "8028000400000001"),
        (layers.UnknownAttributes(value=b"\0"), "000a000100000000"),
        (layers.UseCandidate(value=b"full"), "0025000466756c6c"),
    ],
)
def test_attributes_break_as_told(attribute, octets) -> None:
    packet = layers.STUN(transaction_id=TRANSACTION, attributes=[attribute])
    assert bytes(packet)[20:].hex() == octets
    assert bytes(attribute).hex() == octets
    assert bytes(layers.STUN(bytes(packet))) == bytes(packet)


def test_a_wrong_fingerprint_and_a_length_too_long_are_refused_by_the_codec() -> None:
    wrong = layers.STUN(transaction_id=TRANSACTION, attributes=[layers.Fingerprint(value=b"nope")])
    assert check_fingerprint(bytes(wrong)) is Check.INVALID
    with pytest.raises(StunError):
        Message.decode(bytes(layers.STUN(length=8, transaction_id=TRANSACTION)))


def test_copies_keep_keys_and_addresses() -> None:
    packet = layers.binding_success(TRANSACTION, ADDRESS, PASSWORD)
    assert bytes(packet.copy()) == bytes(packet)


def test_summaries_name_attributes() -> None:
    assert layers.Username(value="x").mysummary() == "USERNAME=78"


def test_frames_compute_their_length() -> None:
    packet = layers.binding_indication(TRANSACTION)
    assert bytes(layers.RFC4571() / packet) == frame(bytes(packet))
    assert bytes(layers.RFC4571()) == b"\0\0"
    assert bytes(layers.RFC4571(length=0xFFFF) / Raw(b"x")) == b"\xff\xffx"


def test_frames_dissect_into_stun_or_data() -> None:
    octets = frame(bytes(layers.binding_indication(TRANSACTION)))
    packet = layers.RFC4571(octets + b"rest")
    assert packet.haslayer(layers.STUN)
    assert packet[layers.STUN].self_build() == octets[2:]
    assert packet.lastlayer().load == b"rest"
    assert layers.RFC4571(frame(b"\x80data"))[Raw].load == b"\x80data"


def state(packet: Packet) -> dict[str, object]:
    """All that Scapy keeps in a packet, but for the moment in which it was made."""
    kept = {name: getattr(packet, name) for name in type(packet).__all_slots__ if hasattr(packet, name)}
    return {name: value for name, value in kept.items() if name != "time"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (layers.RFC4571, {}),
        (layers.RFC4571, {"length": 7}),
        (layers.STUN, {"type": 1, "transaction_id": TRANSACTION}),
        (layers.STUN, {"type": 1, "length": 3, "attributes": [Raw(b"x")]}),
        (layers.Priority, {"type": 0x24, "value": b"1234"}),
        (layers.Priority, {"type": 0x24, "value": "text, which Scapy turns into octets"}),
    ],
)
def test_a_new_packet_is_what_scapy_would_make_of_it(kind, fields) -> None:
    by_scapy = kind.__new__(kind)
    Packet.__init__(by_scapy, **fields)
    assert state(kind(**fields)) == state(by_scapy)


def test_two_packets_share_nothing_that_changes() -> None:
    one, other = layers.STUN(), layers.STUN()
    one.attributes.append(layers.UseCandidate())
    one.overloaded_fields["cookie"], one.post_transforms[:] = 5, [bytes]
    assert (other.attributes, other.overloaded_fields, other.post_transforms) == ([], {}, [])
    assert other.cookie == 0x2112A442


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(AttributeError, match="colour"):
        layers.Priority(number=1, colour=2)

"""RFC 4571 and STUN as Scapy packets: what the suite sends.

Valid by default: lengths, padding, integrity (from a key) and fingerprint are computed. Any field can be set to any
value that its octets can hold, and one keyword breaks one thing. Dissecting keeps padding and order, and takes what
cannot be an attribute as raw octets, so that any octets dissect and rebuild identically.
"""

from __future__ import annotations

from typing import Any

from scapy.fields import (
    PacketListField,
    ShortField,
    StrField,
    StrFixedLenField,
    XIntField,
    XShortField,
)
from scapy.packet import Packet, Raw

from conformance.wire.attributes import MAGIC_COOKIE, Address, Attribute, spelling, xor_address
from conformance.wire.frequent import FrequentLayer, OneValueLayer, put
from conformance.wire.integrity import (
    fingerprint_value,
    integrity_sha256_value,
    integrity_value,
    short_term_key,
    with_length,
)
from conformance.wire.stun import Method, pack_type

_HEADER = 20


class RFC4571(OneValueLayer):
    """A frame (RFC 4571 section 2). ``length`` is the payload's unless set."""

    name = "RFC4571"
    fields_desc = [ShortField("length", None)]

    def __truediv__(self, payload: Any) -> RFC4571:
        """Frame a packet. A message is not copied, as Scapy would do: that takes longer than building it."""
        if not isinstance(payload, STUN):
            framed: RFC4571 = super().__truediv__(payload)
            return framed
        frame = self.copy() if self.payload else type(self)(**self.fields)
        frame.add_payload(payload)
        return frame

    def self_build(self) -> bytes:
        """Build LENGTH, with room for one that is computed."""
        built: bytes = bytes(2) if self.fields.get("length") is None else super().self_build()
        return built

    def post_build(self, packet: bytes, payload: bytes) -> bytes:
        """Compute LENGTH."""
        if self.fields.get("length") is None:
            packet = len(payload).to_bytes(2, "big")
        return packet + payload

    def extract_padding(self, octets: bytes) -> tuple[bytes, bytes]:
        """Give the payload its octets; what follows is the next frame's."""
        return octets[: self.length], octets[self.length :]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """Take a payload for STUN by its cookie."""
        return STUN if payload[4:8] == MAGIC_COOKIE.to_bytes(4, "big") and payload[0] < 0x40 else Raw


class StunAttribute(FrequentLayer):
    """One attribute: type, length, value, padding. ``length`` None: the value's; ``padding`` None: zeros."""

    name = "STUN attribute"
    kind = 0
    fields_desc = [
        XShortField("type", 0),
        ShortField("length", None),
        StrField("value", b""),
        StrField("padding", None),
    ]

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        if not arguments and self.kind and "type" not in fields:
            fields["type"] = int(self.kind)
        super().__init__(*arguments, **fields)

    def octets(self, before: bytes) -> bytes:
        """Return the attribute as it stands behind the octets of the message so far."""
        value, given = self.current_value(before), self.fields  # as a packet's attributes they cost ten times as much
        length, padding = given.get("length"), given.get("padding")
        length = len(value) if length is None else length
        padding = bytes(-len(value) % 4) if padding is None else bytes(padding)
        return int(given.get("type", 0)).to_bytes(2, "big") + int(length).to_bytes(2, "big") + value + padding

    def current_value(self, before: bytes) -> bytes:
        """Return the value, computed where it depends on the message before it."""
        return bytes(self.fields.get("value", b""))

    def self_build(self) -> bytes:
        """Build without a message: what depends on one is computed over nothing."""
        return self.octets(bytes(_HEADER))

    def do_dissect(self, octets: bytes) -> bytes:
        """Take one attribute; whatever it leaves is the next one's."""
        self.fields["type"] = int.from_bytes(octets[:2], "big")
        length = int.from_bytes(octets[2:4], "big")
        value = octets[4 : 4 + length]
        end = 4 + length + (-length % 4)
        self.fields["value"] = value
        self.fields["length"] = None if len(value) == length else length
        padding = octets[4 + length : end]
        self.fields["padding"] = None if padding == bytes(-len(value) % 4) else padding
        return octets[end:]

    def extract_padding(self, octets: bytes) -> tuple[bytes, bytes]:
        """Leave the rest to the message."""
        return b"", octets

    def mysummary(self) -> str:
        """Name and value."""
        return f"{spelling(self.type)}={bytes(self.value).hex()}"


class RawStunAttribute(StunAttribute):
    """Any attribute, by number."""

    name = "attribute"


class _Text(StunAttribute):
    """An attribute whose value is text."""

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        if isinstance(fields.get("value"), str):
            fields["value"] = fields["value"].encode()
        super().__init__(*arguments, **fields)


class _Number(StunAttribute):
    """An attribute whose value is a number of a fixed size: give ``number``, or ``value`` for other octets."""

    size = 4

    def __init__(self, *arguments: Any, number: int | None = None, **fields: Any) -> None:
        if number is not None:
            fields["value"] = number.to_bytes(self.size, "big")
        super().__init__(*arguments, **fields)


class _XorAddress(StunAttribute):
    """An XORed address: give ``address``, or ``value`` for other octets. The transaction id is the message's."""

    def __init__(self, *arguments: Any, address: Address | None = None, **fields: Any) -> None:
        super().__init__(*arguments, **fields)
        put(self, "address_given", address)

    def current_value(self, before: bytes) -> bytes:
        """XOR with the cookie and the transaction id of the message."""
        if self.address_given is None or "value" in self.fields:
            return bytes(self.value)
        return xor_address(Attribute(self.kind), self.address_given, before[8:_HEADER]).value

    def copy(self) -> Any:
        """Keep the address in copies."""
        copy = super().copy()
        copy.address_given = self.address_given
        return copy


class _Keyed(StunAttribute):
    """A value computed with a key over the message before it, unless ``value`` is given."""

    def __init__(self, *arguments: Any, key: bytes | None = None, size: int | None = None, **fields: Any) -> None:
        super().__init__(*arguments, **fields)
        put(self, "key_given", key)
        put(self, "size_given", size)

    def copy(self) -> Any:
        """Keep the key in copies."""
        copy = super().copy()
        copy.key_given, copy.size_given = self.key_given, self.size_given
        return copy


class Username(_Text):
    """USERNAME."""

    name, kind = "USERNAME", Attribute.USERNAME


class Realm(_Text):
    """REALM."""

    name, kind = "REALM", Attribute.REALM


class Nonce(_Text):
    """NONCE."""

    name, kind = "NONCE", Attribute.NONCE


class Software(_Text):
    """SOFTWARE."""

    name, kind = "SOFTWARE", Attribute.SOFTWARE


class Priority(_Number):
    """PRIORITY."""

    name, kind = "PRIORITY", Attribute.PRIORITY


class Lifetime(_Number):
    """LIFETIME, in seconds."""

    name, kind = "LIFETIME", Attribute.LIFETIME


class ConnectionId(_Number):
    """CONNECTION-ID (RFC 6062)."""

    name, kind = "CONNECTION-ID", Attribute.CONNECTION_ID


class RequestedTransport(_Number):
    """REQUESTED-TRANSPORT: the protocol number is the upper octet (RFC 8656 section 18.8)."""

    name, kind = "REQUESTED-TRANSPORT", Attribute.REQUESTED_TRANSPORT


class IceControlling(_Number):
    """ICE-CONTROLLING with its tie-breaker."""

    name, kind, size = "ICE-CONTROLLING", Attribute.ICE_CONTROLLING, 8


class IceControlled(_Number):
    """ICE-CONTROLLED with its tie-breaker."""

    name, kind, size = "ICE-CONTROLLED", Attribute.ICE_CONTROLLED, 8


class UseCandidate(StunAttribute):
    """USE-CANDIDATE."""

    name, kind = "USE-CANDIDATE", Attribute.USE_CANDIDATE


class XorMappedAddress(_XorAddress):
    """XOR-MAPPED-ADDRESS."""

    name, kind = "XOR-MAPPED-ADDRESS", Attribute.XOR_MAPPED_ADDRESS


class XorPeerAddress(_XorAddress):
    """XOR-PEER-ADDRESS."""

    name, kind = "XOR-PEER-ADDRESS", Attribute.XOR_PEER_ADDRESS


class XorRelayedAddress(_XorAddress):
    """XOR-RELAYED-ADDRESS."""

    name, kind = "XOR-RELAYED-ADDRESS", Attribute.XOR_RELAYED_ADDRESS


class ErrorCode(StunAttribute):
    """ERROR-CODE: give ``code`` (300 to 699) and ``reason``, or ``value`` for other octets."""

    name, kind = "ERROR-CODE", Attribute.ERROR_CODE

    def __init__(self, *arguments: Any, code: int | None = None, reason: str = "", **fields: Any) -> None:
        if code is not None:
            fields["value"] = bytes([0, 0, code // 100, code % 100]) + reason.encode()
        super().__init__(*arguments, **fields)


class UnknownAttributes(StunAttribute):
    """UNKNOWN-ATTRIBUTES: give ``types``, or ``value`` for other octets."""

    name, kind = "UNKNOWN-ATTRIBUTES", Attribute.UNKNOWN_ATTRIBUTES

    def __init__(self, *arguments: Any, types: tuple[int, ...] | None = None, **fields: Any) -> None:
        if types is not None:
            fields["value"] = b"".join(kind.to_bytes(2, "big") for kind in types)
        super().__init__(*arguments, **fields)


class MessageIntegrity(_Keyed):
    """MESSAGE-INTEGRITY over the message before it (RFC 8489 section 14.5)."""

    name, kind = "MESSAGE-INTEGRITY", Attribute.MESSAGE_INTEGRITY

    def current_value(self, before: bytes) -> bytes:
        """Compute the HMAC, unless a value is given."""
        if self.key_given is None or "value" in self.fields:
            return bytes(self.value)
        return integrity_value(before, self.key_given)


class MessageIntegritySha256(_Keyed):
    """MESSAGE-INTEGRITY-SHA256, truncated to ``size`` octets if given (RFC 8489 section 14.6)."""

    name, kind = "MESSAGE-INTEGRITY-SHA256", Attribute.MESSAGE_INTEGRITY_SHA256

    def current_value(self, before: bytes) -> bytes:
        """Compute the HMAC, unless a value is given."""
        if self.key_given is None or "value" in self.fields:
            return bytes(self.value)
        return integrity_sha256_value(before, self.key_given, 32 if self.size_given is None else self.size_given)


class Fingerprint(StunAttribute):
    """FINGERPRINT over the message before it, unless ``value`` is given (RFC 8489 section 14.7)."""

    name, kind = "FINGERPRINT", Attribute.FINGERPRINT

    def current_value(self, before: bytes) -> bytes:
        """Compute the CRC."""
        return bytes(self.value) if "value" in self.fields else fingerprint_value(before).to_bytes(4, "big")


_CLASSES: dict[int, type[StunAttribute]] = {
    int(cls.kind): cls
    for cls in (
        Username, Realm, Nonce, Software, Priority, Lifetime, ConnectionId, RequestedTransport, IceControlling,
        IceControlled, UseCandidate, XorMappedAddress, XorPeerAddress, XorRelayedAddress, ErrorCode,
        UnknownAttributes, MessageIntegrity, MessageIntegritySha256, Fingerprint,
    )
}  # fmt: skip


def _next_attribute(_packet: Any, _list: Any, _previous: Any, rest: bytes) -> type[Packet] | None:
    """Choose the class of the next attribute; octets too few for one stay raw."""
    if len(rest) < 4:
        return Raw if rest else None
    return _CLASSES.get(int.from_bytes(rest[:2], "big"), RawStunAttribute)


class STUN(OneValueLayer):
    """A STUN message (RFC 8489 section 5).

    ``message_class`` and ``method`` make the type unless ``type`` (16 bits, top two included) is given; ``length``
    None: that of the attributes.
    """

    name = "STUN"
    fields_desc = [
        XShortField("type", None),
        ShortField("length", None),
        XIntField("cookie", MAGIC_COOKIE),
        StrFixedLenField("transaction_id", bytes(12), length=12),
        PacketListField("attributes", [], next_cls_cb=_next_attribute),
    ]

    def __init__(self, *arguments: Any, method: int = Method.BINDING, message_class: int = 0, **fields: Any) -> None:
        if not arguments and fields.get("type") is None:
            fields["type"] = pack_type(method, message_class)
        super().__init__(*arguments, **fields)

    truncated = b""  # what was dissected, if it was too short for a header

    def self_build(self) -> bytes:
        """Build attribute by attribute, since the protections cover what stands before them."""
        if self.truncated:
            return self.truncated
        given = self.fields  # as a packet's attributes they cost ten times as much
        head = (given.get("type") or 0).to_bytes(2, "big") + bytes(2)
        head += given.get("cookie", MAGIC_COOKIE).to_bytes(4, "big")
        octets = head + bytes(given.get("transaction_id", b"")).ljust(12, b"\0")[:12]
        for attribute in given.get("attributes", ()):
            octets += attribute.octets(octets) if isinstance(attribute, StunAttribute) else bytes(attribute)
        length = given.get("length")
        length = (len(octets) - _HEADER) & 0xFFFF if length is None else length
        return with_length(octets, length)

    def do_dissect(self, octets: bytes) -> bytes:
        """Dissect, and keep the length only where it says something that the attributes do not."""
        if len(octets) < _HEADER:
            self.truncated, self.explicit = octets, 1
            return b""
        rest: bytes = super().do_dissect(octets)
        if self.length == len(octets) - _HEADER:
            self.fields["length"] = None
        return rest


def binding_request(
    *,
    username: str | None,
    password: str | None,
    priority: int | None,
    transaction_id: bytes,
    controlling: int | None = None,
    controlled: int | None = None,
    use_candidate: bool = False,
    attributes: list[Packet] | None = None,
    fingerprint: bool = True,
) -> STUN:
    """Return a connectivity check (RFC 8445 section 7.2.4); None leaves the attribute out.

    `attributes` are further ones, placed before the protections. `password` is the other agent's.
    """
    chosen: list[Packet] = []
    if username is not None:
        chosen.append(Username(value=username))
    if priority is not None:
        chosen.append(Priority(number=priority))
    if controlling is not None:
        chosen.append(IceControlling(number=controlling))
    if controlled is not None:
        chosen.append(IceControlled(number=controlled))
    if use_candidate:
        chosen.append(UseCandidate())
    chosen += attributes or []
    return _protected(0, transaction_id, chosen, password, fingerprint)


def binding_success(
    transaction_id: bytes,
    address: Address,
    password: str | None,
    *,
    attributes: list[Packet] | None = None,
    **change: Any,
) -> STUN:
    """Return the success response to a check from `address` (RFC 8445 section 7.3.1.3), `attributes` being more."""
    chosen: list[Packet] = [XorMappedAddress(address=address), *(attributes or [])]
    return _protected(2, transaction_id, chosen, password, **change)


def binding_error(transaction_id: bytes, code: int, reason: str, password: str | None, **change: Any) -> STUN:
    """Return an error response (RFC 8489 section 6.3.1.1); without password it is not protected."""
    return _protected(3, transaction_id, [ErrorCode(code=code, reason=reason)], password, **change)


def binding_indication(transaction_id: bytes, **change: Any) -> STUN:
    """Return a Binding indication, as keepalives use it (RFC 8445 section 11)."""
    return _protected(1, transaction_id, [], None, **change)


def _protected(
    message_class: int,
    transaction_id: bytes,
    attributes: list[Packet],
    password: str | None,
    fingerprint: bool = True,
) -> STUN:
    protections: list[Packet] = [] if password is None else [MessageIntegrity(key=short_term_key(password))]
    if fingerprint:
        protections.append(Fingerprint())
    return STUN(message_class=message_class, transaction_id=transaction_id, attributes=attributes + protections)

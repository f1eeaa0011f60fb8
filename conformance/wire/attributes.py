"""STUN attributes: the registry, and the values of those that ICE and TURN use.

Types from RFC 8489 section 18.3, RFC 8445 section 20.2 (ICE), RFC 8656 section 18 and RFC 6062 section 6 (TURN), and
RFC 5780/3489 for those that old agents still send. Each encoder returns a `RawAttribute`, each decoder takes one and
raises `StunError` for a value that is malformed.
"""

from __future__ import annotations

import enum
import functools
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire import ip
from conformance.wire.errors import StunError
from conformance.wire.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC_COOKIE = 0x2112A442
_COOKIES = struct.pack("!HI", MAGIC_COOKIE >> 16, MAGIC_COOKIE)  # what a port and an address are XORed with
_IPV4, _IPV6 = 1, 2
_IPV4_SIZE = 8  # octets of an attribute
_MAX_TEXT = 763  # RFC 8489 sections 14.3, 14.9, 14.10, 14.14: at most 763 octets of UTF-8 (509 for USERNAME)


class Attribute(enum.IntEnum):
    """Attribute types; names are the RFCs' spellings with underscores."""

    MAPPED_ADDRESS = 0x0001
    RESPONSE_ADDRESS = 0x0002
    CHANGE_REQUEST = 0x0003
    SOURCE_ADDRESS = 0x0004
    CHANGED_ADDRESS = 0x0005
    USERNAME = 0x0006
    PASSWORD = 0x0007
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    REFLECTED_FROM = 0x000B
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    EVEN_PORT = 0x0018
    REQUESTED_TRANSPORT = 0x0019
    DONT_FRAGMENT = 0x001A
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    PASSWORD_ALGORITHM = 0x001D
    USERHASH = 0x001E
    XOR_MAPPED_ADDRESS = 0x0020
    RESERVATION_TOKEN = 0x0022
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    CONNECTION_ID = 0x002A
    ADDITIONAL_ADDRESS_FAMILY = 0x8000
    ADDRESS_ERROR_CODE = 0x8001
    PASSWORD_ALGORITHMS = 0x8002
    ALTERNATE_DOMAIN = 0x8003
    ICMP = 0x8004
    SOFTWARE = 0x8022
    ALTERNATE_SERVER = 0x8023
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A

    @property
    def spelling(self) -> str:
        """The name as the RFCs write it."""
        return self.name.replace("_", "-")


def spelling(kind: int) -> str:
    """Return an attribute type as the RFCs write it, or in hexadecimal if it is none of theirs."""
    return _SPELLINGS.get(kind) or f"0x{kind:04X}"


_SPELLINGS = {int(attribute): attribute.spelling for attribute in Attribute}


def comprehension_required(kind: int) -> bool:
    """Whether an agent that does not know this type must refuse a request that has it (RFC 8489 section 14)."""
    return kind < 0x8000


@frozen
class RawAttribute:
    """One attribute as it stands in a message.

    ``padding`` are the octets up to the next multiple of four (None: zeros, as many as are needed); ``offset`` is
    where the attribute begins in its message (-1: nowhere) and does not count in comparisons.
    """

    type: int
    value: bytes
    padding: bytes | None = None
    offset: int = field(default=-1, compare=False)

    def encode(self) -> bytes:
        """Return type, length, value and padding (RFC 8489 section 14)."""
        value = self.value
        padding = bytes(-len(value) % 4) if self.padding is None else self.padding
        return struct.pack("!HH", self.type, len(value)) + value + padding

    def __str__(self) -> str:
        return f"{spelling(self.type)} ({len(self.value)} octets)"


@dataclass(frozen=True, slots=True)
class Address:
    """A transport address. ``ip`` is the usual text form."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@frozen
class ErrorCode:
    """ERROR-CODE (RFC 8489 section 14.8)."""

    code: int
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.reason}".rstrip()


# -- encoders ----------------------------------------------------------------------------------------------------


def text(kind: Attribute, value: str) -> RawAttribute:
    """Return USERNAME, REALM, NONCE, SOFTWARE or another attribute whose value is UTF-8."""
    return RawAttribute(kind, value.encode())


def username(value: str) -> RawAttribute:
    """Return USERNAME (RFC 8489 section 14.3)."""
    return text(Attribute.USERNAME, value)


def software(value: str) -> RawAttribute:
    """Return SOFTWARE (RFC 8489 section 14.14)."""
    return text(Attribute.SOFTWARE, value)


def priority(value: int) -> RawAttribute:
    """Return PRIORITY (RFC 8445 section 16.1)."""
    return RawAttribute(Attribute.PRIORITY, struct.pack("!I", value))


def lifetime(seconds: int) -> RawAttribute:
    """Return LIFETIME (RFC 8656 section 18.2)."""
    return RawAttribute(Attribute.LIFETIME, struct.pack("!I", seconds))


def connection_id(value: int) -> RawAttribute:
    """Return CONNECTION-ID (RFC 6062 section 6.2.1)."""
    return RawAttribute(Attribute.CONNECTION_ID, struct.pack("!I", value))


def requested_transport(protocol: int) -> RawAttribute:
    """Return REQUESTED-TRANSPORT (RFC 8656 section 18.8): 6 for TCP (RFC 6062 section 4.1), 17 for UDP."""
    return RawAttribute(Attribute.REQUESTED_TRANSPORT, struct.pack("!Bxxx", protocol))


def additional_ipv6() -> RawAttribute:
    """Return ADDITIONAL-ADDRESS-FAMILY (RFC 8656 section 18.11): IPv6, the only family that it may name."""
    return RawAttribute(Attribute.ADDITIONAL_ADDRESS_FAMILY, struct.pack("!Bxxx", _IPV6))


def use_candidate() -> RawAttribute:
    """Return USE-CANDIDATE (RFC 8445 section 16.1)."""
    return RawAttribute(Attribute.USE_CANDIDATE, b"")


def ice_controlling(tie_breaker: int) -> RawAttribute:
    """Return ICE-CONTROLLING (RFC 8445 section 16.1)."""
    return RawAttribute(Attribute.ICE_CONTROLLING, struct.pack("!Q", tie_breaker))


def ice_controlled(tie_breaker: int) -> RawAttribute:
    """Return ICE-CONTROLLED (RFC 8445 section 16.1)."""
    return RawAttribute(Attribute.ICE_CONTROLLED, struct.pack("!Q", tie_breaker))


def address(kind: Attribute, value: Address) -> RawAttribute:
    """Return MAPPED-ADDRESS or ALTERNATE-SERVER (RFC 8489 sections 14.1 and 14.15)."""
    packed = ip.packed(value.ip)
    return RawAttribute(kind, struct.pack("!xBH", _IPV4 if len(packed) == 4 else _IPV6, value.port) + packed)


def xor_address(kind: Attribute, value: Address, transaction_id: bytes) -> RawAttribute:
    """Return XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS or XOR-RELAYED-ADDRESS (RFC 8489 section 14.2)."""
    plain = address(kind, value).value
    return RawAttribute(kind, plain[:2] + _xored(plain[2:], transaction_id))


def error_code(code: int, reason: str = "") -> RawAttribute:
    """Return ERROR-CODE (RFC 8489 section 14.8); `code` from 300 to 699."""
    return RawAttribute(Attribute.ERROR_CODE, struct.pack("!xxBB", code // 100, code % 100) + reason.encode())


def unknown_attributes(types: Iterable[int]) -> RawAttribute:
    """Return UNKNOWN-ATTRIBUTES (RFC 8489 section 14.13)."""
    return RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, b"".join(struct.pack("!H", kind) for kind in types))


# -- decoders ----------------------------------------------------------------------------------------------------


def decode_text(attribute: RawAttribute) -> str:
    """Return a text value; RFC 8489 sections 14.3 to 14.14."""
    if len(attribute.value) > _MAX_TEXT:
        raise _malformed(attribute, f"longer than {_MAX_TEXT} octets")
    try:
        return attribute.value.decode()
    except UnicodeDecodeError as error:
        raise _malformed(attribute, "not UTF-8") from error


def decode_number(attribute: RawAttribute, octets: int) -> int:
    """Return an unsigned integer that must be so many octets long."""
    if len(attribute.value) != octets:
        raise _malformed(attribute, f"not {octets} octets long")
    return int.from_bytes(attribute.value, "big")


def decode_address(attribute: RawAttribute) -> Address:
    """Return the address of MAPPED-ADDRESS and its like (RFC 8489 section 14.1)."""
    return _address(attribute, attribute.value)


def decode_xor_address(attribute: RawAttribute, transaction_id: bytes) -> Address:
    """Return the address of XOR-MAPPED-ADDRESS and its like (RFC 8489 section 14.2)."""
    value = attribute.value
    if is_ipv4(value):  # nearly always; the transaction id takes no part
        return ipv4_xored(value)
    return _address(attribute, value[:2] + _xored(value[2:], transaction_id))


def decode_error_code(attribute: RawAttribute) -> ErrorCode:
    """Return ERROR-CODE (RFC 8489 section 14.8)."""
    if len(attribute.value) < 4:
        raise _malformed(attribute, "shorter than 4 octets")
    hundreds, units = attribute.value[2] & 7, attribute.value[3]
    if not 3 <= hundreds <= 6 or units > 99:
        raise _malformed(attribute, f"class {hundreds}, number {units}: not from 300 to 699")
    return ErrorCode(hundreds * 100 + units, attribute.value[4:].decode(errors="replace"))


def decode_unknown_attributes(attribute: RawAttribute) -> tuple[int, ...]:
    """Return the types listed in UNKNOWN-ATTRIBUTES (RFC 8489 section 14.13)."""
    if len(attribute.value) % 2:
        raise _malformed(attribute, "of an odd length")
    return struct.unpack(f"!{len(attribute.value) // 2}H", attribute.value)


def is_ipv4(value: bytes) -> bool:
    """Whether the value of an attribute is an IPv4 address with its port, of the right size."""
    return len(value) == _IPV4_SIZE and value[1] == _IPV4


@functools.lru_cache(maxsize=1 << 12)
def ipv4_xored(value: bytes) -> Address:
    """Return the address of the value of XOR-MAPPED-ADDRESS or its like that `is_ipv4`."""
    plain = _xored(value[2:], b"")
    return Address(ip.text(plain[2:]), plain[0] << 8 | plain[1])


def _xored(port_and_address: bytes, transaction_id: bytes) -> bytes:
    """XOR a port with the cookie's upper half and an address with cookie and transaction id."""
    mask = _COOKIES + transaction_id
    size = min(len(port_and_address), len(mask))
    value = int.from_bytes(port_and_address[:size], "big") ^ int.from_bytes(mask[:size], "big")
    return value.to_bytes(size, "big")


def _address(attribute: RawAttribute, value: bytes) -> Address:
    if len(value) < 4:
        raise _malformed(attribute, "shorter than 4 octets")
    family, port = struct.unpack_from("!xBH", value)
    size = {_IPV4: 8, _IPV6: 20}.get(family)
    if size is None:
        raise _malformed(attribute, f"of unknown address family {family}")
    if len(value) != size:
        raise _malformed(attribute, f"not {size} octets long, as its family asks")
    return Address(ip.text(value[4:]), port)


def _malformed(attribute: RawAttribute, how: str) -> StunError:
    offset = attribute.offset if attribute.offset >= 0 else None
    return StunError(f"{spelling(attribute.type)} is {how}", offset, "RFC 8489 section 14", attribute.type)

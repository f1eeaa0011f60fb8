"""STUN messages (RFC 8489 section 5), lossless: order, duplicates and padding are kept as they came."""

from __future__ import annotations

import enum
import functools
import struct
from typing import TYPE_CHECKING

from conformance.wire import attributes as attr
from conformance.wire.attributes import MAGIC_COOKIE, Attribute, RawAttribute
from conformance.wire.errors import StunError
from conformance.wire.frozen import frozen
from conformance.wire.integrity import (
    Check,
    check_fingerprint,
    fingerprint_value,
    integrity_sha256_value,
    integrity_value,
    is_fingerprint,
)
from conformance.wire.values import MessageClass, Values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.wire.attributes import Address

__all__ = ["MAGIC_COOKIE", "Message", "MessageClass", "Method", "RawAttribute", "build", "looks_like_stun"]

HEADER = 20
_HEAD = struct.Struct("!HHI12s")
_TYPE_AND_LENGTH = struct.Struct("!HH")
_COOKIE_OCTETS = MAGIC_COOKIE.to_bytes(4, "big")
_CLAUSE = "RFC 8489 section 5"
_MESSAGE_INTEGRITY, _USE_CANDIDATE, _FINGERPRINT = 0x0008, 0x0025, 0x8028
_AFTER_INTEGRITY = {Attribute.MESSAGE_INTEGRITY_SHA256, Attribute.FINGERPRINT}


class Method(enum.IntEnum):
    """Methods of RFC 8489, 8656 and 6062."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009
    CONNECT = 0x00A
    CONNECTION_BIND = 0x00B
    CONNECTION_ATTEMPT = 0x00C


_CLASSES = tuple(MessageClass)


def pack_type(method: int, cls: int) -> int:
    """Interleave method (12 bits) and class (2 bits) as figure 3 of RFC 8489 draws them."""
    return (method & 0xF80) << 2 | (method & 0x070) << 1 | method & 0x00F | (cls & 2) << 7 | (cls & 1) << 4


@functools.lru_cache(maxsize=256)  # few of all are in use
def unpack_type(value: int) -> tuple[int, MessageClass]:
    """Take method and class out of a message type (14 bits)."""
    method = value >> 2 & 0xF80 | value >> 1 & 0x070 | value & 0x00F
    return method, _CLASSES[value >> 7 & 2 | value >> 4 & 1]


@frozen
class Message(Values):
    """One STUN message. ``transaction_id`` is 12 octets; ``cookie`` differs from the magic one only in RFC 3489."""

    method: int
    cls: MessageClass
    transaction_id: bytes
    attributes: tuple[RawAttribute, ...] = ()
    cookie: int = MAGIC_COOKIE

    @classmethod
    def decode(cls, octets: bytes) -> Message:
        """Return the message that exactly these octets are.

        Raises `StunError` when the header is short or its top bits are set, when LENGTH differs from what follows or
        is no multiple of four, and when an attribute runs past the end.
        """
        method, message_class, transaction_id, cookie = _decode_head(octets)
        return cls(method, message_class, transaction_id, _decode_attributes(octets), cookie)

    def encode(self) -> bytes:
        """Return the octets; for a decoded message those it was decoded from."""
        body = b"".join([attribute.encode() for attribute in self.attributes])
        kind = pack_type(self.method, self.cls)
        return _HEAD.pack(kind, len(body), self.cookie, self.transaction_id) + body

    # -- attributes ----------------------------------------------------------------------------------------------

    def first(self, kind: int) -> RawAttribute | None:
        """Return the first attribute of a type, which is the one that counts (RFC 8489 section 14)."""
        for attribute in self.attributes:
            if attribute.type == kind:
                return attribute
        return None

    def has(self, kind: int) -> bool:
        """Whether there is an attribute of this type."""
        return self.first(kind) is not None

    def all(self, kind: int) -> list[RawAttribute]:
        """Return all attributes of a type."""
        return [attribute for attribute in self.attributes if attribute.type == kind]

    def honoured(self) -> tuple[RawAttribute, ...]:
        """Return what a receiver acts on.

        The first of each type; behind MESSAGE-INTEGRITY only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT, behind
        MESSAGE-INTEGRITY-SHA256 only FINGERPRINT (RFC 8489 sections 14, 14.5 and 14.6).
        """
        seen: dict[int, RawAttribute] = {}
        allowed: set[Attribute] | None = None
        for attribute in self.attributes:
            if attribute.type in seen or (allowed is not None and attribute.type not in allowed):
                continue
            seen[attribute.type] = attribute
            if attribute.type == Attribute.MESSAGE_INTEGRITY:
                allowed = _AFTER_INTEGRITY
            elif attribute.type == Attribute.MESSAGE_INTEGRITY_SHA256:
                allowed = {Attribute.FINGERPRINT}
        return tuple(seen.values())


def _decode_head(octets: bytes) -> tuple[int, MessageClass, bytes, int]:
    """Return method, class, transaction id and cookie. Raises `StunError` as `Message.decode` does for a header."""
    if len(octets) < HEADER:
        raise StunError(f"{len(octets)} octets are too few for a header of {HEADER}", len(octets), _CLAUSE)
    kind, length, cookie, transaction_id = _HEAD.unpack_from(octets)
    if kind & 0xC000:
        raise StunError("the two most significant bits are not zero", 0, _CLAUSE)
    if length & 3:
        raise StunError(f"the length {length} is no multiple of 4", 2, _CLAUSE)
    if length != len(octets) - HEADER:
        raise StunError(f"the length says {length} octets, {len(octets) - HEADER} follow the header", 2, _CLAUSE)
    return *unpack_type(kind), transaction_id, cookie


def _decode_attributes(octets: bytes) -> tuple[RawAttribute, ...]:
    found = []
    position, end = HEADER, len(octets)
    while position < end:  # the length is a multiple of 4, so that 4 octets are there
        kind, length = _TYPE_AND_LENGTH.unpack_from(octets, position)
        value_end = position + 4 + length
        padded_end = value_end + (-length & 3)
        if padded_end > end:
            raise _past_the_end(kind, length, position)
        padding = octets[value_end:padded_end]
        found.append(RawAttribute(kind, octets[position + 4 : value_end], padding if any(padding) else None, position))
        position = padded_end
    return tuple(found)


def _past_the_end(kind: int, length: int, position: int) -> StunError:
    what = f"{attr.spelling(kind)} of {length} octets runs past the end of the message"
    return StunError(what, position, "RFC 8489 section 14")


class View(Values):
    """A message to read only: the values of the first attribute of each type, found in one walk.

    A `Message` keeps order, duplicates, padding and offsets as well, and costs several times as much. ``values``: by
    type. ``integrity_at``: where the first MESSAGE-INTEGRITY begins; None: there is none. ``fingerprint``: what became
    of looking at FINGERPRINT.
    """

    __slots__ = ("cls", "fingerprint", "integrity_at", "method", "transaction_id", "values")

    def __init__(self, octets: bytes) -> None:
        """Raises `StunError` for octets that `Message.decode` refuses, and the same one."""
        self.method, self.cls, self.transaction_id, _ = _decode_head(octets)
        self.integrity_at: int | None = None
        fingerprint: bool | None = None
        values: dict[int, bytes] = {}
        position, end = HEADER, len(octets)
        unpack = _TYPE_AND_LENGTH.unpack_from
        while position < end:
            kind, length = unpack(octets, position)
            following = position + 4 + (length + 3 & ~3)
            if following > end:
                raise _past_the_end(kind, length, position)
            if kind not in values:
                if kind == _MESSAGE_INTEGRITY:
                    self.integrity_at = position
                elif kind == _FINGERPRINT:
                    fingerprint = is_fingerprint(octets, position)
                values[kind] = octets[position + 4 : position + 4 + length]
            position = following
        self.values = values
        self.fingerprint = Check.ABSENT if fingerprint is None else Check.VALID if fingerprint else Check.INVALID

    def first(self, kind: int) -> RawAttribute | None:
        """Return the first attribute of a type, without its padding and its offset."""
        value = self.values.get(kind)
        return None if value is None else RawAttribute(kind, value)

    def has(self, kind: int) -> bool:
        """Whether there is an attribute of this type."""
        return kind in self.values

    @property
    def use_candidate(self) -> bool:
        """Whether USE-CANDIDATE is there."""
        return _USE_CANDIDATE in self.values

    def _number(self, kind: int, octets: int) -> int | None:
        value = self.values.get(kind)
        if value is None or len(value) != octets:
            return None if value is None else super()._number(kind, octets)
        return int.from_bytes(value, "big")

    def _xor_address(self, kind: int) -> Address | None:
        value = self.values.get(kind)
        return attr.ipv4_xored(value) if value is not None and attr.is_ipv4(value) else super()._xor_address(kind)


def looks_like_stun(octets: bytes) -> bool:
    """Whether a frame is to be taken for STUN (RFC 5389 sections 6 and 8; RFC 6544 section 10.1).

    Two zero bits, the magic cookie, a length that is the frame's, and a FINGERPRINT that is right if there is one.
    """
    return (
        len(octets) >= HEADER
        and octets[0] < 0x40
        and octets[4:8] == _COOKIE_OCTETS
        and not octets[3] & 3
        and octets[2] << 8 | octets[3] == len(octets) - HEADER
        and check_fingerprint(octets) is not Check.INVALID
    )


def build(
    method: int,
    cls: MessageClass,
    transaction_id: bytes,
    attributes: Iterable[RawAttribute] = (),
    *,
    key: bytes | None = None,
    sha256_key: bytes | None = None,
    fingerprint: bool = True,
) -> bytes:
    """Return a message with the protections asked for appended in their order (RFC 8489 sections 14.5 to 14.7)."""
    octets = Message(method, cls, transaction_id, tuple(attributes)).encode()
    if key is not None:
        octets += RawAttribute(Attribute.MESSAGE_INTEGRITY, integrity_value(octets, key)).encode()
    if sha256_key is not None:
        value = integrity_sha256_value(octets, sha256_key)
        octets += RawAttribute(Attribute.MESSAGE_INTEGRITY_SHA256, value).encode()
    if fingerprint:
        crc = fingerprint_value(octets).to_bytes(4, "big")
        octets += RawAttribute(Attribute.FINGERPRINT, crc).encode()
    return octets[:2] + (len(octets) - HEADER).to_bytes(2, "big") + octets[4:]

"""MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489 sections 14.5 to 14.7)."""

from __future__ import annotations

import enum
import hashlib
import hmac
import struct
import zlib
from functools import lru_cache

from conformance.wire.attributes import Attribute

_HEADER = 20
_REMEMBERED = 256  # messages, since several rules ask the same of one
_FINGERPRINT_XOR = 0x5354554E
_BLOCK = 64  # octets
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))
_TYPE_AND_LENGTH = struct.Struct("!HH")
_SHA1_SIZE = b"\0\x14"  # of MESSAGE-INTEGRITY's value
_CRC_SIZE = b"\0\4"  # of FINGERPRINT's value
_SHA256_SIZES = (16, 20, 24, 28, 32)  # RFC 8489 section 14.6: truncated, but to no less than 16 octets


class Check(enum.StrEnum):
    """What became of looking at a protection."""

    ABSENT = "absent"
    VALID = "valid"
    INVALID = "invalid"


def short_term_key(password: str) -> bytes:
    """Return the key of the short-term mechanism (RFC 8489 section 9.1.1); the password is already prepared."""
    return password.encode()


def long_term_key(username: str, realm: str, password: str) -> bytes:
    """Return the key of the long-term mechanism with MD5 (RFC 8489 section 18.5.1.1); all already prepared."""
    return hashlib.md5(f"{username}:{realm}:{password}".encode(), usedforsecurity=False).digest()


def with_length(octets: bytes, body: int) -> bytes:
    """Return a message's beginning with the header's length field set to `body` octets."""
    return octets[:2] + body.to_bytes(2, "big") + octets[4:]


def integrity_value(before: bytes, key: bytes) -> bytes:
    """Return the HMAC-SHA1 over a message up to where MESSAGE-INTEGRITY begins (RFC 8489 section 14.5)."""
    inner, outer = (state.copy() for state in _keyed(key))
    inner.update(with_length(before, len(before) - _HEADER + 24))
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=_REMEMBERED)
def _keyed(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Return what both passes of HMAC-SHA1 begin with (RFC 2104), which takes longer than all the rest of a message."""
    block = (hashlib.sha1(key, usedforsecurity=False).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (hashlib.sha1(block.translate(pad), usedforsecurity=False) for pad in (_INNER, _OUTER))
    return inner, outer


def integrity_sha256_value(before: bytes, key: bytes, size: int = 32) -> bytes:
    """Return the HMAC-SHA256 over a message up to where the attribute begins, truncated (RFC 8489 section 14.6)."""
    return hmac.digest(key, with_length(before, len(before) - _HEADER + 4 + size), "sha256")[:size]


def fingerprint_value(before: bytes) -> int:
    """Return the CRC-32 over a message up to where FINGERPRINT begins, XORed (RFC 8489 section 14.7)."""
    return zlib.crc32(with_length(before, len(before) - _HEADER + 8)) ^ _FINGERPRINT_XOR


@lru_cache(maxsize=_REMEMBERED)
def check_integrity(octets: bytes, key: bytes) -> Check:
    """Check the first MESSAGE-INTEGRITY of a message; what follows it does not matter."""
    found = _find(octets, Attribute.MESSAGE_INTEGRITY)
    if found is None:
        return Check.ABSENT
    return _verdict(is_integrity(octets, found[0], key))


def is_integrity(octets: bytes, at: int, key: bytes) -> bool:
    """Whether the MESSAGE-INTEGRITY that begins at an offset has its length and is right."""
    value = octets[at + 4 : at + 24]
    return octets[at + 2 : at + 4] == _SHA1_SIZE and hmac.compare_digest(integrity_value(octets[:at], key), value)


def check_integrity_sha256(octets: bytes, key: bytes) -> Check:
    """Check the first MESSAGE-INTEGRITY-SHA256 of a message, in any of its lawful lengths."""
    found = _find(octets, Attribute.MESSAGE_INTEGRITY_SHA256)
    if found is None:
        return Check.ABSENT
    offset, value = found
    if len(value) not in _SHA256_SIZES:
        return Check.INVALID
    return _verdict(hmac.compare_digest(integrity_sha256_value(octets[:offset], key, len(value)), value))


@lru_cache(maxsize=_REMEMBERED)
def check_fingerprint(octets: bytes) -> Check:
    """Check FINGERPRINT, which must be the message's last attribute."""
    found = _find(octets, Attribute.FINGERPRINT)
    if found is None:
        return Check.ABSENT
    return _verdict(is_fingerprint(octets, found[0]))


def is_fingerprint(octets: bytes, at: int) -> bool:
    """Whether the FINGERPRINT that begins at an offset is the message's last attribute, of its length, and right."""
    if at + 8 != len(octets) or octets[at + 2 : at + 4] != _CRC_SIZE:
        return False
    length = len(octets) - _HEADER
    before = octets[:at] if octets[2] << 8 | octets[3] == length else with_length(octets[:at], length)
    return int.from_bytes(octets[at + 4 :], "big") == zlib.crc32(before) ^ _FINGERPRINT_XOR


def _verdict(valid: bool) -> Check:
    return Check.VALID if valid else Check.INVALID


def _find(octets: bytes, kind: int) -> tuple[int, bytes] | None:
    """Return offset and value of the first attribute of a type, as far as the attributes can be walked."""
    position, end = _HEADER, len(octets)
    while position + 4 <= end:
        found, length = _TYPE_AND_LENGTH.unpack_from(octets, position)
        if found == kind:
            value = octets[position + 4 : position + 4 + length]
            return position, value
        position += 4 + (length + 3 & ~3)
    return None

"""Long-term credentials: keys, user hashes, the nonce cookie and password algorithms (RFC 8489 sections 9.2 and 14)."""

from __future__ import annotations

import base64
import enum
import hashlib
import struct
from typing import TYPE_CHECKING

from conformance.wire.errors import StunError

if TYPE_CHECKING:
    from collections.abc import Iterable

NONCE_COOKIE = "obMatJos2"
MD5, SHA256 = 1, 2  # RFC 8489 section 18.5
_BITS = 24
_FEATURES = 4  # characters of base64 behind the cookie
_ENTRY = struct.Struct("!HH")


class Feature(enum.IntEnum):
    """What a nonce cookie announces, by the number of its bit."""

    PASSWORD_ALGORITHMS = 0
    USERNAME_ANONYMITY = 1


def key(algorithm: int, username: str, realm: str, password: str) -> bytes:
    """Return the key of the long-term mechanism (RFC 8489 section 18.5.1); all are already prepared."""
    octets = f"{username}:{realm}:{password}".encode()
    return (
        hashlib.sha256(octets).digest() if algorithm == SHA256 else hashlib.md5(octets, usedforsecurity=False).digest()
    )


def userhash(username: str, realm: str) -> bytes:
    """Return the value of USERHASH (RFC 8489 section 14.4)."""
    return hashlib.sha256(f"{username}:{realm}".encode()).digest()


def nonce(features: Iterable[Feature], rest: str) -> str:
    """Return a nonce that announces these features.

    RFC 8489 section 18.1 counts the bits from the left, its example from the right: both are set.
    """
    bits = 0
    for feature in features:
        bits |= 1 << feature | 1 << (_BITS - 1 - feature)
    return NONCE_COOKIE + base64.b64encode(bits.to_bytes(3, "big")).decode() + rest


def features(text: str) -> frozenset[Feature]:
    """Return what a nonce announces, counted from either side; nothing without the cookie."""
    if not text.startswith(NONCE_COOKIE):
        return frozenset()
    try:
        octets = base64.b64decode(text[len(NONCE_COOKIE) : len(NONCE_COOKIE) + _FEATURES], validate=True)
    except ValueError:
        return frozenset()
    bits = int.from_bytes(octets, "big")
    return frozenset(f for f in Feature if bits >> f & 1 or bits >> (_BITS - 1 - f) & 1)


def encode_algorithms(algorithms: Iterable[int]) -> bytes:
    """Return the value of PASSWORD-ALGORITHMS, or PASSWORD-ALGORITHM of one; none of them has parameters."""
    return b"".join(_ENTRY.pack(algorithm, 0) for algorithm in algorithms)


def decode_algorithms(value: bytes) -> tuple[int, ...]:
    """Return the numbers of the algorithms in a list (RFC 8489 section 14.11). Raises `StunError`."""
    found, position = [], 0
    while position < len(value):
        if position + _ENTRY.size > len(value):
            raise StunError("a list of password algorithms that ends too early", position, "RFC 8489 section 14.11")
        number, size = _ENTRY.unpack_from(value, position)
        position += _ENTRY.size + size + (-size & 3)
        found.append(number)
    return tuple(found)

"""Whether a response is plainly right, in few steps: only what is not is worth the codec's care."""

from __future__ import annotations

import hmac
import socket
import zlib
from functools import lru_cache
from struct import Struct

_HEAD = Struct("!HH")
_HEADER = 20
_MAPPED, _INTEGRITY, _FINGERPRINT = 0x0020, 0x0008, 0x8028


@lru_cache(maxsize=4096)
def _mapped(local: tuple[str, int]) -> bytes:
    """Return XOR-MAPPED-ADDRESS's value for an IPv4 address."""
    address = bytes(a ^ b for a, b in zip(socket.inet_aton(local[0]), b"\x21\x12\xa4\x42", strict=True))
    return b"\0\1" + (local[1] ^ 0x2112).to_bytes(2, "big") + address


def plainly_right(octets: bytes, key: bytes, local: tuple[str, int]) -> bool:
    """Whether octets are a success response with the right address, MESSAGE-INTEGRITY and FINGERPRINT; False: look."""
    size = len(octets)
    if size < _HEADER or octets[:2] != b"\x01\x01" or (octets[2] << 8 | octets[3]) != size - _HEADER or size & 3:
        return False
    place, seen = _HEADER, []
    while place < size:
        kind, length = _HEAD.unpack_from(octets, place)
        begin, place = place, place + 4 + (length + 3 & ~3)
        if place > size or kind in seen:
            return False
        seen.append(kind)
        if not _right(octets, begin, kind, octets[begin + 4 : begin + 4 + length], key, local):
            return False
    return seen[-2:] == [_INTEGRITY, _FINGERPRINT] and _MAPPED in seen


def _right(octets: bytes, begin: int, kind: int, value: bytes, key: bytes, local: tuple[str, int]) -> bool:
    if kind == _MAPPED:
        return value == _mapped(local)
    if kind == _INTEGRITY:
        before = octets[:2] + (begin + 4).to_bytes(2, "big") + octets[4:begin]
        return value == hmac.digest(key, before, "sha1")
    if kind == _FINGERPRINT:
        return value == (zlib.crc32(octets[:begin]) ^ 0x5354554E).to_bytes(4, "big")
    return True

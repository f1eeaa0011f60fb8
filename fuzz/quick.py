"""Messages in few steps: which attributes there are, and whether an answer is plainly right.

A campaign judges thousands of messages a second. What is a message, and what its attributes are, is decided here just
as the codec decides it (the tests hold the two together), but nothing is made of them but numbers and octets; only
what is not plainly right is worth the codec's care.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from struct import Struct

from fuzz.render import integrity

HEADER = 20
INTEGRITY, FINGERPRINT = 0x0008, 0x8028
_ERROR_CODE, _MAPPED = 0x0009, 0x0020
_HEAD = Struct("!HH").unpack_from

Walked = tuple[list[int], list[int], list[bytes]]  # types, offsets and values of attributes, in their order


def walk(octets: bytes) -> Walked | None:
    """Return the attributes of the message that exactly these octets are; None if they are none."""
    end = len(octets)
    if end < HEADER or octets[0] > 0x3F or end & 3 or octets[2] << 8 | octets[3] != end - HEADER:
        return None
    kinds: list[int] = []
    places: list[int] = []
    values: list[bytes] = []
    place = HEADER
    while place < end:
        kind, length = _HEAD(octets, place)
        kinds.append(kind)
        places.append(place)
        place += 4
        values.append(octets[place : place + length])
        place += length + 3 & ~3
    return None if place > end else (kinds, places, values)


def authentic(octets: bytes, place: int, value: bytes, key: bytes) -> bool:
    """Whether the value of a MESSAGE-INTEGRITY at an offset is right."""
    return value == integrity(octets[:place], key)


def fingerprinted(octets: bytes, place: int, value: bytes) -> bool:
    """Whether a FINGERPRINT at an offset of a message is the last attribute and right."""
    # As it is the last, the header's length already counts it (RFC 8489 section 14.7).
    return place + 8 == len(octets) and value == (zlib.crc32(octets[:place]) ^ 0x5354554E).to_bytes(4, "big")


def _mapped(local: tuple[str, int]) -> bytes:
    """Return XOR-MAPPED-ADDRESS's value for an IPv4 address."""
    return b"\0\1" + (local[1] ^ 0x2112).to_bytes(2, "big") + _masked(local[0])


@lru_cache(maxsize=64)
def _masked(ip: str) -> bytes:
    plain = bytes(map(int, ip.split(".")))
    return bytes(a ^ b for a, b in zip(plain, b"\x21\x12\xa4\x42", strict=True))


def plainly_right(octets: bytes, key: bytes, local: tuple[str, int]) -> bool:
    """Whether octets are a success response with the right address, MESSAGE-INTEGRITY and FINGERPRINT; False: look."""
    walked = walk(octets) if octets[:2] == b"\x01\x01" else None
    if walked is None:
        return False
    kinds, places, values = walked
    return (
        kinds[-2:] == [INTEGRITY, FINGERPRINT]
        and len(set(kinds)) == len(kinds)
        and _MAPPED in kinds
        and values[kinds.index(_MAPPED)] == _mapped(local)
        and authentic(octets, places[-2], values[-2], key)
        and fingerprinted(octets, places[-1], values[-1])
    )


def plain_error(octets: bytes) -> int:
    """Return the code of an error response that is plainly one; 0: look."""
    walked = walk(octets) if octets[:2] == b"\x01\x11" else None
    if walked is None or _ERROR_CODE not in walked[0]:
        return 0
    value = walked[2][walked[0].index(_ERROR_CODE)]
    hundreds, units = (value[2] & 7, value[3]) if len(value) > 3 else (0, 0)
    return hundreds * 100 + units if 3 <= hundreds <= 6 and units < 100 else 0


def frames(octets: bytes) -> tuple[list[bytes], bool]:
    """Return the payloads of whole frames in a stream, and whether it ends where a frame ends."""
    place, size = 0, len(octets)
    found = []
    while place + 2 <= size:
        end = place + 2 + (octets[place] << 8 | octets[place + 1])
        if end > size:
            break
        found.append(octets[place + 2 : end])
        place = end
    return found, place == size

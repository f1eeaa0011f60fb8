"""Whether an answer is plainly right, or plainly an error: the codec is asked only about the others."""

from __future__ import annotations

import zlib
from functools import lru_cache

from fuzz.player.reading import error_code, walk
from fuzz.player.render import integrity

INTEGRITY, FINGERPRINT = 0x0008, 0x8028
_ERROR_CODE, _MAPPED = 0x0009, 0x0020


def authentic(octets: bytes, place: int, value: bytes, key: bytes) -> bool:
    """Whether the value of a MESSAGE-INTEGRITY at an offset is right."""
    return value == integrity(octets[:place], key)


def fingerprinted(octets: bytes, place: int, value: bytes) -> bool:
    """Whether a FINGERPRINT at an offset of a message is the last attribute and right."""
    # As it is the last, the header's length already counts it (RFC 8489 section 14.7).
    return place + 8 == len(octets) and value == (zlib.crc32(octets[:place]) ^ 0x5354554E).to_bytes(4, "big")


def _mapped(local: tuple[str, int]) -> bytes:
    """Return the value of XOR-MAPPED-ADDRESS for an IPv4 address."""
    return b"\0\1" + (local[1] ^ 0x2112).to_bytes(2, "big") + _masked(local[0])


@lru_cache(maxsize=64)
def _masked(ip: str) -> bytes:
    plain = bytes(map(int, ip.split(".")))
    return bytes(a ^ b for a, b in zip(plain, b"\x21\x12\xa4\x42", strict=True))


def plainly_right(octets: bytes, key: bytes, local: tuple[str, int]) -> bool:
    """Whether octets are a success response with the right address, MESSAGE-INTEGRITY and FINGERPRINT."""
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
    """Return the number of a well-formed error response; 0 if the octets are something else."""
    walked = walk(octets) if octets[:2] == b"\x01\x11" else None
    if walked is None or _ERROR_CODE not in walked[0]:
        return 0
    value = walked[2][walked[0].index(_ERROR_CODE)]
    return error_code(value) if len(value) > 3 and 3 <= value[2] & 7 <= 6 and value[3] < 100 else 0

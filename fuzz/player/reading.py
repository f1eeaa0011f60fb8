"""Messages and frames as octets, read in few steps: attributes, the code of an error, the payloads of a stream.

A campaign reads thousands of messages a second. The rules are those of `conformance.wire` (the tests hold the two
together), but the result is only numbers and octets.
"""

from __future__ import annotations

from struct import Struct

HEADER = 20
_ERROR_CODE = 0x0009
_HEAD = Struct("!HH").unpack_from

Walked = tuple[list[int], list[int], list[bytes]]  # types, offsets and values of the attributes, in their order


def walk(octets: bytes) -> Walked | None:
    """Return the attributes of a message; None if the octets are not exactly one message."""
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


def error_code(value: bytes) -> int:
    """Return the number in the value of an ERROR-CODE (RFC 8489 section 14.8); 0 if the value is too short."""
    return (value[2] & 7) * 100 + value[3] if len(value) > 3 else 0


def code_of(response: bytes) -> int:
    """Return the number of the first ERROR-CODE in a response, also of a malformed one; 0 if there is none."""
    place = HEADER
    while response[1] != 0x01 and place + 4 <= len(response):
        kind, length = _HEAD(response, place)
        if kind == _ERROR_CODE:
            return error_code(response[place + 4 : place + 8])
        place += 4 + (length + 3 & ~3)
    return 0


def aligned(octets: bytes | bytearray) -> bool:
    """Whether a stream ends where a frame ends."""
    place = 0
    while place + 2 <= len(octets):
        place += 2 + (octets[place] << 8 | octets[place + 1])
    return place == len(octets)


def frames(octets: bytes) -> tuple[list[bytes], bool]:
    """Return the payloads of the whole frames in a stream, and whether the stream ends where a frame ends."""
    place, size = 0, len(octets)
    found = []
    while place + 2 <= size:
        end = place + 2 + (octets[place] << 8 | octets[place + 1])
        if end > size:
            break
        found.append(octets[place + 2 : end])
        place = end
    return found, place == size

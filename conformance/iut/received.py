"""What an application has received: the data alone, or STUN messages among them."""

from __future__ import annotations

_COOKIE = bytes.fromhex("2112a442")
_BEFORE = 4  # octets of a message in front of its cookie
_HEADER = 20


def without_stun(octets: bytes) -> bytes:
    """Return octets without the STUN messages in them."""
    rest, at = octets, octets.find(_COOKIE)
    while at >= 0:
        begin = at - _BEFORE
        length = int.from_bytes(rest[begin + 2 : at], "big") if begin >= 0 else -1
        end = begin + _HEADER + length
        if length >= 0 and not length & 3 and end <= len(rest) and rest[begin] < 0x40:
            rest, at = rest[:begin] + rest[end:], begin
        else:
            at += 1
        at = rest.find(_COOKIE, max(at, 0))
    return rest

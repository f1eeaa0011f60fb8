"""Binding requests of RFC 3489: without the magic cookie, which RFC 5389 put into the first octets of their id."""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING

from conformance.wire.stun import MAGIC_COOKIE

if TYPE_CHECKING:
    from conformance.wire.attributes import Address

_REQUEST, _RESPONSE, _MAPPED_ADDRESS = 0x0001, 0x0101, 0x0001
_HEADER = 20
_COOKIE = struct.pack("!I", MAGIC_COOKIE)


def is_rfc3489(payload: bytes) -> bool:
    """Whether a payload is a Binding request of RFC 3489 section 11.1: its LENGTH fits, and it has no cookie."""
    if len(payload) < _HEADER or payload[4:8] == _COOKIE:
        return False
    kind, length = struct.unpack_from("!HH", payload)
    return (kind, length) == (_REQUEST, len(payload) - _HEADER)


def rfc3489_success(request: bytes, source: Address) -> bytes:
    """Return the Binding response of RFC 3489 section 8.1, as far as an old client needs it."""
    ip = ipaddress.ip_address(source.ip)
    value = struct.pack("!BBH", 0, 1 if ip.version == 4 else 2, source.port) + ip.packed
    attribute = struct.pack("!HH", _MAPPED_ADDRESS, len(value)) + value
    return struct.pack("!HH", _RESPONSE, len(attribute)) + request[4:_HEADER] + attribute

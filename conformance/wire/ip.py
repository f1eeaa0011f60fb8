"""IPv4 and IPv6 headers and the Internet checksum (RFC 791, RFC 8200, RFC 1071)."""

from __future__ import annotations

import functools
import ipaddress
import struct
from typing import NamedTuple

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58  # protocol numbers
_EXTENSIONS = (0, 43, 60, 135, 139, 140)  # hop-by-hop, routing, destination options, mobility, HIP, Shim6
_FRAGMENT, _AUTHENTICATION = 44, 51
_IPV4 = struct.Struct("!BxHxxHxB")  # version and length, total length, fragment, protocol
_IS_FRAGMENT, _DONT_FRAGMENT = 0x3FFF, 0x4000


class Header(NamedTuple):
    """What an IP header says of its packet: which protocol it carries, and from where to where in the octets.

    ``end`` is where the packet ends by its own length; the octets may end earlier (cut) or later (padded).
    ``addresses`` are source and destination, packed.
    """

    protocol: int
    begin: int
    end: int
    addresses: bytes


def read(octets: bytes, at: int = 0) -> Header | None:
    """Read the header at an offset; None for a fragment, and for octets that are not a whole IP header.

    A length of 0 means that segmentation was left to the network card: the packet is as long as the octets.
    """
    if len(octets) < at + 20:
        return None
    version = octets[at] >> 4
    return _read_ipv4(octets, at) if version == 4 else _read_ipv6(octets, at) if version == 6 else None


def _read_ipv4(octets: bytes, at: int) -> Header | None:
    first, total, fragment, protocol = _IPV4.unpack_from(octets, at)
    begin = at + (first & 15) * 4
    if fragment & _IS_FRAGMENT or begin < at + 20:
        return None
    return Header(protocol, begin, at + total if total else len(octets), octets[at + 12 : at + 20])


def _read_ipv6(octets: bytes, at: int) -> Header | None:
    if len(octets) < at + 40:
        return None
    length = octets[at + 4] << 8 | octets[at + 5]
    following, begin = _behind_extensions(octets, octets[at + 6], at + 40)
    return Header(following, begin, at + 40 + length if length else len(octets), octets[at + 8 : at + 40])


def _behind_extensions(octets: bytes, following: int, position: int) -> tuple[int, int]:
    """Step over extension headers; a fragment header only where the packet was not divided (RFC 6946)."""
    while position + 4 <= len(octets):
        if following in _EXTENSIONS:
            following, position = octets[position], position + 8 + octets[position + 1] * 8
        elif following == _AUTHENTICATION:
            following, position = octets[position], position + 8 + octets[position + 1] * 4
        elif following == _FRAGMENT and not (octets[position + 2] << 8 | octets[position + 3]) & 0xFFF9:
            following, position = octets[position], position + 8
        else:
            break
    return following, position


def may_be_fragmented(packet: bytes) -> bool:
    """Whether routers may divide an IPv4 packet: Don't Fragment is not set."""
    return not int.from_bytes(packet[6:8], "big") & _DONT_FRAGMENT


def build(source: bytes, destination: bytes, protocol: int, body: bytes) -> bytes:
    """Return an IP packet with this body; the addresses are packed, and their length tells the version."""
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source + destination + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, _DONT_FRAGMENT, 64, protocol, 0)
    header += source + destination
    return with_checksum(header, 10) + body


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """Return what the checksums of TCP, UDP and ICMPv6 also cover (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    return source + destination + struct.pack("!II", length, protocol)


def checksum(octets: bytes) -> int:
    """Return the Internet checksum (RFC 1071): one division, since 2**16 is 1 modulo 65535."""
    total = int.from_bytes(octets + bytes(len(octets) & 1), "big")
    return 0xFFFF - ((total % 0xFFFF) or (0xFFFF if total else 0))


def with_checksum(octets: bytes, at: int, pseudo: bytes = b"") -> bytes:
    """Return the octets with their checksum written at this offset, where they hold zeros."""
    return octets[:at] + checksum(pseudo + octets).to_bytes(2, "big") + octets[at + 2 :]


@functools.lru_cache(maxsize=4096)
def packed(address: str) -> bytes:
    """Return the octets of an IP address."""
    return ipaddress.ip_address(address).packed


@functools.lru_cache(maxsize=1 << 14)
def text(address: bytes) -> str:
    """Return the usual text of an IP address's octets."""
    return str(ipaddress.ip_address(address))

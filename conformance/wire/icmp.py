"""ICMP and ICMPv6 errors: "destination unreachable" (RFC 792, RFC 4443 section 3.1)."""

from __future__ import annotations

import struct

from conformance.wire import ip

UNREACHABLE, UNREACHABLE6 = 3, 1  # types
TOO_BIG, HOST, PORT = 4, 1, 3  # codes of `UNREACHABLE`
# What cannot be reached: the codes of ICMP and of ICMPv6.
CODES = {"network": (0, 0), "host": (HOST, 3), "port": (PORT, 4), "prohibited": (13, 1)}
_QUOTED6 = 1200  # octets: with all headers, the error stays below IPv6's least MTU


def unreachable(teller: str, told: str, packet: bytes, what: str) -> bytes:
    """Return the IP packet in which `teller` says that what a packet is sent to cannot be reached (`CODES`)."""
    return with_code(teller, told, packet, CODES[what][":" in told])


def with_code(teller: str, told: str, packet: bytes, code: int, *, mtu: int = 0) -> bytes:
    """Return the error with this code. `mtu`, in octets, goes with `TOO_BIG` (RFC 1191 section 4).

    It quotes of an IPv4 packet the header and 8 octets, of an IPv6 packet as much as surely finds its way.
    """
    source, destination = ip.packed(teller), ip.packed(told)
    if len(source) == 4:
        body = struct.pack("!BBHHH", UNREACHABLE, code, 0, 0, mtu) + packet[: (packet[0] & 15) * 4 + 8]
        return ip.build(source, destination, ip.ICMP, ip.with_checksum(body, 2))
    body = struct.pack("!BBHI", UNREACHABLE6, code, 0, 0) + packet[:_QUOTED6]
    pseudo = ip.pseudo_header(source, destination, ip.ICMP6, len(body))
    return ip.build(source, destination, ip.ICMP6, ip.with_checksum(body, 2, pseudo))

"""Where TCP segments lie in recorded packets, behind the headers of the link layers."""

from __future__ import annotations

import functools
import ipaddress
import struct
from typing import NamedTuple

from conformance.wire import ip, tcp
from conformance.wire.attributes import Address

ETHERNET, RAW_IP, NULL, LINUX_SLL, LINUX_SLL2 = 1, 101, 0, 113, 276
LOOP = 108  # OpenBSD's loopback: NULL with its family in network byte order
IPV4_ONLY, IPV6_ONLY = 228, 229
PPP, PPP_SERIAL = 9, 50
_NO_HEADER = (RAW_IP, IPV4_ONLY, IPV6_ONLY, 12, 14)  # 12 and 14 are what some systems write for raw IP
_FOUR_OCTETS = (NULL, LOOP)
_PPPS = (PPP, PPP_SERIAL)
LINK_TYPES = frozenset((ETHERNET, LINUX_SLL, LINUX_SLL2, *_NO_HEADER, *_FOUR_OCTETS, *_PPPS))
_ETHERTYPES = (0x0800, 0x86DD)
_VLANS = (0x8100, 0x88A8, 0x9100)
_PPPOE, _MPLS = 0x8864, (0x8847, 0x8848)
_PPP_PROTOCOLS = (0x0021, 0x0057)  # IPv4, IPv6
_TCP_NUMBERS = struct.Struct("!4xIIB")  # sequence, acknowledgement, data offset
_PLAIN_IPV4, _PLAIN_TCP = b"\x08\x00\x45", 54  # no tags, no options; octets up to the end of TCP's header
_IPV4_ADDRESSES = slice(26, 34)
_IPV4_HEADER = struct.Struct("!BxHxxHxB")  # version and length, total length, fragment, protocol


class Segment(NamedTuple):
    """One TCP segment. ``lacking``: octets of its payload that the network carried and the capture does not hold."""

    source: Address
    destination: Address
    sequence: int
    acknowledgement: int
    flags: int
    payload: bytes
    lacking: int = 0

    @property
    def truncated(self) -> bool:
        """Whether the capture holds less of it than the network carried."""
        return self.lacking > 0


class Way(NamedTuple):
    """One direction of a connection. ``key`` is the same for both directions and differs between connections."""

    key: bytes
    source: Address
    destination: Address


class Place(NamedTuple):
    """Where the TCP segment lies in a recorded packet: what can be known of it without taking it apart.

    ``end`` is where the segment ends, or would end had the packet been recorded whole.
    """

    way: Way
    tcp: int
    end: int
    flags: int


def endpoints(link_type: int, octets: bytes) -> tuple[str, str] | None:
    """Return the IP addresses that a recorded packet goes from and to, whatever it carries; None where it is no IP."""
    if link_type == ETHERNET and octets[12:15] == _PLAIN_IPV4 and len(octets) >= _IPV4_ADDRESSES.stop:  # nearly always
        return _both(octets[_IPV4_ADDRESSES])
    at = network_layer(link_type, octets)
    version = octets[at] >> 4 if 0 <= at < len(octets) else 0
    begin, size = {4: (at + 12, 4), 6: (at + 8, 16)}.get(version, (0, 0))
    if not size or len(octets) < begin + 2 * size:
        return None
    return _both(octets[begin : begin + 2 * size])


@functools.lru_cache(maxsize=1 << 10)  # packets of the same few connections follow each other
def _both(packed: bytes) -> tuple[str, str]:
    half = len(packed) // 2
    return ip.text(packed[:half]), ip.text(packed[half:])


def parse(link_type: int, octets: bytes) -> Segment | None:
    """Return the TCP segment that a recorded packet holds; None for everything else."""
    place = locate(link_type, octets)
    return None if place is None else segment_at(octets, place)


def locate(link_type: int, octets: bytes) -> Place | None:
    """Find the TCP segment in a recorded packet; None where there is none, or not even its whole header."""
    if link_type == ETHERNET and octets[12:15] == _PLAIN_IPV4 and len(octets) >= _PLAIN_TCP:  # nearly always
        _, total, fragment, protocol = _IPV4_HEADER.unpack_from(octets, 14)
        if protocol == ip.TCP and not fragment & 0x3FFF and total >= 40 and octets[46] >= 0x50:
            return Place(_way(octets[26:38]), 34, 14 + total, octets[47])
    at = network_layer(link_type, octets)
    header = ip.read(octets, at) if at >= 0 else None
    if header is None or header.protocol != ip.TCP:
        return None
    ports = octets[header.begin : header.begin + 4]
    return _place(octets, header.begin, header.end, header.addresses + ports)


def segment_at(octets: bytes, place: Place) -> Segment:
    """Take apart the segment that was located."""
    (_, source, destination), at, end, flags = place
    sequence, acknowledgement, offset = _TCP_NUMBERS.unpack_from(octets, at)
    begin = at + (offset >> 4) * 4
    there = len(octets)
    lacking = end - (max(there, begin)) if end > there else 0
    return Segment(source, destination, sequence, acknowledgement, flags, octets[begin:end], max(0, lacking))


def network_layer(link_type: int, octets: bytes) -> int:
    """Return where the IP header begins; -1: there is none."""
    if link_type == ETHERNET:
        return _behind_type(octets, 12, 14)
    if link_type in _NO_HEADER:
        return 0
    if link_type in _FOUR_OCTETS:
        return 4
    if link_type == LINUX_SLL:
        return _behind_type(octets, 14, 16)
    if link_type == LINUX_SLL2:
        return _behind_type(octets, 0, 20)
    if link_type in _PPPS:
        return _behind_ppp(octets, 2 if octets[:2] == b"\xff\x03" else 0)
    return -1


def _behind_type(octets: bytes, kind: int, header: int) -> int:
    """Step over what the link layer's type announces behind its header: VLAN tags, PPPoE, MPLS labels."""
    protocol = octets[kind : kind + 2]
    if protocol == b"\x08\x00" or protocol == b"\x86\xdd":  # nearly always
        return header
    found, at = int.from_bytes(protocol, "big"), header
    while found in _VLANS:
        found, at = int.from_bytes(octets[at + 2 : at + 4], "big"), at + 4
    if found in _ETHERTYPES:
        return at
    if found == _PPPOE:
        return _behind_ppp(octets, at + 6)
    return _behind_mpls(octets, at) if found in _MPLS else -1


def _behind_ppp(octets: bytes, at: int) -> int:
    """Step over PPP's protocol, which one octet may tell if it is odd (RFC 1661 section 2)."""
    if octets[at : at + 1] in (b"\x21", b"\x57"):
        return at + 1
    return at + 2 if int.from_bytes(octets[at : at + 2], "big") in _PPP_PROTOCOLS else -1


def _behind_mpls(octets: bytes, at: int) -> int:
    """Step over labels to the bottom of their stack, behind which the version tells what follows (RFC 3032)."""
    while at + 4 < len(octets) and not octets[at + 2] & 1:
        at += 4
    return at + 4 if octets[at + 4 : at + 5] and octets[at + 4] >> 4 in (4, 6) else -1


def _place(octets: bytes, begin: int, end: int, ends: bytes) -> Place | None:
    if len(octets) < begin + 20 or end < begin + 20 or octets[begin + 12] < 0x50:
        return None
    return Place(_way(ends), begin, end, octets[begin + 13])


@functools.lru_cache(maxsize=1 << 14)
def _way(ends: bytes) -> Way:
    """Tell a direction by its two addresses and its two ports, packed."""
    size = (len(ends) - 4) // 2
    source, destination, sport, dport = ends[:size], ends[size:-4], ends[-4:-2], ends[-2:]
    one, other = source + sport, destination + dport
    key = one + other if one < other else other + one
    return Way(key, _address(one), _address(other))


@functools.lru_cache(maxsize=1 << 14)
def _address(packed: bytes) -> Address:
    port = packed[-2] << 8 | packed[-1]
    if len(packed) == 6:
        return Address("{}.{}.{}.{}".format(*packed[:4]), port)
    return Address(str(ipaddress.IPv6Address(packed[:16])), port)


def build(segment: Segment, window: int = 0xFFFF) -> bytes:
    """Return an IP packet (no link layer) with the segment and right checksums."""
    source, destination, sequence, acknowledgement, flags, payload, _ = segment
    return tcp.build(tcp.Segment(source, destination, sequence, acknowledgement, flags, window, payload))

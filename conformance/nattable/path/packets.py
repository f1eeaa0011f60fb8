"""IPv4 packets as a router sees them: read, readdressed with their checksums adjusted, and answered by ICMP."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from conformance.peer.segments.packets import ACK, RST, SYN, Segment, build, checksum
from conformance.wire.attributes import Address

_TCP, _ICMP = 6, 1
_IP_HEADER, _QUOTED = 20, 28  # octets; of a packet that an ICMP error quotes, header and ports with the sequence number
_DONT_FRAGMENT, _FRAGMENT = 0x4000, 0x3FFF
UNREACHABLE, TOO_BIG_CODE, HOST_CODE, PORT_CODE = 3, 4, 1, 3


@dataclass(frozen=True, slots=True)
class Packet:
    """A TCP segment in its packet, or an ICMP error about one; `source` and `destination` are then of what it quotes.

    ``flags`` are those of TCP, 0 of an error.
    """

    octets: bytes
    source: Address
    destination: Address
    flags: int = 0
    is_error: bool = False

    @property
    def is_syn(self) -> bool:
        """Whether it opens a connection: SYN without ACK and RST."""
        return self.flags & (SYN | ACK | RST) == SYN

    @property
    def sent_to(self) -> str:
        """The IP address that the packet itself is on its way to."""
        return _ip(self.octets[16:20])

    def readdressed(self, source: Address | None = None, destination: Address | None = None) -> Packet:
        """Return the packet with other addresses; of an error, the quoted ones and the outer ones with them."""
        source, destination = source or self.source, destination or self.destination
        octets = bytearray(self.octets)
        if self.is_error:
            _readdress_error(octets, self, source, destination)
        else:
            _replace(octets, 0, source, destination, tcp_checksum=True)
        return Packet(bytes(octets), source, destination, self.flags, self.is_error)


def read(octets: bytes) -> Packet | None:
    """Return the packet; None for what is no whole IPv4 packet with TCP or with an ICMP error about TCP."""
    if len(octets) < _IP_HEADER or octets[0] >> 4 != 4:
        return None
    begin, length = (octets[0] & 15) * 4, int.from_bytes(octets[2:4], "big")
    if not _IP_HEADER <= begin <= length <= len(octets) or int.from_bytes(octets[6:8], "big") & _FRAGMENT:
        return None
    octets = octets[:length]  # an Ethernet frame may be padded
    if octets[9] == _TCP and length >= begin + 20:
        return Packet(octets, *_endpoints(octets, begin), octets[begin + 13])
    quoted = begin + 8
    if octets[9] == _ICMP and length >= quoted + _QUOTED and octets[begin] == UNREACHABLE:
        inner = octets[quoted:]
        at = (inner[0] & 15) * 4
        if inner[0] >> 4 == 4 and inner[9] == _TCP and len(inner) >= at + 8:
            return Packet(octets, *_endpoints(inner, at), is_error=True)
    return None


def _endpoints(octets: bytes, begin: int) -> tuple[Address, Address]:
    sport, dport = struct.unpack_from("!HH", octets, begin)
    return Address(_ip(octets[12:16]), sport), Address(_ip(octets[16:20]), dport)


def _ip(packed: bytes) -> str:
    return "{}.{}.{}.{}".format(*packed)


def _replace(octets: bytearray, at: int, source: Address, destination: Address, *, tcp_checksum: bool) -> None:
    """Write endpoints into the packet that begins `at`."""
    begin = at + (octets[at] & 15) * 4
    addresses = ipaddress.IPv4Address(source.ip).packed + ipaddress.IPv4Address(destination.ip).packed
    ports = struct.pack("!HH", source.port, destination.port)
    before = bytes(octets[at + 12 : at + 20]), bytes(octets[begin : begin + 4])
    octets[at + 12 : at + 20], octets[begin : begin + 4] = addresses, ports
    _adjust(octets, at + 10, before[0], addresses)
    if tcp_checksum:
        _adjust(octets, begin + 16, before[0] + before[1], addresses + ports)


def _adjust(octets: bytearray, at: int, before: bytes, after: bytes) -> None:
    """Bring a checksum up to date with octets that were replaced (RFC 1624, equation 3)."""
    words = len(before) // 2
    total = 0xFFFF - int.from_bytes(octets[at : at + 2], "big")
    total += sum(0xFFFF - word for word in struct.unpack(f"!{words}H", before))
    total += sum(struct.unpack(f"!{words}H", after))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    octets[at : at + 2] = (0xFFFF - total).to_bytes(2, "big")


def _readdress_error(octets: bytearray, error: Packet, source: Address, destination: Address) -> None:
    """Readdress an ICMP error: it goes to the source of what it quotes, and may come from its destination."""
    begin = (octets[0] & 15) * 4
    _replace(octets, begin + 8, source, destination, tcp_checksum=False)
    if error.sent_to == error.source.ip:
        octets[16:20] = ipaddress.IPv4Address(source.ip).packed
    if _ip(bytes(octets[12:16])) == error.destination.ip:
        octets[12:16] = ipaddress.IPv4Address(destination.ip).packed
    octets[begin + 2 : begin + 4] = bytes(2)
    octets[begin + 2 : begin + 4] = checksum(bytes(octets[begin:])).to_bytes(2, "big")
    octets[10:12] = bytes(2)
    octets[10:12] = checksum(bytes(octets[:begin])).to_bytes(2, "big")


# -- what routers and NATs say themselves ------------------------------------------------------------------------


def may_not_be_cut(packet: Packet) -> bool:
    """Whether Don't Fragment is set."""
    return bool(int.from_bytes(packet.octets[6:8], "big") & _DONT_FRAGMENT)


def error_about(packet: Packet, code: int, *, by: str = "", mtu: int = 0) -> Packet:
    """Return the ICMP "destination unreachable" with this code about a packet; `by`: who says so.

    `mtu`, in octets, is told with code 4 (RFC 1191 section 4).
    """
    teller, told = ipaddress.IPv4Address(by or packet.destination.ip), ipaddress.IPv4Address(packet.source.ip)
    body = struct.pack("!BBHHH", UNREACHABLE, code, 0, 0, mtu) + packet.octets[: (packet.octets[0] & 15) * 4 + 8]
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, _IP_HEADER + len(body), 0, 0, 64, _ICMP, 0) + teller.packed + told.packed
    header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
    return Packet(header + body, packet.source, packet.destination, is_error=True)


def reset_of(syn: Packet) -> Packet:
    """Return the RST that refuses a SYN (RFC 9293 section 3.10.7.1)."""
    begin = (syn.octets[0] & 15) * 4
    sequence = int.from_bytes(syn.octets[begin + 4 : begin + 8], "big")
    segment = Segment(syn.destination, syn.source, 0, sequence + 1, RST | ACK, window=0)
    return Packet(build(segment), syn.destination, syn.source, segment.flags)

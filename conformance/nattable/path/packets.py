"""IPv4 packets as a router sees them: read, readdressed with their checksums adjusted, and answered by ICMP."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from conformance.wire import icmp, ip
from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, RST, SYN, Segment, build

_QUOTED = 28  # octets of a packet that an ICMP error quotes: header, ports and sequence number


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
        return ip.text(self.octets[16:20])

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
    """Return the packet; None if it is not a whole IPv4 packet with TCP, or with an ICMP error about TCP."""
    header = ip.read(octets)
    if header is None or len(header.addresses) != 8 or not header.begin <= header.end <= len(octets):
        return None
    octets, begin = octets[: header.end], header.begin  # an Ethernet frame may be padded
    if header.protocol == ip.TCP and len(octets) >= begin + 20:
        return Packet(octets, *_endpoints(header.addresses, octets[begin:]), octets[begin + 13])
    quoted = begin + 8
    if header.protocol == ip.ICMP and len(octets) >= quoted + _QUOTED and octets[begin] == icmp.UNREACHABLE:
        inner = ip.read(octets, quoted) if octets[quoted] >> 4 == 4 else None
        if inner is not None and inner.protocol == ip.TCP and len(octets) >= inner.begin + 8:
            return Packet(octets, *_endpoints(inner.addresses, octets[inner.begin :]), is_error=True)
    return None


def _endpoints(addresses: bytes, ports: bytes) -> tuple[Address, Address]:
    sport, dport = struct.unpack_from("!HH", ports)
    return Address(ip.text(addresses[:4]), sport), Address(ip.text(addresses[4:]), dport)


def _replace(octets: bytearray, at: int, source: Address, destination: Address, *, tcp_checksum: bool) -> None:
    """Write endpoints into the packet that begins `at`."""
    begin = at + (octets[at] & 15) * 4
    addresses = ip.packed(source.ip) + ip.packed(destination.ip)
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
        octets[16:20] = ip.packed(source.ip)
    if ip.text(bytes(octets[12:16])) == error.destination.ip:
        octets[12:16] = ip.packed(destination.ip)
    octets[begin + 2 : begin + 4] = bytes(2)
    octets[begin + 2 : begin + 4] = ip.checksum(bytes(octets[begin:])).to_bytes(2, "big")
    octets[10:12] = bytes(2)
    octets[10:12] = ip.checksum(bytes(octets[:begin])).to_bytes(2, "big")


# -- what routers and NATs say themselves ------------------------------------------------------------------------


def error_about(packet: Packet, code: int, *, by: str = "", mtu: int = 0) -> Packet:
    """Return the ICMP "destination unreachable" with this code about a packet; `by`: who says so.

    `mtu`, in octets, goes with `icmp.TOO_BIG`.
    """
    octets = icmp.with_code(by or packet.destination.ip, packet.source.ip, packet.octets, code, mtu=mtu)
    return Packet(octets, packet.source, packet.destination, is_error=True)


def reset_of(syn: Packet) -> Packet:
    """Return the RST that refuses a SYN (RFC 9293 section 3.10.7.1)."""
    begin = (syn.octets[0] & 15) * 4
    sequence = int.from_bytes(syn.octets[begin + 4 : begin + 8], "big")
    segment = Segment(syn.destination, syn.source, 0, sequence + 1, RST | ACK, window=0)
    return Packet(build(segment), syn.destination, syn.source, segment.flags)

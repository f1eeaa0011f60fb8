"""IP packets with TCP segments, and ICMP errors about them: packed and unpacked with struct, because it is fast.

Where a person reads or writes a single segment, Scapy says it better; `Segment.scapy` and `of_scapy` lead there.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from scapy.packet import Packet

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_TCP, _ICMP, _ICMP6 = 6, 1, 58
_HEADER = struct.Struct("!HHIIBBHHH")
_LETTERS = {FIN: "F", SYN: "S", RST: "R", PSH: "P", ACK: "A"}
_WRAP = 0xFFFFFFFF
_MSS_OPTION, _SCALE_OPTION = 2, 3
# ICMP and ICMPv6 "destination unreachable", by what cannot be reached: type and code.
UNREACHABLE = {
    "network": ((3, 0), (1, 0)),
    "host": ((3, 1), (1, 3)),
    "port": ((3, 3), (1, 4)),
    "prohibited": ((3, 13), (1, 1)),
}


@dataclass(slots=True)
class Segment:
    """One TCP segment; `sequence` and `acknowledgement` count modulo 2**32."""

    source: Address
    destination: Address
    sequence: int = 0
    acknowledgement: int = 0
    flags: int = 0
    window: int = 0xFFFF
    data: bytes = b""
    options: bytes = b""
    packet: bytes = field(default=b"", repr=False)  # as it came

    def has(self, flags: int) -> bool:
        """Whether all of these flags are set."""
        return self.flags & flags == flags

    @property
    def length(self) -> int:
        """How much of the sequence space it takes."""
        return len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)

    def option(self, kind: int) -> bytes | None:
        """Return the value of a TCP option."""
        rest = self.options
        while rest and rest[0] != 0:
            if rest[0] == 1:
                rest = rest[1:]
                continue
            if len(rest) < 2 or rest[1] < 2:
                return None
            if rest[0] == kind:
                return rest[2 : rest[1]]
            rest = rest[rest[1] :]
        return None

    @property
    def mss(self) -> int:
        """Maximum segment size that it announces; 536 where it says nothing (RFC 9293 section 3.7.1)."""
        value = self.option(_MSS_OPTION)
        return int.from_bytes(value, "big") if value is not None and len(value) == 2 else 536

    @property
    def scale(self) -> int | None:
        """Window scale that it announces (RFC 7323)."""
        value = self.option(_SCALE_OPTION)
        return value[0] if value else None

    def __str__(self) -> str:
        flags = "".join(letter for flag, letter in _LETTERS.items() if self.flags & flag)
        numbers = f"seq {self.sequence} ack {self.acknowledgement}"
        return f"{self.source} > {self.destination} [{flags}] {numbers} {len(self.data)} octets"

    def scapy(self) -> Packet:
        """Return it as a Scapy packet, from the IP header on."""
        from scapy.layers.inet import IP
        from scapy.layers.inet6 import IPv6

        octets = build(self)
        return IP(octets) if octets[0] >> 4 == 4 else IPv6(octets)


def syn_options(mss: int) -> bytes:
    """Return the options of our SYN: MSS, and a window scale of 0.

    Linux scales its own window in a simultaneous open whether we offer scaling or not; so we do.
    """
    return struct.pack("!BBHBBBB", _MSS_OPTION, 4, mss, _SCALE_OPTION, 3, 0, 0)


def checksum(octets: bytes) -> int:
    """Return the Internet checksum (RFC 1071): one division, since 2**16 is 1 modulo 65535."""
    total = int.from_bytes(octets + bytes(len(octets) & 1), "big")
    return 0xFFFF - ((total % 0xFFFF) or (0xFFFF if total else 0))


@lru_cache(maxsize=4096)
def _packed(ip: str) -> bytes:
    return ipaddress.ip_address(ip).packed


@lru_cache(maxsize=4096)
def _text(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))


def build(segment: Segment) -> bytes:
    """Return an IP packet with the segment and right checksums."""
    source, destination = _packed(segment.source.ip), _packed(segment.destination.ip)
    options = segment.options + bytes(-len(segment.options) % 4)
    head = _HEADER.pack(
        segment.source.port,
        segment.destination.port,
        segment.sequence & _WRAP,
        segment.acknowledgement & _WRAP,
        (5 + len(options) // 4) << 4,
        segment.flags,
        segment.window,
        0,
        0,
    )
    return _ip(source, destination, _TCP, head + options + segment.data, 16)


def _ip(source: bytes, destination: bytes, protocol: int, body: bytes, at: int, *, pseudo: bool = True) -> bytes:
    """Return an IP packet whose body has its checksum at this offset, taken with the pseudo header or without."""
    covered = source + destination + struct.pack("!II", len(body), protocol) + body if pseudo else body
    body = body[:at] + checksum(covered).to_bytes(2, "big") + body[at + 2 :]
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + source + destination + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + source + destination
    return header[:10] + checksum(header).to_bytes(2, "big") + header[12:] + body


def parse(packet: bytes) -> Segment | None:
    """Return the TCP segment of an IP packet; None for whatever else it holds."""
    if len(packet) < 40:
        return None
    if packet[0] >> 4 == 4:
        begin, end = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
        source, destination, protocol = packet[12:16], packet[16:20], packet[9]
    else:
        begin, end = 40, 40 + int.from_bytes(packet[4:6], "big")
        source, destination, protocol = packet[8:24], packet[24:40], packet[6]
    if protocol != _TCP or len(packet) < begin + 20:
        return None
    sport, dport, sequence, acknowledgement, offset, flags, window, _, _ = _HEADER.unpack_from(packet, begin)
    data = begin + (offset >> 4) * 4
    return Segment(
        Address(_text(source), sport),
        Address(_text(destination), dport),
        sequence,
        acknowledgement,
        flags,
        window,
        packet[data:end],
        packet[begin + 20 : data],
        packet,
    )


def unreachable(segment: Segment, what: str) -> bytes:
    """Return the ICMP error that says that a segment's destination could not be reached (`UNREACHABLE`)."""
    back_to, told_by = _packed(segment.source.ip), _packed(segment.destination.ip)
    four, six = UNREACHABLE[what]
    if len(back_to) == 4:
        body = struct.pack("!BBHI", *four, 0, 0) + segment.packet[:28]
        return _ip(told_by, back_to, _ICMP, body, 2, pseudo=False)
    body = struct.pack("!BBHI", *six, 0, 0) + segment.packet[:1200]
    return _ip(told_by, back_to, _ICMP6, body, 2)


def of_scapy(packet: Packet, template: Segment) -> Segment:
    """Return a Scapy `TCP` layer as a segment; what its writer left open, the template says."""
    from scapy.layers.inet import TCP

    tcp = packet[TCP]
    given = tcp.fields
    return Segment(
        Address(template.source.ip, given.get("sport", template.source.port)),
        Address(template.destination.ip, given.get("dport", template.destination.port)),
        given.get("seq", template.sequence),
        given.get("ack", template.acknowledgement),
        int(given["flags"]) if "flags" in given else template.flags,
        given.get("window", template.window),
        bytes(tcp.payload),
        bytes(tcp)[20 : (bytes(tcp)[12] >> 4) * 4],
    )

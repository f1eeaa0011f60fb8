"""TCP segments (RFC 9293 section 3.1), in their IP packets."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from conformance.wire import ip
from conformance.wire.attributes import Address

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
HEADER = struct.Struct("!HHIIBBHHH")  # ports, sequence, acknowledgement, data offset, flags, window, checksum, urgent
_LETTERS = {FIN: "F", SYN: "S", RST: "R", PSH: "P", ACK: "A"}
_WRAP = 0xFFFFFFFF
_MSS_OPTION, _SCALE_OPTION = 2, 3


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


def syn_options(mss: int) -> bytes:
    """Return the options of our SYN: MSS, and a window scale of 0.

    Linux scales its own window in a simultaneous open whether we offer scaling or not; so we do.
    """
    return struct.pack("!BBHBBBB", _MSS_OPTION, 4, mss, _SCALE_OPTION, 3, 0, 0)


def build(segment: Segment) -> bytes:
    """Return an IP packet with the segment and right checksums."""
    source, destination = ip.packed(segment.source.ip), ip.packed(segment.destination.ip)
    options = segment.options + bytes(-len(segment.options) % 4)
    head = HEADER.pack(
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
    body = head + options + segment.data
    body = ip.with_checksum(body, 16, ip.pseudo_header(source, destination, ip.TCP, len(body)))
    return ip.build(source, destination, ip.TCP, body)


def parse(packet: bytes) -> Segment | None:
    """Return the TCP segment of an IP packet; None for everything else, and for fragments."""
    header = ip.read(packet)
    if header is None or header.protocol != ip.TCP or len(packet) < header.begin + HEADER.size:
        return None
    begin, size = header.begin, len(header.addresses) // 2
    sport, dport, sequence, acknowledgement, offset, flags, window, _, _ = HEADER.unpack_from(packet, begin)
    data = begin + (offset >> 4) * 4
    return Segment(
        Address(ip.text(header.addresses[:size]), sport),
        Address(ip.text(header.addresses[size:]), dport),
        sequence,
        acknowledgement,
        flags,
        window,
        packet[data : header.end],
        packet[begin + HEADER.size : data],
        packet,
    )

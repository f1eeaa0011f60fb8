"""UDP headers, read and written with struct."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from conformance.wire.attributes import Address
from pcaps.packets import checksum, ip_packet, network_layer

_UDP = 17
_HEADER = struct.Struct("!HHHH")


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram."""

    source: Address
    destination: Address
    payload: bytes


def parse(link_type: int, octets: bytes) -> Datagram | None:
    """Return the UDP datagram that a recorded packet holds; None for everything else, and for fragments."""
    at = network_layer(link_type, octets)
    packet = octets[at:] if at >= 0 else b""
    if len(packet) >= 28 and packet[0] >> 4 == 4 and packet[9] == _UDP:
        begin = (packet[0] & 15) * 4
        if not int.from_bytes(packet[6:8], "big") & 0x3FFF:
            return _datagram(packet[12:16], packet[16:20], packet[begin:])
    if len(packet) >= 48 and packet[0] >> 4 == 6 and packet[6] == _UDP:
        return _datagram(packet[8:24], packet[24:40], packet[40:])
    return None


def build(datagram: Datagram) -> bytes:
    """Return an IP packet (no link layer) with the datagram and right checksums."""
    source, destination = (ipaddress.ip_address(end.ip) for end in (datagram.source, datagram.destination))
    length = _HEADER.size + len(datagram.payload)
    body = _HEADER.pack(datagram.source.port, datagram.destination.port, length, 0) + datagram.payload
    pseudo = source.packed + destination.packed + struct.pack("!II", length, _UDP)
    body = body[:6] + (checksum(pseudo + body) or 0xFFFF).to_bytes(2, "big") + body[8:]
    return ip_packet(source, destination, _UDP, body)


def _datagram(source: bytes, destination: bytes, octets: bytes) -> Datagram | None:
    if len(octets) < _HEADER.size:
        return None
    one, other = (str(ipaddress.ip_address(packed)) for packed in (source, destination))
    sport, dport, length, _ = _HEADER.unpack_from(octets)
    return Datagram(Address(one, sport), Address(other, dport), octets[_HEADER.size : length])

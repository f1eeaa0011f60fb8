"""UDP datagrams (RFC 768), in their IP packets."""

from __future__ import annotations

import struct

from conformance.wire import ip
from conformance.wire.attributes import Address
from conformance.wire.frozen import frozen

_HEADER = struct.Struct("!HHHH")  # ports, length, checksum


@frozen
class Datagram:
    """One UDP datagram."""

    source: Address
    destination: Address
    payload: bytes


def build(datagram: Datagram) -> bytes:
    """Return an IP packet with the datagram and right checksums."""
    source, destination = ip.packed(datagram.source.ip), ip.packed(datagram.destination.ip)
    length = _HEADER.size + len(datagram.payload)
    body = _HEADER.pack(datagram.source.port, datagram.destination.port, length, 0) + datagram.payload
    body = ip.with_checksum(body, 6, ip.pseudo_header(source, destination, ip.UDP, length))
    if body[6:8] == b"\0\0":  # which would say that there is none
        body = body[:6] + b"\xff\xff" + body[8:]
    return ip.build(source, destination, ip.UDP, body)


def parse(packet: bytes, at: int = 0) -> Datagram | None:
    """Return the UDP datagram of the IP packet at an offset; None for everything else, and for fragments."""
    header = ip.read(packet, at)
    if header is None or header.protocol != ip.UDP or len(packet) < header.begin + _HEADER.size:
        return None
    begin, size = header.begin, len(header.addresses) // 2
    sport, dport, length, _ = _HEADER.unpack_from(packet, begin)
    source, destination = ip.text(header.addresses[:size]), ip.text(header.addresses[size:])
    return Datagram(Address(source, sport), Address(destination, dport), packet[begin + _HEADER.size : begin + length])

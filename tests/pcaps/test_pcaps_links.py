"""What packets come in, beyond Ethernet and plain IP headers; what cannot be read is counted."""

from __future__ import annotations

import io
import struct

import pytest

from conformance.wire.tcp import ACK
from pcaps.golden.scene import Scene
from pcaps.packets import ETHERNET, PPP, PPP_SERIAL, RAW_IP, Segment, build, locate, parse
from pcaps.pcapng import CaptureError, Packet, read
from pcaps.reading import Reading

FOUR, SIX = Scene("links"), Scene("links", ipv6=True)
SEGMENTS = {
    4: Segment(FOUR.left.at(50000), FOUR.right.at(7000), 1, 2, ACK, b"payload"),
    6: Segment(SIX.left.at(50000), SIX.right.at(7000), 1, 2, ACK, b"payload"),
}
PLAIN = {version: build(segment) for version, segment in SEGMENTS.items()}
ENDS = bytes(12)


@pytest.mark.parametrize(
    ("link", "octets", "version"),
    [
        (ETHERNET, ENDS + b"\x88\x64\x11\x00\x00\x07\x00\x40\x00\x21" + PLAIN[4], 4),  # PPPoE
        (ETHERNET, ENDS + b"\x81\x00\x00\x07\x88\x64\x11\x00\x00\x07\x00\x40\x00\x57" + PLAIN[6], 6),
        (ETHERNET, ENDS + b"\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40" + PLAIN[4], 4),  # two MPLS labels
        (PPP, b"\xff\x03\x00\x21" + PLAIN[4], 4),
        (PPP, b"\x57" + PLAIN[6], 6),
        (PPP_SERIAL, b"\x00\x21" + PLAIN[4], 4),
    ],
)
def test_link_layers(link, octets, version) -> None:
    assert parse(link, octets) == SEGMENTS[version]


def extended(*headers: tuple[int, bytes]) -> bytes:
    """An IPv6 packet with these extension headers, each with the number of its own kind."""
    kinds = [kind for kind, _ in headers] + [6]
    chain = b"".join(bytes([following]) + body for (_, body), following in zip(headers, kinds[1:], strict=True))
    packet = PLAIN[6]
    length = (len(packet) - 40 + len(chain)).to_bytes(2, "big")
    return packet[:4] + length + bytes([kinds[0]]) + packet[7:40] + chain + packet[40:]


@pytest.mark.parametrize(
    "headers",
    [
        [(0, bytes(7))],
        [(0, bytes(7)), (43, b"\x01" + bytes(14)), (60, bytes(7))],
        [(44, b"\0\0\0\0\0\0\1")],  # an atomic fragment
        [(51, b"\x04" + bytes(22)), (60, bytes(7))],
    ],
)
def test_extension_headers(headers) -> None:
    assert parse(RAW_IP, extended(*headers)) == SEGMENTS[6]


@pytest.mark.parametrize("place", [b"\0\0\1\0\0\0\1", b"\0\0\x08\0\0\0\1"])
def test_fragments_hold_no_segment(place) -> None:
    assert locate(RAW_IP, extended((44, place))) is None


def test_packets_that_cannot_be_read_are_counted_by_link_type() -> None:
    reading = Reading()
    for link in (105, 105, RAW_IP, 147):
        reading.take(Packet(0, b"whatever", link))
    assert reading.unknown == {105: 2, 147: 1}


def test_the_packet_headers_of_a_patched_tcpdump() -> None:
    header = b"\x34\xcd\xb2\xa1" + struct.pack("<HHiIII", 2, 4, 0, 0, 65535, RAW_IP)
    record = struct.pack("<IIIIIHBB", 5, 6, 3, 3, 2, 0x800, 0, 0)
    assert list(read(io.BytesIO(header + record + b"abc"))) == [Packet(5_000_006_000, b"abc", RAW_IP)]


def test_a_packet_without_a_time_has_that_of_the_one_before_it() -> None:
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(
        1, struct.pack("<HHI", RAW_IP, 0, 0)
    )
    timed = block(6, struct.pack("<IIIII", 0, 0, 7_000_000, 2, 2) + b"ab\0\0")
    times = [
        packet.time_ns for packet in read(io.BytesIO(section + timed + block(3, struct.pack("<I", 2) + b"cd\0\0")))
    ]
    assert times == [7_000_000_000, 7_000_000_000]


@pytest.mark.parametrize(("begin", "name"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh9", "bzip2"), (b"PK\3\4", "zip")])
def test_other_compression_is_named(begin, name) -> None:
    with pytest.raises(CaptureError, match=f"compressed with {name}; unpack it first"):
        list(read(io.BytesIO(begin + bytes(20))))

"""Capture files: what is written is read, foreign files are too, and broken ones are refused at their place."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP

from conformance.wire.attributes import Address
from conformance.wire.ip import checksum
from conformance.wire.tcp import SYN
from pcaps.capture import RunCapture
from pcaps.packets import ETHERNET, LINUX_SLL, LINUX_SLL2, NULL, RAW_IP, Segment, build, parse
from pcaps.pcapng import CaptureError, Packet, Writer, read

V4 = Segment(Address("127.0.0.1", 1), Address("127.16.0.1", 65535), 7, 2**32 - 1, 0x18, b"payload")
V6 = Segment(Address("::1", 80), Address("fd6c::1", 81), 0, 0, 0x02, b"")


def written(*packets: tuple[int, bytes, str], link: int = RAW_IP) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, link, comment="a file", interface="lo")
    for time, octets, comment in packets:
        writer.packet(time, octets, comment)
    return file.getvalue()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**63), st.binary(max_size=50), st.text("abc", max_size=5))))
def test_what_is_written_is_read(packets) -> None:
    got = list(read(io.BytesIO(written(*packets))))
    assert got == [Packet(time, octets, RAW_IP, comment) for time, octets, comment in packets]


@pytest.mark.parametrize("text", ["x" * 900_000, "é" * 32_768, "x" + "é" * 40_000, "\ud800 alone"])
def test_a_comment_that_no_option_can_hold_is_cut_and_breaks_nothing(text) -> None:
    """What a stack gives as the reason of a refusal stands in comments, however long it is."""
    file = io.BytesIO()
    Writer(file, RAW_IP, comment=text).packet(1, b"octets", text)
    (packet,) = read(io.BytesIO(file.getvalue()))
    assert packet.octets == b"octets"
    if len(text) > 1000:
        assert packet.comment.endswith(" …")
        assert text.startswith(packet.comment.removesuffix(" …"))
    assert len(packet.comment.encode()) <= 65_535


class _Drip(io.BytesIO):
    """A pipe whose writer is slow: never more than a few octets at once."""

    most = 1

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(self.most if size is None or size < 0 else min(self.most, size))


@pytest.mark.parametrize("most", [1, 3, 12, 1000])
def test_a_pipe_may_give_any_pieces(most) -> None:
    file = written((1, b"a" * 5, "of one"), (2, b"", ""), (3, b"c" * 3000, ""))
    pipe = _Drip(file)
    pipe.most = most
    assert [p.octets for p in read(pipe)] == [b"a" * 5, b"", b"c" * 3000]
    short = _Drip(file[:-1])
    short.most = most
    with pytest.raises(CaptureError, match=f"octet {len(file) - 3032}: the file is cut off"):
        list(read(short))


def test_sections_may_follow_each_other() -> None:
    both = written((1, b"a", "")) + written((2, b"b", ""), link=ETHERNET)
    assert [(p.octets, p.link_type) for p in read(io.BytesIO(both))] == [(b"a", RAW_IP), (b"b", ETHERNET)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "nanoseconds"), [(0xA1B2C3D4, 5000), (0xA1B23C4D, 5)])
def test_classic_files(order, magic, nanoseconds) -> None:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, ETHERNET)
    record = struct.pack(f"{order}IIII", 3, 5, 2, 2) + b"ab"
    (packet,) = read(io.BytesIO(head + record))
    assert packet == Packet(3_000_000_000 + nanoseconds, b"ab", ETHERNET)
    with pytest.raises(CaptureError, match="octet 24: the file is cut off"):
        list(read(io.BytesIO(head + record[:-1])))
    with pytest.raises(CaptureError, match="in a packet's header"):
        list(read(io.BytesIO(head + record[:9])))
    with pytest.raises(CaptureError, match="cannot be"):
        list(read(io.BytesIO(head + struct.pack(f"{order}IIII", 0, 0, 1 << 30, 1 << 30))))


def big_endian() -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

    unknown = block(0x0BAD, b"skip")
    interface = block(1, struct.pack(">HHI", RAW_IP, 0, 0) + struct.pack(">HHB3xHH", 9, 1, 0x8A, 0, 0))  # 2^-10 s
    packet = block(6, struct.pack(">IIIII", 0, 0, 1024, 1, 1) + b"x\0\0\0")
    return block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1)) + unknown + interface + packet


def test_the_other_byte_order_other_clocks_and_unknown_blocks() -> None:
    assert list(read(io.BytesIO(big_endian()))) == [Packet(1_000_000_000, b"x", RAW_IP)]


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        (b"", "neither pcapng nor pcap: it begins with nothing"),
        (b"GIF8", "begins with 47 49 46 38"),
        (written()[:10], "cut off"),
        (written((1, b"abc", ""))[:-1], "cut off"),
        (written()[:8] + b"\0\0\0\0" + written()[12:], "byte-order magic"),
        (written() + struct.pack("<II", 6, 13), "13 octets cannot be"),
        (written() + struct.pack("<IIIIIIIII", 6, 36, 1, 0, 0, 0, 0, 0, 36), "does not fit"),
    ],
)
def test_broken_files(octets, what) -> None:
    with pytest.raises(CaptureError, match=what):
        list(read(io.BytesIO(octets)))


@pytest.mark.parametrize("segment", [V4, V6])
def test_packets_of_every_link_layer(segment) -> None:
    packet = build(segment)
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    assert parse(RAW_IP, packet) == segment
    assert parse(NULL, b"\2\0\0\0" + packet) == segment
    assert parse(ETHERNET, bytes(12) + kind + packet) == segment
    assert parse(ETHERNET, bytes(12) + b"\x81\x00\0\1" + kind + packet) == segment
    assert parse(LINUX_SLL, bytes(14) + kind + packet) == segment
    assert parse(LINUX_SLL2, kind + bytes(18) + packet) == segment
    assert parse(ETHERNET, bytes(12) + kind + packet + b"trailer") == segment
    assert parse(999, packet) is None
    assert parse(ETHERNET, bytes(12) + b"\x08\x06" + packet) is None


def test_what_is_no_whole_tcp_packet() -> None:
    packet = build(V4)
    assert parse(RAW_IP, b"") is None
    assert parse(RAW_IP, packet[:9] + b"\x11" + packet[10:]) is None
    assert parse(RAW_IP, packet[:6] + b"\x20\x10" + packet[8:]) is None
    assert parse(RAW_IP, packet[:30]) is None
    cut = parse(RAW_IP, packet[:-3])
    assert cut is not None
    assert cut.truncated
    assert parse(RAW_IP, build(V6)[:30]) is None
    udp6 = build(V6)
    assert parse(RAW_IP, udp6[:6] + b"\x11" + udp6[7:]) is None


def test_ipv6_extension_headers_are_stepped_over() -> None:
    packet = build(V6)
    with_options = (
        packet[:4] + struct.pack("!H", len(packet) - 32) + b"\x3c" + packet[7:40] + b"\6\0" + bytes(6) + packet[40:]
    )
    assert parse(RAW_IP, with_options) == V6


def test_the_checksum_of_what_holds_its_checksum_is_zero() -> None:
    assert checksum(build(V4)[:20]) == 0
    assert checksum(b"\x01") == 0xFEFF


def test_a_recorded_capture_names_its_case_verdict_and_tester(tmp_path) -> None:
    run = RunCapture()
    run.begin("127.16.0.1")
    run.write("127.16.0.1", tmp_path / "a.pcapng", "a case", verdict="fail: why", testers=["127.16.0.1", "fd6c::1"])
    octets = (tmp_path / "a.pcapng").read_bytes()
    assert b"a case\nfail: why\n" in octets
    assert bytes([127, 16, 0, 1]) + b"tester\0" in octets
    assert b"tester1\0" in octets
    with (tmp_path / "a.pcapng").open("rb") as file:
        assert not list(read(file))


def test_a_recorded_capture_names_both_sides_and_counts_what_was_lost(tmp_path) -> None:
    """Also ICMP is there: what it carries of a SYN is no segment, but explains what follows."""
    us, them = "198.18.1.1", "198.18.0.1"
    icmp = bytes(IP(src=us, dst=them) / ICMP(type=3, code=1) / IP(src=them, dst=us) / TCP(dport=9))
    run = RunCapture()
    run.begin(us)
    for time, packet in ((7, build(Segment(Address(them, 40000), Address(us, 9), 1, 0, SYN, b""))), (9, icmp)):
        run.packet(time, bytes(12) + b"\x08\x00" + packet)
    run.write(us, tmp_path / "a.pcapng", "a case", testers=[us], lost=3)
    octets = (tmp_path / "a.pcapng").read_bytes()
    assert bytes([198, 18, 0, 1]) + b"IUT\0" in octets
    statistics = octets[octets.rindex(struct.pack("<IIIII", 5, 52, 0, 0, 9)) :]
    assert struct.pack("<HHQHHQ", 4, 8, 2, 5, 8, 3) in statistics
    with (tmp_path / "a.pcapng").open("rb") as file:
        assert [packet.time_ns for packet in read(file)] == [7, 9]


@pytest.mark.skipif(shutil.which("capinfos") is None, reason="needs capinfos, which comes with tshark")
def test_wireshark_reads_comment_names_and_counts(tmp_path) -> None:
    us, them = Address("198.18.1.1", 9), Address("198.18.0.1", 40000)
    run = RunCapture()
    run.begin(us.ip)
    run.packet(9, bytes(12) + b"\x08\x00" + build(Segment(them, us, 1, 0, SYN, b"")))
    run.write(us.ip, tmp_path / "a.pcapng", "a case", verdict="pass", testers=[us.ip], lost=3)

    def said(*command: str) -> str:
        return subprocess.run([*command, str(tmp_path / "a.pcapng")], capture_output=True, text=True, check=True).stdout

    summary = said("capinfos")
    assert "a case pass Recorded" in summary
    assert "Number of stat entries = 1" in summary
    assert "IUT" in said("tshark", "-N", "n", "-r")
    assert "tester" in said("tshark", "-N", "n", "-r")

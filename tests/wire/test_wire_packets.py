"""IP, TCP, UDP and ICMP headers: read as written, as Scapy reads and writes them, and what is not whole."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment

from conformance.wire import icmp, ip, udp
from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, FIN, SYN, Segment, build, parse, syn_options
from conformance.wire.udp import Datagram

FAMILIES = {"IPv4": ("198.18.0.1", "198.18.1.1"), "IPv6": ("fd6d::1", "fd6d::101")}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_segment_reads_as_written_also_for_scapy(family) -> None:
    here, there = FAMILIES[family]
    segment = Segment(Address(here, 4000), Address(there, 9), 2**32 - 2, 7, SYN | ACK, 1234, b"odd", syn_options(1440))
    octets = build(segment)
    back = parse(octets)
    assert back is not None
    assert (back.source, back.sequence, back.flags, back.data) == (segment.source, 2**32 - 2, SYN | ACK, b"odd")
    assert (back.mss, back.scale, back.length) == (1440, 0, 4)
    kind = IP if family == "IPv4" else IPv6
    seen = kind(octets)
    assert (seen[TCP].window, dict(seen[TCP].options)["MSS"]) == (1234, 1440)
    fresh = kind(octets)
    del fresh[TCP].chksum
    assert bytes(fresh) == octets, "Scapy computes the same checksum"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("what", ["host", "port", "prohibited", "network"])
def test_an_icmp_error_names_the_segment(family, what) -> None:
    here, there = FAMILIES[family]
    syn = parse(build(Segment(Address(here, 4000), Address(there, 9), 77, 0, SYN)))
    assert syn is not None
    octets = icmp.unreachable(there, here, syn.packet, what)
    error = IP(octets) if family == "IPv4" else IPv6(octets)
    layer = error[ICMP] if family == "IPv4" else error[ICMPv6DestUnreach]
    fresh = error.copy()
    if family == "IPv4":
        del fresh[ICMP].chksum
    else:
        del fresh[ICMPv6DestUnreach].cksum
    assert bytes(fresh) == octets
    assert syn.packet[:28] in bytes(layer)


def test_what_is_no_tcp_is_no_segment() -> None:
    assert parse(b"") is None
    assert parse(bytes(IP(dst="127.0.0.1", proto=17) / (b"x" * 40))) is None


@pytest.mark.parametrize(
    ("options", "mss", "scale"),
    [
        (b"", 536, None),
        (b"\1\1\1\1", 536, None),
        (b"\1\2\4\5\xb4", 1460, None),
        (b"\3\3\7\0", 536, 7),
        (b"\2\3\4\0", 536, None),  # an MSS of a wrong size
        (b"\2", 536, None),  # no length
        (b"\5\1\2\4\5\xb4", 536, None),  # a length that does not count itself
        (b"\4\2\0\2\4\5\xb4", 536, None),  # behind the end of the options
    ],
)
def test_options_of_a_syn(options, mss, scale) -> None:
    segment = Segment(Address("127.0.0.1", 1), Address("127.0.0.1", 2), flags=SYN, options=options)
    assert (segment.mss, segment.scale) == (mss, scale)


def test_a_segment_in_words_and_in_sequence_space() -> None:
    segment = Segment(Address("::1", 1), Address("::1", 2), 5, 6, SYN | FIN | ACK, data=b"abc")
    assert str(segment) == "[::1]:1 > [::1]:2 [FSA] seq 5 ack 6 3 octets"
    assert (segment.length, segment.has(SYN | ACK), segment.has(0x04)) == (5, True, False)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("payload", [b"", b"x", b"octets"])
def test_a_datagram_reads_as_written_also_for_scapy(family, payload) -> None:
    ends = [Address(address, 40000) for address in FAMILIES[family]]
    octets = udp.build(Datagram(*ends, payload))
    assert udp.parse(octets) == udp.parse(b"link" + octets, 4) == Datagram(*ends, payload)
    assert parse(octets) is None
    fresh = (IP if family == "IPv4" else IPv6)(octets)
    del fresh[UDP].chksum
    assert bytes(fresh) == octets


def test_a_udp_checksum_is_never_written_as_zero() -> None:
    """Zero says that there is no checksum (RFC 768); what sums up to it is written as all ones."""
    ends = Address("127.0.0.1", 1), Address("127.0.0.1", 2)
    bare = int.from_bytes(udp.build(Datagram(*ends, b"\0\0"))[26:28], "big")
    octets = udp.build(Datagram(*ends, bare.to_bytes(2, "big")))
    assert octets[26:28] == b"\xff\xff"
    assert udp.parse(octets) is not None


def test_what_is_no_whole_datagram() -> None:
    packet = udp.build(Datagram(Address("127.0.0.1", 9), Address("127.0.0.1", 9), b"octets"))
    for broken in (b"", packet[:20], packet[:6] + b"\x20\x00" + packet[8:], packet[:9] + b"\x06" + packet[10:]):
        assert udp.parse(broken) is None


@pytest.mark.parametrize(
    "headers",
    [
        IPv6ExtHdrDestOpt(),
        IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt(),
        IPv6ExtHdrFragment(),  # around a packet that was not divided
    ],
)
def test_ipv6_extension_headers_are_stepped_over(headers) -> None:
    packet = bytes(IPv6(src="::1", dst="::2") / headers / TCP(sport=1, dport=2) / b"data")
    segment = parse(packet)
    assert segment is not None
    assert (segment.destination, segment.data) == (Address("::2", 2), b"data")


def test_an_authentication_header_is_stepped_over() -> None:
    segment = bytes(IPv6(src="::1", dst="::2") / TCP(sport=1, dport=2) / b"data")
    header = bytes([ip.TCP, 4]) + bytes(22)  # RFC 4302 section 2: its length counts words, less two
    length = struct.pack("!H", len(segment) - 40 + len(header))
    packet = segment[:4] + length + bytes([51]) + segment[7:40] + header + segment[40:]
    read = parse(packet)
    assert read is not None
    assert read.data == b"data"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        bytes(20),  # version 0
        bytes(IP(dst="127.0.0.1") / TCP())[:39],
        bytes(IPv6(dst="::1") / TCP())[:39],
        bytes(IPv6(dst="::1") / TCP())[:59],
        bytes(IP(dst="127.0.0.1", flags="MF") / TCP()),
        bytes(IP(dst="127.0.0.1", frag=3) / TCP()),
        bytes(IPv6(dst="::1") / IPv6ExtHdrFragment(m=1) / TCP()),
        bytes(IPv6(dst="::1") / IPv6ExtHdrDestOpt())[:-6],
        b"\x44" + bytes(IP(dst="127.0.0.1") / TCP())[1:],  # a header that is shorter than itself
        bytes(IP(dst="127.0.0.1", proto=17) / (b"x" * 40)),
    ],
)
def test_what_is_no_whole_segment(packet) -> None:
    assert parse(packet) is None


def test_a_length_of_zero_is_what_segmentation_in_the_network_card_leaves() -> None:
    for whole in (build(Segment(Address(one, 1), Address(two, 2), data=b"data")) for one, two in FAMILIES.values()):
        at = 2 if whole[0] >> 4 == 4 else 4
        segment = parse(whole[:at] + b"\0\0" + whole[at + 2 :])
        assert segment is not None
        assert segment.data == b"data"


def test_checksums() -> None:
    """Any octets with their checksum in them sum up to zero; zeros alone keep the checksum of all ones."""
    assert ip.checksum(b"") == ip.checksum(bytes(8)) == 0xFFFF
    assert ip.checksum(b"\x01") == 0xFEFF
    assert ip.checksum(b"\xff\xff") == 0
    assert ip.checksum(ip.with_checksum(b"odd number" + bytes(2) + b"of octets", 10)) == 0


def test_whether_a_packet_may_be_fragmented() -> None:
    assert ip.may_be_fragmented(bytes(IP(dst="127.0.0.1") / TCP()))
    assert not ip.may_be_fragmented(build(Segment(Address("127.0.0.1", 1), Address("127.0.0.1", 2))))


def test_a_router_tells_its_mtu() -> None:
    packet = build(Segment(Address("198.18.0.1", 1), Address("198.18.1.1", 2), 77, data=bytes(2000)))
    error = IP(icmp.with_code("192.0.2.9", "198.18.0.1", packet, icmp.TOO_BIG, mtu=1280))
    assert (error.src, error.dst, error[ICMP].code, error[ICMP].nexthopmtu) == ("192.0.2.9", "198.18.0.1", 4, 1280)
    assert bytes(error[ICMP])[8:] == packet[:28]

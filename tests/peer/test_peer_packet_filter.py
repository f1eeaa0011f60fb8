"""The kernel's packet filters, executed by a small interpreter of the same instructions."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from conformance.peer.packet_filter import of_ranges, once, sent_to
from conformance.peer.share import Share

LOAD_HALF, LOAD_WORD, EQUAL, AT_LEAST, ABOVE, BACK = 0x28, 0x20, 0x15, 0x35, 0x25, 0x06
TESTS = {EQUAL: int.__eq__, AT_LEAST: int.__ge__, ABOVE: int.__gt__}


def passes(program, packet: bytes, known: Mapping[int, int] = MappingProxyType({})) -> bool:
    """Execute a program as bpf(4) says; `known` is what Linux knows of the packet, by where a program finds it."""
    assert len(program) <= 4096
    position = value = 0
    while True:
        code, if_true, if_false, constant = program[position]
        position += 1
        if code == BACK:
            return constant > 0
        if code in (LOAD_HALF, LOAD_WORD):
            if constant >= 0xFFFFF000:
                value = known[constant]
                continue
            size = 2 if code == LOAD_HALF else 4
            if constant + size > len(packet):
                return False
            value = int.from_bytes(packet[constant : constant + size], "big")
        else:
            position += if_true if TESTS[code](value, constant) else if_false


def packet(source: str, target: str) -> bytes:
    one, other = ipaddress.ip_address(source), ipaddress.ip_address(target)
    kind, head = (b"\x08\x00", bytes(12)) if one.version == 4 else (b"\x86\xdd", bytes(8))
    return bytes(12) + kind + head + one.packed + other.packed


def test_what_is_sent_to_an_address() -> None:
    program = sent_to(["198.18.1.7", "fd6d::107"])
    assert passes(program, packet("198.18.0.1", "198.18.1.7"))
    assert passes(program, packet("fd6d::1", "fd6d::107"))
    for source, target in [("198.18.1.7", "198.18.0.1"), ("fd6d::107", "fd6d::1"), ("198.18.0.1", "198.18.1.8")]:
        assert not passes(program, packet(source, target))
    assert not passes(program, bytes(12) + b"\x08\x06" + bytes(28)), "ARP"


@pytest.mark.parametrize(("index", "of"), [(0, 2), (1, 2), (2, 3), (63, 64)])
def test_each_share_gets_its_own_packets_and_only_these(index, of) -> None:
    programs = [of_ranges(Share(number, of).ranges) for number in range(of)]
    share = Share(index, of)
    ends = [address for both in share.ranges for address in both]
    for tester in (*ends, share.loopback(1), share.loopback(9_000), share.ipv6(1), share.ipv6(900_000)):
        iut = "192.0.2.1" if "." in tester else "2001:db8::1"
        for octets in (packet(iut, tester), packet(tester, iut)):
            assert [number for number, program in enumerate(programs) if passes(program, octets)] == [index]


def test_other_packets_are_nobodys() -> None:
    program = of_ranges(Share(0, 2).ranges)
    for source, target in [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("fd6c:0:0:0:1::1", "fd6d::1"),
        ("1.2.3.4", "5.6.7.8"),
    ]:
        assert not passes(program, packet(source, target))


@pytest.mark.parametrize("then", [(), sent_to(["198.18.1.7"])])
def test_each_packet_is_taken_once(then) -> None:
    """Where it leaves, or where it comes by the interface behind which another network begins."""
    program, here = once(7, then), packet("198.18.0.1", "198.18.1.7")
    for way, interface, taken in [(4, 1, True), (0, 1, False), (0, 7, True), (4, 7, True), (3, 2, False)]:
        assert passes(program, here, {0xFFFFF004: way, 0xFFFFF008: interface}) is taken
    assert passes(program, packet("1.2.3.4", "5.6.7.8"), {0xFFFFF004: 4, 0xFFFFF008: 1}) is (not then)

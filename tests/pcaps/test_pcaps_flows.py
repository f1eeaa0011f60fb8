"""UDP in captures: headers, flows, the ladder, and what tshark makes of them."""

from __future__ import annotations

import shutil

import pytest

from conformance.run.reading import Work
from conformance.run.recording import Recording
from conformance.wire.attributes import Address
from conformance.wire.layers import binding_request, binding_success
from conformance.wire.udp import Datagram
from conformance.wire.udp import build as build_datagram
from pcaps.capture import RunCapture, SyntheticCapture
from pcaps.ladder import render
from pcaps.packets import ETHERNET, RAW_IP, parse
from pcaps.pcapng import Packet
from pcaps.reading import read_capture, read_packets
from pcaps.tshark import compare, own_view, tshark_view

FOUR = Address("127.16.0.1", 40000), Address("127.0.0.1", 44818)  # a port that tshark gives to another protocol
SIX = Address("fd6c::1", 40000), Address("::1", 34964)


def request(number=1):
    return bytes(
        binding_request(
            username="a:b", password="p" * 22, priority=1, controlling=7, transaction_id=bytes([number]) * 12
        )
    )


def test_no_datagram_is_read_behind_a_link_layer_that_is_not_there():
    packet = build_datagram(Datagram(*FOUR, b"octets"))
    assert parse(RAW_IP, packet) is None
    assert len(read_packets([Packet(0, packet, RAW_IP)]).flows) == 1
    assert read_packets([Packet(0, packet, ETHERNET)]).flows == []


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "c.pcapng"
    capture = SyntheticCapture(path, "case")
    capture.datagram(FOUR[1], FOUR[0], request(), 1_000_000)
    capture.datagram(*FOUR, bytes(binding_success(bytes([1]) * 12, FOUR[1], "p" * 22)), 3_000_000)
    capture.datagram(*SIX, b"\x80data", 4_000_000)
    capture.datagram(*SIX, request(2)[:22] + b"\xff\xff" + request(2)[24:], 5_000_000)
    capture.close()
    return path


def test_flows_and_their_ladder(written):
    four, six = read_capture(written).flows
    assert (four.client, four.server) == (FOUR[1], FOUR[0])
    assert [event.from_client for event in four.frames] == [True, False]
    assert six.frames[1].problem is not None
    assert read_capture(written).connections == []
    lines = render([four, six], {FOUR[0].ip: "tester"}).splitlines()
    assert lines[0] == "127.0.0.1:44818 -> tester 127.16.0.1:40000 over UDP"
    assert "2.000 ms  <--" in lines[2]
    assert "RTP 80 64" in lines[5]
    assert "broken STUN" in lines[6]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_tshark_sees_the_same_whatever_the_port(written):
    own = own_view(read_capture(written).flows)
    assert {route: len(messages) for route, messages in own.messages.items()} == {FOUR: 1, FOUR[::-1]: 1}
    assert compare(own, tshark_view([written])) == []


def test_datagrams_of_a_tester_come_into_its_case(tmp_path):
    run = RunCapture()
    run.begin(FOUR[0].ip)
    ethernet = bytes(12) + b"\x08\x00"
    run.packet(1, ethernet + build_datagram(Datagram(*FOUR, request())))
    run.packet(2, ethernet + build_datagram(Datagram(Address("127.0.0.1", 9), Address("127.0.0.1", 9), b"mark")))
    run.write(FOUR[0].ip, tmp_path / "c.pcapng", "case")
    (flow,) = read_capture(tmp_path / "c.pcapng").flows
    assert len(flow.events) == 1
    assert run.unclaimed == 0


def test_a_failed_case_shows_its_datagrams(tmp_path):
    (tmp_path / "captures").mkdir()
    captures = []
    recording = Recording(tmp_path, "sockets", on_capture=captures.append)
    with recording.case("RFC1-1/case", FOUR[0].ip) as recorded:
        recorded.tap.datagram(*FOUR, request(), 1)
        recorded.verdict = "fail: no answer"
    assert "over UDP" in Work("the IUT", "", tmp_path, tmp_path / "together").read(captures[0]).ladder

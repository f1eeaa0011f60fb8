"""The lower tester over IPv6, and over both families at once."""

from __future__ import annotations

import random
import socket
import threading

import pytest

from conformance.peer import connecting
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.verdict import NotApplicable
from conformance.wire.candidate import Candidate
from conformance.wire.tcp import ACK
from pcaps.capture import RunCapture
from pcaps.packets import Segment, build
from pcaps.pcapng import read

FOUR, SIX = "127.16.201.1", "::1"
PIXIT = Pixit(response=2.0, connect=2.0, silence=0.05)


@pytest.fixture
def pump():
    pump = Pump()
    yield pump
    pump.close()


@pytest.fixture(params=[(FOUR, SIX), (SIX, FOUR)], ids=["IPv4", "IPv6"])
def peer(pump, request):
    first, second = request.param
    peer = Peer(first, pump, SilentTap(), PIXIT, random.Random(1), lambda: second)
    yield peer
    peer.close()


def serve(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, 0), family=family)


def candidate(server):
    ip, port = server.getsockname()[:2]
    return Candidate("1", 1, "TCP", 1, ip, port, "host", tcptype="passive")


def test_the_second_address_is_asked_for_once_and_can_listen(peer):
    other = {FOUR: SIX, SIX: FOUR}[peer.address]
    assert peer.other_address == peer.other_address == other
    ours = peer.candidate("passive", address=other)
    assert ours.address == other
    with socket.create_connection((other, ours.port), timeout=2):
        assert peer.expect_connection().local_address.ip == other


def test_it_connects_from_its_address_of_the_candidates_family(peer):
    with serve(peer.address) as own, serve({FOUR: SIX, SIX: FOUR}[peer.address]) as strange:
        assert peer.connect(candidate(own)).local_address.ip == peer.address
        assert peer.connect(candidate(strange)).local_address.ip == peer.other_address


def test_a_tester_of_one_family_has_no_other_address(pump):
    with pytest.raises(NotApplicable, match="one address"):
        Peer(FOUR, pump, SilentTap(), PIXIT, random.Random(1)).other_address  # noqa: B018


def test_a_port_of_a_shared_address_is_waited_for(pump):
    peer = Peer(SIX, pump, SilentTap(), PIXIT, random.Random(1))
    other = serve(SIX)
    port = other.getsockname()[1]
    timer = threading.Timer(0.2, other.close)
    timer.start()
    assert peer.listen(port=port).port == port
    timer.join()
    peer.close()


def test_what_a_shared_address_hides_makes_a_case_not_applicable(pump, monkeypatch):
    monkeypatch.setattr(connecting, "_PORT_WITHIN", 0.1)
    peer = Peer(SIX, pump, SilentTap(), PIXIT, random.Random(1))
    taken = peer.listen().port
    with serve(SIX) as other, pytest.raises(NotApplicable, match="in use"):
        peer.listen(port=other.getsockname()[1])
    with pytest.raises(NotApplicable, match="whose attempts"):
        peer.most_outstanding(calm=0)
    assert taken
    peer.close()


def test_packets_of_both_addresses_come_into_one_capture(tmp_path):
    run = RunCapture()
    run.begin(FOUR)
    run.also(FOUR, "fd6c::1")
    ethernet = {4: bytes(12) + b"\x08\x00", 6: bytes(12) + b"\x86\xdd"}
    for number, (ours, theirs) in enumerate(((FOUR, "127.0.0.1"), ("fd6c::1", SIX), ("fd6c::2", SIX))):
        packet = build(Segment(lab_address(ours), lab_address(theirs), 1, 1, ACK, b"x"))
        run.packet(number, ethernet[6 if ":" in ours else 4] + packet)
    run.write(FOUR, tmp_path / "c.pcapng", "case")
    with (tmp_path / "c.pcapng").open("rb") as file:
        assert [packet.time_ns for packet in read(file)] == [0, 1]
    assert run.unclaimed == 1
    run.packet(9, ethernet[6] + build(Segment(lab_address("fd6c::1"), lab_address(SIX), 1, 1, ACK, b"")))
    assert run.unclaimed == 2


def lab_address(ip):
    from conformance.wire.attributes import Address

    return Address(ip, 1000)

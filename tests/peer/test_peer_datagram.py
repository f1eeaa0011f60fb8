"""The lower tester's UDP candidate, and the order in which things come to it."""

from __future__ import annotations

import random
import socket

import pytest

from conformance.peer.datagram import DatagramSocket
from conformance.peer.events import BindingRequest, BindingSuccess, Data
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.suites import order
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, NotApplicable
from conformance.wire.attributes import Address
from conformance.wire.layers import binding_request, binding_success
from conformance.wire.stun import Message

ADDRESS = "127.16.202.1"


class Iut:
    ufrag, pwd, lite, answered_setup = "iutf", "i" * 22, False, None
    fragments = ("iutf",)


class Tap(SilentTap):
    def __init__(self):
        self.seen = []

    def datagram(self, source, target, octets, time_ns):
        self.seen.append((source, target, octets))


@pytest.fixture
def tap():
    return Tap()


@pytest.fixture
def peer(tap):
    pump = Pump()
    peer = Peer(ADDRESS, pump, tap, Pixit(response=2.0), random.Random(1))
    peer.meet(Iut())
    yield peer
    peer.close()
    pump.close()


@pytest.fixture
def other():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(2)
        yield other


def check(peer, **change):
    fields = {
        "username": f"{peer.ufrag}:{Iut.ufrag}",
        "password": peer.pwd,
        "priority": 1,
        "controlling": 9,
        "transaction_id": b"t" * 12,
    }
    return bytes(binding_request(**{**fields, **change}))


def target(udp):
    return udp.local_address.ip, udp.local_address.port


def test_its_candidate(peer):
    udp = peer.udp()
    ours = udp.candidate()
    assert (ours.transport, ours.tcptype, ours.endpoint) == ("UDP", None, udp.local_address)
    assert (ours.type_preference, ours.local_preference) == (126, 65535)
    assert peer.udp().candidate(priority=7).priority == 7
    assert len({udp.candidate().foundation for udp in peer.datagram_sockets}) <= 2


def test_descriptions_with_udp_have_a_udp_default(peer):
    udp = peer.udp()
    media = peer.offer(candidates=[peer.candidate("passive"), udp.candidate()]).media[0]
    assert (media.proto, media.port, media.setup) == ("RTP/AVP", udp.local_address.port, None)
    plain = peer.offer(candidates=[passive := peer.candidate("passive")])
    assert (plain.media[0].proto, plain.media[0].port) == ("TCP/RTP/AVP", passive.port)
    both = [passive, udp.candidate()]
    assert peer.answer(plain, candidates=both).media[0].port == passive.port
    offered = peer.offer(candidates=both)
    answer = peer.answer(offered, candidates=both).media[0]
    assert (answer.proto, answer.port, answer.setup) == ("RTP/AVP", udp.local_address.port, None)


def test_a_valid_check_is_answered_where_it_came_from(peer, other, tap):
    udp = peer.udp()
    other.sendto(check(peer, use_candidate=True), target(udp))
    source, frame = udp.expect(BindingRequest, within=20)
    assert source.port == other.getsockname()[1]
    assert frame.stun.use_candidate
    response = Message.decode(other.recv(2000))
    assert response.is_success
    assert response.xor_mapped_address == source == udp.selected
    assert [(seen[0], seen[1]) for seen in tap.seen] == [(source, udp.local_address), (udp.local_address, source)]


@pytest.mark.parametrize("silent", ["not answering", "wrong password"])
def test_other_checks_are_not_answered(peer, other, silent):
    udp = peer.udp()
    peer.answering = silent != "not answering"
    other.sendto(check(peer, **({"password": "w" * 22} if silent == "wrong password" else {})), target(udp))
    udp.expect(BindingRequest, within=20)
    other.settimeout(0.05)
    with pytest.raises(TimeoutError):
        other.recv(2000)


def test_responses_to_our_own_requests_are_expected(peer, other):
    udp = peer.udp()
    here = Address(*other.getsockname())
    udp.send(peer.check(Iut(), transaction_id=b"o" * 12), here)
    octets, _ = other.recvfrom(2000)
    other.sendto(bytes(binding_success(b"x" * 12, here, Iut.pwd)), target(udp))
    with pytest.raises(Failed, match="did not come"):
        udp.expect(BindingSuccess, within=0.05)
    other.sendto(bytes(binding_success(Message.decode(octets).transaction_id, here, Iut.pwd)), target(udp))
    udp.expect(BindingSuccess, within=20)


def test_the_answer_to_an_earlier_question_answers_no_later_one(peer, other):
    udp = peer.udp()
    here = Address(*other.getsockname())
    for identifier in (b"the first 12", b"the later 12"):
        udp.send(peer.check(Iut(), transaction_id=identifier), here)
    other.sendto(bytes(binding_success(b"the first 12", here, Iut.pwd)), target(udp))
    with pytest.raises(Failed, match="did not come"):
        udp.expect(BindingSuccess, within=0.1)
    udp.expect(BindingSuccess(b"the first 12"), within=20)


def test_each_datagram_fulfils_one_expectation_and_none_is_watched_for(peer, other):
    udp = peer.udp()
    udp.expect_nothing(Data, within=0.02)
    other.sendto(b"\x80data", target(udp))
    udp.expect(Data, within=20)
    udp.expect_nothing(Data, within=0.02)
    other.sendto(b"\x80more", target(udp))
    with pytest.raises(Failed, match="came over UDP"):
        udp.expect_nothing(Data, within=2)


def test_an_unreachable_target_is_no_error(peer, other):
    udp = peer.udp()
    gone = Address(*other.getsockname())
    other.close()
    udp.send(b"x", gone)
    udp.send(b"x", gone)
    udp.expect_nothing(Data, within=0.02)


def test_a_socket_that_cannot_be_had_is_released(peer, tap):
    with pytest.raises(OSError, match="assign"):
        DatagramSocket(peer, peer._pump, tap, 1, "192.0.2.1")


# -- order -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ranked(peer):
    peer.answering = False
    return order.ranked(peer, above=1, below=1)


def take_up(peer, ranked, other, which, opened):
    """Do as an IUT that takes up one of the candidates."""
    candidate = ranked.candidates[which]
    if candidate.is_tcp:
        opened.append(socket.create_connection((candidate.address, candidate.port), source_address=("127.0.0.1", 0)))
    else:
        other.sendto(check(peer), (candidate.address, candidate.port))


@pytest.mark.parametrize(
    ("sequence", "wrong"),
    [
        ((0, 1, 2), []),
        ((1, 0, 2), ["UDP before TCP"]),
        ((0, 2, 1), ["TCP before UDP"]),
        ((2, 1, 0), ["UDP before TCP", "TCP before TCP", "TCP before UDP"]),
    ],
)
def test_what_only_a_later_look_shows_has_come_later(peer, ranked, other, sequence, wrong):
    opened = []
    for which in sequence:
        take_up(peer, ranked, other, which, opened)
        peer.wait(0.01)
    found = ranked.reversed_pairs(peer, within=2)
    words = [" ".join(w for w in text.split() if w in ("UDP", "TCP", "before")) for text in found]
    assert sorted(words) == sorted(wrong)
    for connection in opened:
        connection.close()


def test_what_has_no_pace_shows_no_order(peer, ranked, other, monkeypatch):
    opened = []
    for which in (2, 1, 0):
        take_up(peer, ranked, other, which, opened)
    with pytest.raises(JudgedElsewhere, match=r"all 3 candidates at once; RFC8445-6\.1\.4\.2/checks_are_paced"):
        ranked.reversed_pairs(peer, within=2)
    monkeypatch.setattr(order, "AT_ONCE", 0.0)
    assert ranked.reversed_pairs(peer, within=2) == []  # what one look shows may have come in any order
    for connection in opened:
        connection.close()


def test_a_candidate_that_was_never_taken_up_leaves_no_verdict(peer, ranked, other):
    opened = []
    take_up(peer, ranked, other, 0, opened)
    with pytest.raises(Inconclusive, match="did not come to"):
        ranked.reversed_pairs(peer, within=0.05)
    opened[0].close()


def test_what_was_taken_up_in_the_wrong_order_is_wrong_whatever_is_missing(peer, ranked, other):
    opened = []
    for which in (1, 0):
        take_up(peer, ranked, other, which, opened)
        peer.wait(0.01)
    assert len(ranked.reversed_pairs(peer, within=0.05)) == 1
    opened[0].close()


def test_checks_before_the_iuts_description_show_no_order(peer, ranked, other):
    opened = []
    for which in (1, 0, 2):  # UDP alone, because it still gathers its TCP candidates
        take_up(peer, ranked, other, which, opened)
        peer.wait(0.01)
    peer.meet(Iut())
    with pytest.raises(NotApplicable, match="before its description was complete"):
        ranked.reversed_pairs(peer, within=0.05)
    for connection in opened:
        connection.close()

"""The lower tester as a whole: whom it meets, how it completes ICE, what it describes, and its paces."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time

import pytest
from peer_scripts import PIXIT, Iut, check_of_the_iut, everything

from conformance.peer.pixit import Pixit
from conformance.peer.pump import Aborted
from conformance.peer.shape import Shape
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate
from conformance.wire.layers import RFC4571, binding_indication, binding_success
from conformance.wire.rfc4571 import Deframer
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import Message


def test_connections_from_where_they_may_come(peer) -> None:
    listener = peer.listen()
    with socket.create_connection((peer.address, listener.port)) as lawful:
        peer.expect_no_connection(within=0.05, but_from={Address(*lawful.getsockname())})
        with pytest.raises(Failed, match="must not open"):
            peer.expect_no_connection(within=0.05)


def test_connections_that_come_and_do_not(peer) -> None:
    one, two = peer.listen(), peer.listen()
    with pytest.raises(Failed, match="did not connect"):
        peer.expect_connection(one, within=0.01)
    other = socket.create_connection((peer.address, two.port))
    assert peer.expect_connection(two).component == 1
    peer.expect_no_connection(within=0.01)
    with socket.create_connection((peer.address, one.port)), pytest.raises(Failed, match="must not open"):
        peer.expect_no_connection(one, within=1)
    other.close()


def test_refusals_in_preamble_and_body(peer) -> None:
    closed = Candidate("1", 1, "TCP", 1, "127.0.0.1", peer.refusing_port(), "host", tcptype="passive")
    with pytest.raises(Inconclusive, match="refused"):
        peer.connect(closed)
    with pytest.raises(Failed, match="did not accept"):
        peer.expect_accept(closed)
    with pytest.raises(NotApplicable, match="does not accept"):
        peer.connect_if_possible(closed)
    with pytest.raises(Inconclusive):
        peer.await_connection()


def test_silent_ports_and_outstanding_attempts(peer) -> None:
    attempt = socket.socket()
    attempt.setblocking(False)
    with pytest.raises(BlockingIOError):
        attempt.connect((peer.address, peer.silent_port()))
    assert peer.most_outstanding(calm=0.05) == 1
    attempt.close()
    with pytest.raises(Inconclusive, match="no connection attempt"):
        peer.most_outstanding(calm=0.05)


def test_nothing_is_waited_for_on_a_connection_that_has_ended(peer, pair) -> None:
    connection, other = pair
    peer.iut = connection.iut = Iut
    asked = threading.Thread(target=lambda: (other.recv(1000), other.close()))
    asked.start()
    begun = time.monotonic()
    peer.settle(connection)  # closed by the IUT instead of an answer
    asked.join()
    assert connection.has_asked
    assert not connection.is_open
    checks = len(connection.asked)
    peer.settle(connection)
    assert len(connection.asked) == checks  # nor is it asked again
    assert time.monotonic() - begun < peer.pixit.response


def test_completion_with_each_side_controlling(peer, pair) -> None:
    connection, other = pair

    def play() -> None:
        """Answer two checks, and send one in between."""
        deframer = Deframer()
        sent = False
        for _ in range(2):
            payloads: list[bytes] = []
            while not payloads:
                payloads = [p for p in deframer.feed(other.recv(65536)) if Message.decode(p).is_request]
            tid = Message.decode(payloads[0]).transaction_id
            other.sendall(bytes(RFC4571() / binding_success(tid, connection.local_address, Iut.pwd)))
            if not sent:
                other.sendall(bytes(check_of_the_iut(peer, controlling=None, controlled=3)))
                sent = True

    peer.controlling = True
    thread = threading.Thread(target=play)
    thread.start()
    assert peer.complete_any(Iut()) is connection
    thread.join(20)
    assert connection.selected
    with pytest.raises(Inconclusive, match="no second connection"):
        peer.expect_others_closed(connection, within=0)


def test_a_refused_check_is_not_told_as_none(peer, pair) -> None:
    connection, other = pair

    def answer() -> None:
        deframer = Deframer()
        other.sendall(bytes(check_of_the_iut(peer, username="nobody", controlling=None, controlled=3)))
        while True:
            for asked in map(Message.decode, deframer.feed(other.recv(65536))):
                if asked.is_request:
                    tid = asked.transaction_id
                    other.sendall(bytes(RFC4571() / binding_success(tid, connection.local_address, Iut.pwd)))
                    return

    peer.controlling = True
    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(Inconclusive, match="was refused: its USERNAME or MESSAGE-INTEGRITY"):
        peer.complete_any(Iut())
    thread.join(20)


@pytest.mark.parametrize(("nominated", "ended", "fine"), [
    ((True, False), (False, True), True),
    ((True, False), (False, False), False),
    ((True, True), (True, False), True),  # the IUT has kept the other one that it nominated
    ((True, False), (True, False), False),
    ((True, True), (False, False), False),
])  # fmt: skip
def test_the_others_are_closed_but_for_the_one_that_the_iut_selected(peer, pair, nominated, ended, fine) -> None:
    first, far = pair
    beside = socket.create_connection(("127.16.200.1", peer.listeners[0].port))
    second = peer.expect_connection()
    for connection, other, selected, ends in zip((first, second), (far, beside), nominated, ended, strict=True):
        connection.selected = selected
        if ends:
            other.close()
            connection.expect_end(within=1)
    if fine:
        peer.expect_others_closed(first, within=0.05)
    else:
        with pytest.raises(Failed, match="still open beside"):
            peer.expect_others_closed(first, within=0.05)
    beside.close()


@pytest.mark.parametrize("controlling", [False, True])
def test_the_check_for_which_the_iut_opened_a_connection_meets_the_switched_role_first(peer, pair, controlling) -> None:
    connection, other = pair
    peer.shape = Shape(roles="switched")
    peer.controlling = controlling
    ours = {"controlling": 3, "controlled": None} if controlling else {"controlling": None, "controlled": 3}
    said: list[Message] = []

    def speak() -> None:
        time.sleep(0.1)  # the check comes late: ours must not go before it
        other.sendall(bytes(check_of_the_iut(peer, **ours)))
        said.extend(map(Message.decode, everything(other, 2)))

    thread = threading.Thread(target=speak)
    thread.start()
    with pytest.raises(Inconclusive):
        peer.complete(Iut(), connection)
    thread.join(20)
    assert said[0].error_code is not None
    assert said[0].error_code.code == 487
    assert said[1].is_request


def test_completion_that_does_not_come(peer, pair) -> None:
    connection, _ = pair
    with pytest.raises(Inconclusive, match="did not nominate"):
        peer.complete(Iut(), connection)
    with pytest.raises(Inconclusive, match="none of 1 connections"):
        peer.complete_any(Iut())


def test_descriptions_of_the_tester(peer) -> None:
    offer = peer.offer("active passive", components=2)
    assert peer.controlling
    media = offer.media[0]
    assert (media.ufrag, media.pwd, media.proto, media.setup, media.connection) == (
        peer.ufrag,
        peer.pwd,
        "TCP/RTP/AVP",
        "actpass",
        "new",
    )
    assert [(c.component, c.tcptype) for c in media.candidates] == [
        (1, "active"),
        (1, "passive"),
        (2, "active"),
        (2, "passive"),
    ]
    assert media.bandwidth == []
    assert peer.offer("active").media[0].bandwidth == ["RS:0", "RR:0"]
    assert peer.offer("active", media="bytes").media[0].formats == ["*"]


@pytest.mark.parametrize(
    ("theirs", "ours"), [("active", "passive"), ("passive", "active"), ("actpass", "active"), (None, None)]
)
def test_answers_mirror_the_offer(peer, theirs, ours) -> None:
    theirs_line = f"a=setup:{theirs}\r\n" if theirs else ""
    offer = SessionDescription.parse(f"v=0\r\nm=audio 9 TCP/RTP/AVP 8\r\nb=RS:0\r\nb=RR:0\r\na=mid:7\r\n{theirs_line}")
    media = peer.answer(offer, "active").media[0]
    assert not peer.controlling
    assert (media.setup, media.mid, media.formats, media.bandwidth) == (ours, "7", ["8"], ["RS:0", "RR:0"])
    assert (media.connection is None) is (ours is None)


def test_the_same_seed_makes_the_same_checks(pump) -> None:
    checks = []
    for _ in range(2):
        one = Peer("127.16.200.1", pump, SilentTap(), PIXIT, random.Random(7))
        checks.append(bytes(one.check(Iut())))
    assert checks[0] == checks[1]
    assert bytes(binding_indication(b"x" * 12))


def test_the_pump_waits_wakes_and_aborts(pump) -> None:
    assert not pump.wait(lambda: False, 0.01)
    flag: list[int] = []
    thread = threading.Timer(0.05, lambda: (flag.append(1), pump.wake()))
    thread.start()
    assert pump.wait(lambda: bool(flag), 10)
    threading.Timer(0.05, pump.abort).start()
    with pytest.raises(Aborted):
        pump.wait(lambda: False, 10)
    with pytest.raises(Aborted):
        pump.wait(lambda: True, 0)


def test_a_slower_pixit_scales_deadlines_but_not_paces() -> None:
    slow = Pixit.scaled(6.0)
    assert (slow.response, slow.silence) == (6.0, 2 * Pixit().silence)
    assert (slow.drip, slow.attempts) == (Pixit().drip, Pixit().attempts)
    assert Pixit.scaled(Pixit().response) == Pixit()


def test_a_faster_pixit_leaves_an_iut_the_time_that_the_rfcs_leave_it() -> None:
    fast = Pixit.scaled(0.1)
    assert (fast.response, fast.connect < 1) == (0.1, True)
    assert fast.close > 3.0
    assert fast.complete > 5.0
    assert (fast.silence, fast.retransmission) == (Pixit().silence, Pixit().retransmission)


def test_a_slow_nominator_is_waited_for_while_its_connections_stand(peer, pair) -> None:
    connection, other = pair
    deadline = time.monotonic() + peer.pixit.complete + 0.1
    peer.described_at = time.monotonic()
    assert peer.wait_for_nomination(lambda: time.monotonic() > deadline)
    begun = time.monotonic()
    other.close()
    assert not peer.wait_for_nomination(lambda: False)
    assert time.monotonic() - begun < peer.pixit.decides + 2, "nobody is left who might nominate"
    assert not connection.is_open


@pytest.mark.parametrize(("priority", "again"), [(2, False), (1, True), (None, True)])
def test_a_pair_is_told_by_priority_where_sockets_share_an_address(peer, priority, again) -> None:
    listener = peer.listen()
    first = socket.create_connection((peer.address, listener.port))
    first.sendall(bytes(check_of_the_iut(peer, priority=1)))
    one = peer.expect_connection()
    assert peer.wait_until(lambda: one.first_priority == 1, 2.0)
    second = socket.create_connection((peer.address, listener.port))
    if priority is not None:
        second.sendall(bytes(check_of_the_iut(peer, priority=priority, transaction_id=b"second check")))
    with pytest.raises(Failed, match="must not open") if again else contextlib.nullcontext():
        peer.expect_no_connection(beside=one, within=0.1)
    first.close()
    second.close()

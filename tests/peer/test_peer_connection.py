"""The lower tester's connections: what is sent, what is expected, and the words of a failure."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from peer_scripts import Iut, ask, check_of_the_iut, everything

import conformance.peer.connection
from conformance.peer.events import (
    AnyResponse,
    BindingError,
    BindingRequest,
    BindingSuccess,
    Data,
    Payload,
    Repetition,
)
from conformance.verdict import Failed, Inconclusive, Missing
from conformance.wire.integrity import Check
from conformance.wire.layers import RFC4571, binding_error, binding_success
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Message


def test_cuts_are_writes_of_their_own(pair) -> None:
    connection, other = pair
    connection.send(b"abcdef", cut=[1, -2])
    reads = [other.recv(100) for _ in range(1)]
    while sum(map(len, reads)) < 6:
        reads.append(other.recv(100))
    assert b"".join(reads) == b"abcdef"
    connection.send(b"")


def test_a_cut_frame_is_read_in_its_parts(pair) -> None:
    connection, other = pair
    reads: list[bytes] = []
    reader = threading.Thread(target=lambda: [reads.append(other.recv(100)) for _ in range(3)])
    reader.start()
    connection.send(b"abcdef", cut=[1, 4], pause=0.05)
    reader.join(20)
    assert reads == [b"a", b"bcd", b"ef"]


def test_the_next_part_waits_until_a_slow_reader_has_read_the_one_before(pair) -> None:
    connection, other = pair
    reads: list[bytes] = []

    def read_late() -> None:
        for _ in range(3):
            time.sleep(0.1)
            reads.append(other.recv(100))

    reader = threading.Thread(target=read_late)
    reader.start()
    connection.send(b"abcdef", cut=[1, 4], pause=0.001)
    reader.join(20)
    assert reads == [b"a", b"bcd", b"ef"]


def test_without_a_pause_too_a_slow_reader_reads_the_first_part_by_itself(pair) -> None:
    connection, other = pair
    reads: list[bytes] = []

    def read_late() -> None:
        while sum(map(len, reads)) < 6:
            time.sleep(0.1)
            reads.append(other.recv(100))

    reader = threading.Thread(target=read_late)
    reader.start()
    connection.send(b"abcdef", cut=range(1, 6))
    reader.join(20)
    assert (reads[0], b"".join(reads)) == (b"a", b"abcdef")


def test_a_first_part_that_is_never_read_is_followed_all_the_same(pair, monkeypatch) -> None:
    monkeypatch.setattr(conformance.peer.connection, "_STALL", 0.1)
    connection, other = pair
    connection.send(b"abcdef", cut=[1])
    assert other.recv(100) == b"abcdef"


def test_parts_that_are_never_read_one_by_one_prove_nothing(pair, monkeypatch) -> None:
    monkeypatch.setattr(conformance.peer.connection, "_STALL", 0.1)
    connection, _ = pair
    with pytest.raises(Inconclusive, match="did not read"):
        connection.send(b"abcdef", cut=[1], pause=0.001)


def test_automatic_answers_do_not_fall_into_a_frame_that_is_being_sent(peer, pair, monkeypatch) -> None:
    monkeypatch.setattr(conformance.peer.connection, "_APART", 0)  # the other side reads later
    connection, other = pair
    other.sendall(bytes(check_of_the_iut(peer)))
    connection.send(frame(b"\x80" * 40), cut=[1, 7], pause=0.05)  # the check arrives while the parts are being sent
    first, second = everything(other, 2)
    assert first == b"\x80" * 40
    assert Message.decode(second).is_success
    assert connection.checked


def test_an_answer_on_another_connection_waits_until_a_frame_in_parts_is_sent(peer, pair, second, monkeypatch) -> None:
    monkeypatch.setattr(conformance.peer.connection, "_APART", 0)  # the other sides read later
    monkeypatch.setattr(conformance.peer.connection, "_MOMENT", 0.01)
    (one, _), (another, other) = pair, second
    written: list[str] = []
    for name, connection in (("one", one), ("another", another)):
        write = connection._write
        monkeypatch.setattr(connection, "_write", lambda octets, n=name, w=write: (written.append(n), w(octets))[1])
    other.sendall(bytes(check_of_the_iut(peer)))
    one.send(frame(b"\x80" * 40), cut=[1, 7], pause=0.05)  # the check arrives while the parts are being sent
    assert peer.watch(lambda: another.checked, 5)
    assert written == ["one", "one", "one", "another"]


def test_an_answer_in_parts_waits_until_a_slow_reader_has_read_the_first(peer, pair) -> None:
    connection, other = pair
    connection.divide = lambda octets: (octets, (1, 40), 0.0)
    reads: list[bytes] = []

    def read_late() -> None:
        other.sendall(bytes(check_of_the_iut(peer)))
        for _ in range(2):
            time.sleep(0.1)
            reads.append(other.recv(100))

    reader = threading.Thread(target=read_late)
    reader.start()
    assert peer.watch(lambda: connection.checked, 5)
    reader.join(20)
    assert reads[0] == b"\0"
    assert len(reads[1]) > 40  # only the first part has to be read by itself


def test_an_answer_whose_first_part_is_never_read_is_sent_all_the_same(peer, pair, monkeypatch) -> None:
    monkeypatch.setattr(conformance.peer.connection, "_MOMENT", 0.05)
    connection, other = pair
    connection.divide = lambda octets: (octets, (1,), 0.0)
    other.sendall(bytes(check_of_the_iut(peer)))
    assert peer.watch(lambda: connection.checked, 5)
    assert Message.decode(everything(other, 1)[0]).is_success


def test_checks_are_answered_by_their_credentials(peer, pair) -> None:
    connection, other = pair
    other.sendall(bytes(check_of_the_iut(peer, password="wrong" * 5)))
    other.sendall(bytes(check_of_the_iut(peer, username="nobody:x")))
    other.sendall(bytes(check_of_the_iut(peer, use_candidate=True)))
    peer.wait(0.1)
    answers = [Message.decode(octets) for octets in everything(other, 3)]
    assert [a.error_code and a.error_code.code for a in answers] == [401, 401, None]
    assert answers[2].xor_mapped_address == connection.remote_address
    assert connection.selected


def test_answers_can_be_the_scripts(peer, pair) -> None:
    connection, other = pair
    peer.answering = False
    seen = []
    peer.before_answer = lambda _connection, request: seen.append(request)
    other.sendall(bytes(check_of_the_iut(peer)))
    request = connection.expect(BindingRequest, within=20)
    assert seen == [request]
    assert request.number == 1
    connection.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    (answer,) = everything(other, 1)
    assert Message.decode(answer).error_code.code == 487
    other.sendall(bytes(check_of_the_iut(peer)))
    with pytest.raises(Failed, match="a Binding request came") as failure:
        connection.expect_nothing(Repetition(request), within=1)
    assert failure.value.expected == "no retransmission of a Binding request"


def test_checks_can_be_answered_on_one_connection_alone(peer, pair, second) -> None:
    peer.answer_only_on(second[0])
    for connection, other in (pair, second):
        other.sendall(bytes(check_of_the_iut(peer)))
        connection.expect(BindingRequest, within=20)
    assert Message.decode(everything(second[1], 1)[0]).is_success
    assert not pair[0].checked


def test_an_iut_with_two_addresses_may_nominate_either_connection(peer, pair, second) -> None:
    peer.controlling = False
    second[1].sendall(bytes(check_of_the_iut(peer, use_candidate=True)))
    assert peer.complete(Iut(), pair[0]) is second[0]


def test_connections_from_other_addresses_are_no_second_one(peer, pair) -> None:
    listener = peer.listeners[0]
    others = [socket.create_connection((peer.address, listener.port), 5, source_address=("127.0.0.2", 0))]
    peer.expect_no_connection(beside=pair[0], within=0.1)
    others.append(socket.create_connection((peer.address, listener.port), 5, source_address=("127.0.0.1", 0)))
    with pytest.raises(Failed, match="must not open"):
        peer.expect_no_connection(beside=pair[0], within=1)
    for other in others:
        other.close()


def test_responses_fulfil_what_asked_for_them(peer, pair) -> None:
    connection, other = pair
    stray = binding_success(b"unknown12345", connection.local_address, Iut.pwd)
    good = binding_success(ask(peer, connection), connection.local_address, Iut.pwd)
    other.sendall(bytes(RFC4571() / stray) + bytes(RFC4571() / good))
    response = connection.expect(BindingSuccess, within=20)
    assert response.xor_mapped_address == connection.local_address
    assert response.integrity(Iut.pwd.encode()) is Check.VALID
    assert response.fingerprint is Check.VALID
    assert [str(m) for m in connection.messages(transaction_id=b"from us, yes")] == ["a Binding success response"]


@pytest.mark.parametrize("wanted", [BindingSuccess, BindingError, AnyResponse])
def test_the_answer_to_an_earlier_question_answers_no_later_one(peer, pair, wanted) -> None:
    connection, other = pair
    first = ask(peer, connection)
    answer = binding_success(first, connection.local_address, Iut.pwd)
    if wanted is BindingError:
        answer = binding_error(first, 400, "Bad Request", Iut.pwd)
    other.sendall(bytes(RFC4571() / answer))
    assert connection.wait_for(AnyResponse, within=20)  # nobody has taken it
    connection.send(RFC4571() / peer.check(Iut(), transaction_id=b"the later 12"))
    with pytest.raises(Missing, match=r"not within 0\.05 s"):
        connection.expect(wanted, within=0.05)
    connection.expect(wanted(transaction_id=first), within=0)
    other.sendall(bytes(RFC4571() / binding_success(b"the later 12", connection.local_address, Iut.pwd)))
    assert connection.expect(AnyResponse, within=20).stun.transaction_id == b"the later 12"


def test_questions_sent_together_may_be_answered_in_any_order(peer, pair) -> None:
    connection, other = pair
    ids = [b"the first 12", b"the later 12"]
    connection.send(b"".join(bytes(RFC4571() / peer.check(Iut(), transaction_id=one)) for one in ids))
    for one in reversed(ids):
        other.sendall(bytes(RFC4571() / binding_success(one, connection.local_address, Iut.pwd)))
    connection.send(frame(b""))  # holds no question
    assert [connection.expect(BindingSuccess, within=20).stun.transaction_id for _ in ids] == ids[::-1]


def test_what_came_before_a_question_is_passed_over(peer, pair) -> None:
    connection, other = pair
    other.sendall(bytes(check_of_the_iut(peer)) * 2)
    request = connection.expect(BindingRequest, within=20)
    assert connection.wait_for(BindingRequest, within=20)
    connection.pass_over_all()
    with pytest.raises(Missing):
        connection.expect(BindingRequest, within=0.05)
    other.sendall(bytes(check_of_the_iut(peer, use_candidate=True)))
    assert connection.expect(BindingRequest, within=20).time > request.time


def test_a_nomination_of_before_is_none_of_after(peer, pair) -> None:
    connection, other = pair
    other.sendall(bytes(check_of_the_iut(peer, use_candidate=True)))
    first = connection.expect(BindingRequest, within=20)
    peer.expect_any_nomination()
    with pytest.raises(Missing, match="nominated no pair"):
        peer.expect_any_nomination(after=first)


def test_time_that_passes_gives_a_busy_machine_its_turn(peer, pair, pump) -> None:
    connection, other = pair
    asked = []

    def ask():
        asked.append(time.monotonic())
        return lambda: time.monotonic() > asked[0] + 0.1

    pump.ask = ask
    threading.Timer(0.15, lambda: other.sendall(bytes(check_of_the_iut(peer)))).start()
    peer.wait(0.05)
    assert asked
    assert connection.has(BindingRequest())


def test_an_error_rules_a_success_out_at_once(peer, pair) -> None:
    connection, other = pair
    other.sendall(bytes(RFC4571() / binding_error(ask(peer, connection), 400, "Bad Request", None)))
    with pytest.raises(Failed) as failure:
        connection.expect(BindingSuccess, within=30)
    assert failure.value.expected == "a Binding success response"
    assert failure.value.actual == "a Binding error response 400"


def test_an_error_to_another_request_rules_nothing_out(peer, pair) -> None:
    connection, other = pair
    refused = peer.check(Iut(), transaction_id=b"another one.")
    connection.send(RFC4571() / refused)
    wanted = ask(peer, connection)
    other.sendall(bytes(RFC4571() / binding_error(b"another one.", 400, "Bad Request", None)))
    assert connection.expect(AnyResponse(b"another one."), within=20).error_code.code == 400
    with pytest.raises(Failed, match=r"nothing within|not within"):
        connection.expect(BindingSuccess(wanted), within=0.05)
    other.sendall(bytes(RFC4571() / binding_success(wanted, connection.local_address, Iut.pwd)))
    assert connection.expect(BindingSuccess(wanted), within=20).stun.transaction_id == wanted


@pytest.mark.parametrize(("codes", "fine"), [((400,), True), ((), True), ((400, 401), True), ((401,), False)])
def test_errors_by_their_codes(peer, pair, codes, fine) -> None:
    connection, other = pair
    other.sendall(bytes(RFC4571() / binding_error(ask(peer, connection), 400, "Bad Request", None)))
    if fine:
        assert connection.expect(BindingError(*codes), within=20).error_code.code == 400
    else:
        with pytest.raises(Failed, match="a Binding error response 401 did not come"):
            connection.expect(BindingError(*codes), within=30)


def test_silence_is_told_with_what_came_instead(peer, pair) -> None:
    connection, other = pair
    ask(peer, connection)
    other.sendall(frame(b"\x80data") + frame(b"") + b"\0\5ab")
    with pytest.raises(Failed) as failure:
        connection.expect(AnyResponse, within=0.05)
    assert "a frame of 5 octets that is no STUN message (80 64 61 74 61…), a null frame" in failure.value.actual
    assert "then 4 octets of an unfinished frame" in failure.value.actual
    with pytest.raises(Failed, match=r"nothing within 0.05 s"):
        peer.adopt(
            socket.create_connection(("127.16.200.1", peer.listeners[0].port)), outgoing=True, component=1
        ).expect(Data, within=0.05)


def test_ends_are_events(pair) -> None:
    connection, other = pair
    connection.expect_open(within=0.02)
    with pytest.raises(Failed, match="still open"):
        connection.expect_end(within=0.02)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    other.close()
    assert connection.expect_end(within=20).reset
    with pytest.raises(Failed) as failure:
        connection.expect(BindingSuccess, within=30)
    assert failure.value.actual == "the connection was reset"
    with pytest.raises(Failed):
        connection.expect_open(within=0)
    connection.send(b"into nothing")


def test_closing_half_and_whole(pair) -> None:
    connection, other = pair
    connection.half_close()
    assert other.recv(1) == b""
    other.sendall(frame(b"\x80still here"))
    assert connection.expect(Data, within=20).octets == b"\x80still here"
    connection.close(reset=True)
    connection.close()


def test_data_may_come_in_any_frames(pair) -> None:
    connection, other = pair
    other.sendall(frame(b"\x80a") + frame(b"") + frame(b"bc"))
    assert [f.octets for f in connection.expect_data(b"\x80abc", within=20)] == [b"\x80a", b"bc"]
    other.sendall(frame(b"other"))
    with pytest.raises(Failed) as failure:
        connection.expect_data(b"this", within=30)
    assert failure.value.actual == "1 frames with 5 octets within 30 s: b'other'"


def test_a_receiver_that_does_not_read_does_not_hang_the_script(pair, monkeypatch) -> None:
    monkeypatch.setattr("conformance.peer.connection._STALL", 0.1)
    connection, _ = pair
    connection.send(bytes(16 << 20))


def test_expecting_on_any_connection(peer, pair) -> None:
    connection, other = pair
    other.sendall(bytes(check_of_the_iut(peer)))
    where, request = peer.expect(BindingRequest, within=20)
    assert where is connection
    assert request.stun.is_request
    with pytest.raises(Failed, match="on any connection") as failure:
        peer.expect(BindingRequest(use_candidate=True), within=0.01)
    assert failure.value.actual == "not within 0.01 s on any of 1 connections"


def test_what_came_before_a_restart_fulfils_nothing_after_it(peer, pair) -> None:
    connection, other = pair
    other.sendall(bytes(check_of_the_iut(peer)) + frame(b""))
    assert peer.wait_until(lambda: connection.checked, 1)
    assert connection.has(BindingRequest(to=peer.ufrag))
    assert not connection.has(BindingRequest(to="another"))
    connection.begin_anew()
    assert not connection.checked
    with pytest.raises(Failed, match="a Binding request to "):
        connection.expect(BindingRequest(to=peer.ufrag), within=0.01)
    peer.renew()
    other.sendall(frame(b"") + bytes(check_of_the_iut(peer)))
    assert connection.expect(Payload, within=20).stun.username.startswith(peer.ufrag)


def test_a_connection_that_was_reset_before_we_looked_is_one_with_its_end(peer) -> None:
    listener = peer.listen()
    other = socket.create_connection((peer.address, listener.port), timeout=5, source_address=("127.0.0.1", 0))
    name = other.getsockname()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    other.close()
    connection = peer.expect_connection()
    assert (connection.remote_address.ip, connection.remote_address.port) == name
    assert connection.expect_end(within=20).reset


def test_a_connection_is_not_lost_before_the_iut_has_read_what_it_was_sent(peer, pair) -> None:
    connection, other = pair
    peer.meet(Iut())
    asked = []

    def answer() -> None:
        request = Message.decode(everything(other, 1)[0])
        asked.append(request)
        success = binding_success(request.transaction_id, connection.local_address, Iut.pwd)
        other.sendall(bytes(RFC4571() / success))

    iut = threading.Thread(target=answer)
    iut.start()
    peer.lose(connection, "RST")
    iut.join()
    assert [request.is_request for request in asked] == [True]
    assert not connection.has(BindingSuccess()), "the answer to this check is no later expectation's"
    with pytest.raises(ConnectionResetError):
        other.recv(1)

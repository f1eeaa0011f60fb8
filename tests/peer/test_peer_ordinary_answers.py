"""Silence is excused where ordinary checks meet silence as well; an answer that is wrong is not."""

from __future__ import annotations

import socket
import threading

import pytest
from peer_scripts import Iut, everything

from conformance.suites.checks import expect_answer, expect_refusal
from conformance.verdict import Failed, Inconclusive, Missing
from conformance.wire.layers import RFC4571, binding_error, binding_success
from conformance.wire.stun import Message


class Passive(Iut):
    """An IUT that accepts ordinary connections, and answers checks there as `answer` says, if it is in their `role`."""

    def __init__(self, peer, answer, role="") -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._candidate = peer.candidate("passive", address="127.0.0.1", port=self._listening.getsockname()[1])
        self._answer = answer
        self._role = role
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._listening, self._listening.accept()[0] as connection:
            while octets := connection.recv(4096):
                message = Message.decode(octets[2:])
                heeded = not self._role or getattr(message, f"ice_{self._role}") is not None
                if self._answer is not None and heeded:
                    connection.sendall(bytes(RFC4571() / self._answer(message.transaction_id)))

    def hosts(self, _tcptype=None):
        return [self._candidate]

    def candidate(self, **_wanted):
        return self._candidate


def refusal(identifier: bytes):
    return binding_error(identifier, 400, "Bad Request", None)


def ask(peer, iut, pair, answer) -> None:
    """Send a check on the connection, which is answered so."""
    connection, other = pair
    connection.send(RFC4571() / peer.check(iut))
    (request,) = everything(other, 1)
    if answer is not None:
        other.sendall(bytes(RFC4571() / answer(Message.decode(request).transaction_id)))


@pytest.fixture
def success(pair):
    return lambda identifier: binding_success(identifier, pair[0].local_address, Iut.pwd)


def test_silence_in_a_role_conflict_is_not_excused_by_silence_in_the_same_conflict(peer, pair, success) -> None:
    peer.controlling = True
    iut = Passive(peer, success, role="controlled")  # the role that checks of ours claim that it heeds
    ask(peer, iut, pair, None)
    with pytest.raises(Missing):
        expect_answer(peer, iut, pair[0])


def test_silence_is_excused_by_silence(peer, pair) -> None:
    iut = Passive(peer, None)
    ask(peer, iut, pair, None)
    with pytest.raises(Inconclusive, match=r"an ordinary check on .* is not answered either"):
        expect_answer(peer, iut, pair[0])


def test_silence_is_not_excused_by_answers(peer, pair, success) -> None:
    for answer in (success, refusal):
        iut = Passive(peer, answer)
        ask(peer, iut, pair, None)
        with pytest.raises(Missing):
            expect_answer(peer, iut, pair[0])


def test_a_wrong_answer_is_not_excused_by_silence(peer, pair, success) -> None:
    iut = Passive(peer, None)
    ask(peer, iut, pair, refusal)
    with pytest.raises(Missing, match="a Binding error response 400"):
        expect_answer(peer, iut, pair[0])
    ask(peer, iut, pair, success)
    with pytest.raises(Failed, match="a Binding success response") as raised:
        expect_refusal(peer, iut, pair[0], 401)
    assert not isinstance(raised.value, Missing)  # which a refused check of the IUT's own behind it would explain


def test_a_success_to_a_named_request_is_not_excused_either(peer, pair, success) -> None:
    """werift: a wrong password is answered with success, and now and then an ordinary session goes wrong, too."""
    connection, other = pair
    request = peer.check(Passive(peer, None))
    connection.send(RFC4571() / request)
    everything(other, 1)
    other.sendall(bytes(RFC4571() / success(request.transaction_id)))
    with pytest.raises(Failed, match="a Binding success response") as raised:
        expect_refusal(peer, Passive(peer, None), connection, request=request)
    assert not isinstance(raised.value, Missing)

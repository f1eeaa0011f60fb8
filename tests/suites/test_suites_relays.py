"""What counts as a request that is sent again, and what was under way when the first was answered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.servers import Asked
from conformance.suites.relays import asked_again, needs_asked_again, repeated
from conformance.verdict import Inconclusive, JudgedElsewhere
from conformance.wire.attributes import Attribute
from conformance.wire.stun import Method


class Peer:
    """Waits for nothing."""

    def wait(self, seconds: float) -> None:
        pass


class Server:
    """Has been asked."""

    def __init__(self, *asked: Asked) -> None:
        self.asked = list(asked)

    def requests(self, method: Method) -> list[Asked]:
        return [one for one in self.asked if one.message.method == method]


def allocate(octets: bytes, time: float, connection: object, *, code: int = 403, answered: float = 0.0) -> Asked:
    return Asked(connection, SimpleNamespace(method=Method.ALLOCATE), octets, time, code, answered or time)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("octets", "time", "count"),
    [
        (b"first", 0.63, 0),  # it waited in our socket while we were busy
        (b"first", 1.2, 1),
        (b"other", 0.63, 1),
    ],
)
def test_a_repetition_that_crossed_the_refusal_does_not_follow_from_it(octets, time, count) -> None:
    one, other = object(), object()
    refused = allocate(b"first", 0.1, one, answered=0.62)
    server = Server(refused, allocate(octets, time, one), allocate(b"elsewhere", 2.0, other, code=401))
    assert repeated(Peer(), server, Method.ALLOCATE, 403, within=1) == count  # type: ignore[arg-type]


def test_without_a_refusal_nothing_is_judged() -> None:
    with pytest.raises(Inconclusive):
        repeated(Peer(), Server(), Method.ALLOCATE, 403, within=1)  # type: ignore[arg-type]


def of(connection: object, *, signed: bool, code: int = 0) -> Asked:
    kinds = {Attribute.NONCE} if signed else set()
    message = SimpleNamespace(method=Method.ALLOCATE, has=kinds.__contains__)
    return Asked(connection, message, b"", 0.0, code)  # type: ignore[arg-type]


def test_what_another_connection_learnt_by_a_challenge_does_not_follow_from_a_refusal() -> None:
    """libwebrtc asks from two addresses: the slower one gets the new nonce in its 401, the first asks no more."""
    one, other, third = object(), object(), object()
    begun = [of(one, signed=False, code=401), of(other, signed=False, code=401)]
    refused = of(one, signed=True, code=438)
    elsewhere, again, anew = (of(connection, signed=True) for connection in (other, one, third))

    def following(*asked: Asked) -> list[Asked]:
        return asked_again(Server(*begun, *asked), 438)  # type: ignore[arg-type]

    assert following(refused, elsewhere) == []
    assert following(elsewhere, refused) == []
    assert following(refused, elsewhere, again) == [again]
    assert following(refused, anew) == [anew], "on a new connection, by the nonce of the refusal"
    with pytest.raises(JudgedElsewhere, match=r"RFC8489-9\.2\.5/stale_nonce_is_replaced"):
        needs_asked_again(Server(*begun, refused), 438)  # type: ignore[arg-type]

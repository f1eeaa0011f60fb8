"""An ordinary check tells whether what a case sent is the reason that it was not answered."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from conformance.peer.events import BindingSuccess
from conformance.peer.pixit import Pixit
from conformance.suites.checks import expect_answer
from conformance.verdict import Inconclusive, Missing
from conformance.wire.layers import binding_request


def not_answered(*answered: bool, roles: str, set_aside: Callable[[object], None] = lambda _: None) -> None:
    """Miss an answer to the case's check; of the ordinary checks behind it these are answered, in their order."""
    answers = list(answered)

    def expect(wanted, *, within: float) -> None:
        raise Missing("no answer", expected="one", actual="none", wanted=wanted)

    def wait_for(wanted, *, within: float) -> bool:
        return not isinstance(wanted, BindingSuccess) and answers.pop(0)  # a check in the other role meets 487

    ordinary = SimpleNamespace(component=1, send=lambda _: None, wait_for=wait_for)
    connection = SimpleNamespace(component=1, expect=expect, has=lambda _: False)
    check = binding_request(username="a:b", password="p" * 22, priority=1, transaction_id=bytes(12))
    peer = SimpleNamespace(
        pixit=Pixit(),
        shape=SimpleNamespace(roles=roles),
        controlling=True,
        check=lambda *_, **__: check,
        connect=lambda _: ordinary,
        set_aside=set_aside,
    )
    candidate = SimpleNamespace(component=1)
    iut = SimpleNamespace(hosts=lambda _: [candidate], candidate=lambda **_: candidate)
    expect_answer(peer, iut, connection, check)


def test_an_iut_that_answers_ordinary_checks_has_failed() -> None:
    with pytest.raises(Missing):
        not_answered(True, True, roles="own")


def test_the_connection_of_the_ordinary_check_is_none_of_the_case() -> None:
    """Some agents have one connection only: an ordinary session need not have two because of that check."""
    aside: list[object] = []
    with pytest.raises(Missing):
        not_answered(True, True, roles="own", set_aside=aside.append)
    assert len(aside) == 1


def test_an_iut_that_answers_no_ordinary_check_either_is_not_judged() -> None:
    with pytest.raises(Inconclusive, match="is not answered either"):
        not_answered(False, False, roles="own")


def test_the_check_that_brings_a_role_conflict_to_light_is_no_ordinary_one() -> None:
    """pion: it takes the other role, as it must, but does not answer that check; it answers those behind it."""
    with pytest.raises(Missing):
        not_answered(False, True, True, roles="switched")

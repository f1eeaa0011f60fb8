"""The longest cases begin first, and never have all places while others wait."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from conformance.run import order
from conformance.run.order import Waiting, arranged


def cases(*lengths: float) -> list[Any]:
    return [SimpleNamespace(id=str(number), length=length) for number, length in enumerate(lengths)]


MIXED = cases(0, 3, 0, 46, 5, 0, 8, 9, 0)


def test_the_longest_begin_first_in_three_of_four_places() -> None:
    waiting = Waiting(MIXED, 4)
    assert [waiting.take() for _ in range(4)] == [0, 3, 7, 6]
    assert len(waiting) == 5


def test_a_long_one_follows_when_another_is_over() -> None:
    waiting = Waiting(MIXED, 4)
    begun = [waiting.take() for _ in range(4)]
    waiting.end(begun[0])  # no long one
    assert waiting.take() == 2
    waiting.end(7)
    assert [waiting.take() for _ in range(2)] == [4, 5]


def test_long_ones_have_places_beside_those_of_the_others() -> None:
    waiting = Waiting(cases(*[5] * 5, *[0] * 9), 3, beside=2)
    begun = [waiting.take() for _ in range(5)]
    assert begun == [5, 6, 7, 0, 1]
    assert waiting.take() is None  # others have their three places
    waiting.end(0)
    assert waiting.take() == 2
    waiting.end(6)
    assert [waiting.take() for _ in range(2)] == [8, None]
    assert len(waiting) == 7


def test_how_long_the_longest_still_lasts(monkeypatch) -> None:
    now = [50.0]
    monkeypatch.setattr(order.time, "monotonic", lambda: now[0])
    waiting = Waiting(MIXED, 4)
    assert waiting.left == 0
    assert [waiting.take() for _ in range(3)] == [0, 3, 7]
    assert waiting.left == 46
    now[0] += 6
    assert waiting.left == 40
    waiting.end(3)
    assert waiting.left == 3
    now[0] += 4
    assert waiting.left == 0


def test_with_no_other_left_all_places_are_theirs() -> None:
    waiting = Waiting(cases(3, 2, 1), 2)
    assert [waiting.take() for _ in range(3)] == [0, 1, 2]
    assert not waiting


def test_what_is_left_is_returned_once() -> None:
    waiting = Waiting(MIXED, 4)
    waiting.take()
    assert sorted(waiting.clear()) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert waiting.clear() == []


def test_the_first_verdict_waits_for_no_more_than_a_few_others() -> None:
    waiting = Waiting(cases(*[5] * 100, *[0] * 100), 64)
    assert [number >= 100 for number in (waiting.take() for _ in range(64))] == [True] * 4 + [False] * 48 + [True] * 12


@pytest.mark.parametrize(("places", "ids"), [(1, "376410258"), (4, "037641258"), (64, "025837641")])
def test_an_order_that_is_known_before(places, ids) -> None:
    assert [case.id for case in arranged(MIXED, places)] == [*ids]

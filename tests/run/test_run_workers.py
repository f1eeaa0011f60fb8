"""Threads with a queue: outcomes as they come, an exception as itself, and an end when one is asked for."""

from __future__ import annotations

import threading

import pytest

from conformance.run.workers import Workers


def test_every_item_is_worked_on_once_by_so_many_threads_at_once() -> None:
    meeting = threading.Barrier(4)

    def work(number: int) -> tuple[int, str]:
        meeting.wait(60)
        return number * number, threading.current_thread().name

    outcomes = list(Workers(work, range(12), 4, name="square").outcomes())
    assert sorted(square for square, _ in outcomes) == [n * n for n in range(12)]
    assert {name for _, name in outcomes} <= {f"square-{n}" for n in range(4)}


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(Workers(str, [], 4).outcomes()) == []


def test_an_exception_comes_out_as_itself_and_nothing_more_is_begun() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        return 1 // number

    workers = Workers(work, [3, 0, *range(1, 1000)], 1)
    with pytest.raises(ZeroDivisionError):
        list(workers.outcomes())
    assert workers.stopping.is_set()


def test_after_a_stop_no_item_is_begun() -> None:
    stopping, first = threading.Event(), threading.Event()

    def work(number: int) -> int:
        first.set()
        stopping.wait(60)
        return number

    workers = Workers(work, range(100), 2, stopping=stopping)
    assert first.wait(60)
    stopping.set()
    done = [workers.done.get(timeout=60)]
    assert all(not isinstance(outcome, BaseException) for _, outcome in done)
    for thread in threading.enumerate():
        if thread.name.startswith("worker-"):
            thread.join(60)
    assert workers.done.qsize() <= 1, "two were under way, and one of them has been read"

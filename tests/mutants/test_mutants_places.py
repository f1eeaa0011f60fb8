"""Executions against faults are as many at once as keep the cores busy."""

from __future__ import annotations

import threading

from conformance.mutants import places
from conformance.mutants.places import Places


def test_there_are_more_while_the_cores_are_idle_and_never_fewer_than_the_least() -> None:
    some = Places(16, 32)
    some.adapt(0.05)
    assert some.limit == 16
    for limit in (18, 20, 22):
        some.adapt(0.5)
        assert some.limit == limit
    some.adapt(0.01)
    assert some.limit == 20
    for _ in range(20):
        some.adapt(0.9)
    assert some.limit == 32
    for _ in range(20):
        some.adapt(0.0)
    assert some.limit == 16


def test_who_finds_no_place_waits_for_one(monkeypatch) -> None:
    times = iter([(0, 0), (50, 100), (50, 100)])
    monkeypatch.setattr(places, "_times", lambda: next(times))
    monkeypatch.setattr(places, "_LOOK", 0.0)
    some = Places(1, 2)
    entered, go = threading.Semaphore(0), threading.Semaphore(0)

    def execute() -> None:
        with some:
            entered.release()
            go.acquire()

    threads = [threading.Thread(target=execute) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert entered.acquire(timeout=10)
    assert not entered.acquire(timeout=0.05)
    go.release()  # half of the cores' time was idle: there are two places now
    assert entered.acquire(timeout=10)
    assert entered.acquire(timeout=10)
    assert some.limit == 2
    monkeypatch.setattr(places, "_times", lambda: (50, 100))
    for _ in range(2):
        go.release()
    for thread in threads:
        thread.join()


def test_the_cores_times_are_known(tmp_path, monkeypatch) -> None:
    idle, every = places._times()
    assert 0 <= idle <= every
    monkeypatch.setattr(places.os, "sched_getaffinity", lambda _: {1})
    stat = tmp_path / "stat"
    stat.write_text("cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0\ncpu1 1 2 3 40 5 6 7 8 100 100\nintr 5\n")
    monkeypatch.setattr(places, "_STAT", stat)
    assert places._times() == (45, 72)
    monkeypatch.setattr(places, "_STAT", tmp_path / "none")
    assert places._times() == (0, 0)
    nothing = Places(4, 8)
    nothing._look()
    assert nothing.limit == 4

"""The pump's waits: deadlines that a busy machine does not decide."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from conformance.peer.pump import Aborted, Pump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


class Machine:
    """One on which everything, the adapter's answers too, comes `late` seconds after it was asked for."""

    def __init__(self, late: float) -> None:
        self.late = late
        self.asked = 0
        self.begun = time.monotonic()

    def ask(self) -> Callable[[], bool]:
        self.asked += 1
        due = time.monotonic() + self.late
        return lambda: time.monotonic() >= due

    def since(self, seconds: float) -> bool:
        return time.monotonic() - self.begun >= seconds


@pytest.fixture
def ticking(pump: Pump) -> None:
    """Wakes the pump now and then, as connections and answers do."""

    class Tick:
        def left(self, now: float) -> float:
            return 0.005

        def tick(self, now: float) -> None:
            """Nothing to do."""

    pump.keep_time(Tick())


@pytest.mark.usefixtures("ticking")
def test_what_is_late_with_the_whole_machine_is_waited_for(pump: Pump) -> None:
    machine = Machine(late=0.1)
    pump.ask = machine.ask
    assert pump.wait(lambda: machine.since(0.25), 0.1)
    assert machine.asked


@pytest.mark.usefixtures("ticking")
def test_what_is_late_by_itself_is_not(pump: Pump) -> None:
    machine = Machine(late=0.0)
    pump.ask = machine.ask
    assert not pump.wait(lambda: machine.since(0.4), 0.1)
    assert not machine.since(0.3)
    assert machine.asked == 1


@pytest.mark.usefixtures("ticking")
def test_no_machine_is_slow_for_ever(pump: Pump) -> None:
    machine = Machine(late=0.1)
    pump.ask = machine.ask
    assert not pump.wait(lambda: False, 0.1)
    assert not machine.since(1.0)


@pytest.mark.usefixtures("ticking")
def test_what_must_not_come_has_the_time_to_come(pump: Pump) -> None:
    machine = Machine(late=0.1)
    pump.ask = machine.ask
    assert pump.watch(lambda: machine.since(0.15), 0.1)


@pytest.mark.usefixtures("ticking")
def test_pauses_and_polls_are_exact(pump: Pump) -> None:
    machine = Machine(late=5.0)
    pump.ask = machine.ask
    pump.pause(0.05)
    assert not pump.poll(lambda: False, 0.05)
    assert machine.since(0.1)
    assert not machine.since(0.5)
    assert machine.asked == 0


def test_what_has_come_needs_no_question(pump: Pump) -> None:
    machine = Machine(late=5.0)
    pump.ask = machine.ask
    assert pump.wait(lambda: True, 0.1)
    assert pump.watch(lambda: True, 0.1)
    assert machine.asked == 0


def test_an_interrupted_run_waits_for_nothing(pump: Pump) -> None:
    pump.ask = Machine(late=5.0).ask
    pump.abort()
    for wait in (pump.wait, pump.watch, pump.poll):
        with pytest.raises(Aborted):
            wait(lambda: True, 5.0)

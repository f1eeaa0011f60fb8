"""A finding once more, against the IUT that it was found in or another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.campaign.iut import starter
from fuzz.judging.replay import Known, again, calibrate
from fuzz.judging.runner import Runner

if TYPE_CHECKING:
    from conformance.iut.stacks import Stack
    from fuzz.judging.symptom import Symptom


def replay(known: Known, stack: Stack, times: int) -> list[list[Symptom]]:
    """Play the case of a finding so often, each time in a new process; return what was wrong each time.

    Raises `AdapterError` if the IUT cannot be used.
    """
    runner = Runner(starter(stack))
    try:
        calibrate(runner, known.case["plan"])
        return [again(runner, known) for _ in range(times)]
    finally:
        runner.close()

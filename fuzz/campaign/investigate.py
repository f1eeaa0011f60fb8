"""From a symptom to a finding: which case it was, whether it comes again, and the smallest case that shows it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from conformance.iut.errors import AdapterError
from fuzz.describe import words
from fuzz.findings import Finding
from fuzz.generate import SERVED
from fuzz.minimise import minimise, shrink_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fuzz.campaign.runner import Runner
    from fuzz.oracle import Symptom

Case = dict[str, Any]

_TRIES = {"death": 80, "hang": 24, "spin": 24, "leak": 20, "deaf": 40}
_USUALLY = 60
_AGAIN = 3  # trials of the minimal case that tell its rate
_OFTEN = 5  # trials of a case in whose symptom chance has a part
_CHANCES = (
    "death",
    "exception",
    "answered",
    "media never sent",
)  # kinds whose trials are quick enough for more of them


def join(cases: Sequence[Case]) -> Case:
    """Return one case that does what several did one after the other, in one session."""
    steps: list[dict[str, Any]] = []
    number = 1
    for case in cases:
        own = sorted({on for step in case["steps"] if "on" in step for on in _span(step)} - {0})
        place = {on: number + index for index, on in enumerate(own)}
        number += len(own)
        for step in copy.deepcopy(case["steps"]):
            if step.get("on"):
                step["on"] = place[step["on"]]
            steps.append(step)
        if case is not cases[-1]:
            steps += [{"do": "end", "on": on, "how": "closed"} for on in place.values()]
            if case["plan"]["iut"] == "passive" and case["plan"]["state"] != "early":
                steps.append(dict(SERVED))
    return {"class": cases[-1]["class"], "plan": cases[-1]["plan"], "steps": steps}


def _span(step: dict[str, Any]) -> range:
    return range(step["on"], step["on"] + step.get("count", 1))


class Investigator:
    """Asks the IUT again."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def investigate(self, symptom: Symptom, history: Sequence[Case], before: Sequence[Case] = ()) -> Finding | None:
        """Return the finding behind a symptom that a stage's last case brought up; None if it does not come again."""
        seen = self._question(symptom)
        options = [join(history[-1:]), join(history)] + ([join(before)] if before else [])
        if len(history) > 4:
            options.insert(1, join(history[-3:]))
        case = next((option for option in options for _ in range(2) if seen(option)), None)
        if case is None:
            return None
        return self._finding(symptom, case, seen)

    def leaking(self, symptom: Symptom, stages: Sequence[Sequence[Case]]) -> Finding | None:
        """Return the finding behind growth that some stages brought."""

        def seen(case: Case) -> bool:
            return _has(symptom, self._runner.leak(case))

        for cases in stages:
            if not cases or not seen(join(cases)):
                continue
            kept = shrink_list(list(cases), lambda some: bool(some) and seen(join(some)))
            finding = self._finding(symptom, join(kept or cases), seen)
            if finding is not None:
                finding.repeat = 12
            return finding
        return None

    def spinning(self, symptom: Symptom, stages: Sequence[Sequence[Case]]) -> Finding | None:
        """Return the finding behind a process that is busy with nothing; one of these stages made it so."""

        def busy(some: Sequence[Sequence[Case]]) -> bool:
            runner = self._runner
            runner.fresh()
            for cases in some:
                runner.trial(join(cases))
            return not runner.spoilt and bool(runner.spin())

        suspects = [list(cases) for cases in stages if cases]
        while len(suspects) > 1:
            half = suspects[len(suspects) // 2 :]
            suspects = half if busy(half) else suspects[: len(suspects) // 2]
        if not suspects:
            return None
        cases = suspects[0]
        while len(cases) > 1:
            later = cases[len(cases) // 2 :]
            cases = later if busy([later]) else cases[: len(cases) // 2]
        if not busy([cases]):
            return None
        return self._finding(symptom, join(cases), lambda case: busy([[case]]))

    def _question(self, symptom: Symptom) -> Callable[[Case], bool]:
        def seen(case: Case) -> bool:
            try:
                return _has(symptom, self._runner.trial(case))
            except AdapterError:
                return False

        return seen

    def _finding(self, symptom: Symptom, case: Case, seen: Callable[[Case], bool]) -> Finding | None:
        trials = 1 if symptom.kind in ("spin", "leak") else _AGAIN
        smaller, shown = self._smaller(symptom, case, seen, trials)
        if not all(shown) and symptom.kind in _CHANCES:
            steady = all(seen(case) for _ in range(trials))
            smaller, shown = self._smaller(symptom, case, _each(seen) if steady else _some(seen), trials)
        if not any(shown):
            smaller, shown = case, [seen(case) for _ in shown]
        if not any(shown):
            return None
        return Finding(
            symptom.kind,
            symptom.cause,
            symptom.text,
            sorted(words(smaller)),
            smaller,
            rate=f"{sum(shown)}/{len(shown)}",
            stderr=self._runner.iut.last_words()[-60:],
            original=case if case != smaller else {},
        )

    def _smaller(
        self, symptom: Symptom, case: Case, holds: Callable[[Case], bool], trials: int
    ) -> tuple[Case, list[bool]]:
        """Return the smallest case that still does it, and which of some trials of it did."""
        runner = self._runner
        runner.quick = symptom.kind in ("hang", "deaf", "closed", "silence")
        smaller = minimise(copy.deepcopy(case), holds, _TRIES.get(symptom.kind, _USUALLY))
        runner.quick = False
        seen = self._question(symptom) if trials > 1 else holds
        return smaller, [seen(smaller) for _ in range(trials)]


def _each(seen: Callable[[Case], bool]) -> Callable[[Case], bool]:
    """For what comes each time: a smaller case that does it by chance has lost what it needs."""
    return lambda case: all(seen(case) for _ in range(_OFTEN))


def _some(seen: Callable[[Case], bool]) -> Callable[[Case], bool]:
    """For what comes now and then: it is not made smaller by what it happened not to come for."""
    return lambda case: any(seen(case) for _ in range(_OFTEN))


def _has(symptom: Symptom, found: Sequence[Symptom]) -> bool:
    return any((other.kind, other.cause) == (symptom.kind, symptom.cause) for other in found)

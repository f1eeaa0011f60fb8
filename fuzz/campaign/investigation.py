"""From a symptom to a finding: which case it was, whether it comes again, and the smallest case that shows it."""

from __future__ import annotations

import contextlib
import copy
import math
import time
from typing import TYPE_CHECKING, Any

from conformance.iut.errors import AdapterError
from fuzz.describe import words
from fuzz.findings import Finding
from fuzz.generate import SERVED
from fuzz.judging.growth import LEAKS
from fuzz.judging.symptom import CERTAIN
from fuzz.minimise import minimise, shrink_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fuzz.judging.runner import Runner
    from fuzz.judging.symptom import Symptom

Case = dict[str, Any]

_TRIES = {"death": 80, "hang": 24, "spin": 24, "leak": 20, "deaf": 40}
_USUALLY = 60
_AGAIN = 3  # trials of the minimal case that tell its rate
_OFTEN = 5  # trials of a case in whose symptom chance has a part
_SELDOM = 24  # questions while such a case is made smaller: each takes several trials
_RARE = 10  # trials that tell the rate of what seldom comes
_SLOW = ("death", "exception", "leak", "spin")  # kinds that shorter deadlines might hide: last words take a while,
_BRIEF = 0.3  # seconds; if they took no more than that when they came again, shorter deadlines will do
_PATIENT = 40.0  # seconds for minimising, and for finding the cases that let something grow
_SOME = 4  # cases; of more, that memory grows with them says no more than that a heap grows
_FEW = 4  # repetitions that show a growth which is counted, until the smallest case has to show it in full
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
    """Asks the IUT again. ``slips`` says whether a case already leads to an earlier finding.

    Minimising must not turn a case into one of those: what it then shows may belong to the earlier finding.
    ``trials``: how often the IUT was asked in the last investigation.
    """

    def __init__(
        self,
        runner: Runner,
        slips: Callable[[Symptom, Case], bool] = lambda symptom, case: False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._runner, self._slips, self._stopped = runner, slips, stopped
        self.trials = 0

    def investigate(self, symptom: Symptom, history: Sequence[Case], before: Sequence[Case] = ()) -> Finding | None:
        """Return the finding behind a symptom that the last case showed; None if it does not come again."""
        self.trials = 0
        seen = self._question(symptom)
        options = [join(history[-1:]), join(history)] + ([join(before)] if before else [])
        if len(history) > 4:
            options.insert(1, join(history[-3:]))
        for case in options:
            for _ in range(2):
                begun = time.monotonic()
                if seen(case):
                    return self._finding(symptom, case, seen, brief=time.monotonic() - begun < _BRIEF)
        return None

    def leaking(self, symptom: Symptom, sessions: Sequence[Sequence[Case]]) -> Finding | None:
        """Return the finding behind growth during some sessions."""
        self.trials = 0
        repeat = LEAKS if symptom.cause == "memory" else _FEW  # what is counted needs no more to be seen

        def seen(case: Case) -> bool:
            self.trials += 1
            with _haste(self._runner):
                return _has(symptom, self._runner.leak(case, repeat))

        until = time.monotonic() + _PATIENT
        for cases in sessions:
            self._runner.until = until
            try:
                found = bool(cases) and seen(join(cases))
                kept = shrink_list(list(cases), lambda some: bool(some) and seen(join(some))) if found else []
            finally:
                self._runner.until = math.inf
            if not found or (symptom.cause == "memory" and len(kept) > _SOME):
                continue
            finding = self._finding(symptom, join(kept or cases), seen)
            if finding is not None and _has(symptom, self._runner.leak(finding.case, finding.repeat)):
                return finding
        return None

    def spinning(self, symptom: Symptom, sessions: Sequence[Sequence[Case]]) -> Finding | None:
        """Return the finding behind a process that spins since one of these sessions."""
        self.trials = 0

        def busy(some: Sequence[Sequence[Case]]) -> bool:
            runner = self._runner
            self.trials += 1
            runner.fresh()
            with _haste(runner):  # that it may be deaf as well is not what is asked
                for cases in some:
                    runner.trial(join(cases))
            return runner.iut.usable and bool(runner.spin())

        suspects = [list(cases) for cases in sessions if cases]
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
            self.trials += 1
            try:
                return _has(symptom, self._runner.trial(case))
            except AdapterError:
                return False

        return seen

    def _finding(
        self, symptom: Symptom, case: Case, seen: Callable[[Case], bool], *, brief: bool = False
    ) -> Finding | None:
        trials = 1 if symptom.kind in ("spin", "leak") else _AGAIN
        smaller, shown = self._smaller(symptom, case, seen, trials, brief)
        if not all(shown) and symptom.kind in _CHANCES:
            hits = sum(seen(case) for _ in range(_OFTEN))
            if hits:
                holds = _each(seen) if hits == _OFTEN else _some(seen)
                smaller, shown = self._smaller(symptom, case, holds, trials, brief, _SELDOM)
        if not any(shown):
            smaller, shown = case, [seen(case) for _ in range(trials)]
        if not any(shown) and symptom.kind in CERTAIN:
            shown = [True, *shown, *(seen(case) for _ in range(_RARE - trials))]  # the reproduction counts
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
            repeat=LEAKS if symptom.kind == "leak" else 1,
        )

    def _smaller(
        self, symptom: Symptom, case: Case, holds: Callable[[Case], bool], trials: int, brief: bool, most: int = 0
    ) -> tuple[Case, list[bool]]:
        """Return the smallest case that still does it, and which of some trials of it did."""
        runner = self._runner
        slips, until = self._slips(symptom, case), time.monotonic() + _PATIENT

        def asked(one: Case) -> bool:
            if self._stopped() or time.monotonic() > until:
                return False
            return (slips or not self._slips(symptom, one)) and holds(one)

        if symptom.kind == "leak":
            runner.until = time.monotonic() + _PATIENT
        with _haste(runner, brief or symptom.kind not in _SLOW):
            smaller = minimise(copy.deepcopy(case), asked, most or _TRIES.get(symptom.kind, _USUALLY))
        runner.until = math.inf
        seen = self._question(symptom) if trials > 1 else holds
        shown = [seen(smaller)]  # with the deadlines of the campaign, once: what is not answered takes all of them
        with _haste(runner, symptom.kind in ("hang", "deaf", "silence")):
            shown += [seen(smaller) for _ in range(trials - 1)]
        return smaller, shown


@contextlib.contextmanager
def _haste(runner: Runner, wanted: bool = True) -> Iterator[None]:
    """Let an IUT have shorter deadlines, if wanted, for what is done within."""
    before, runner.quick = runner.quick, wanted
    try:
        yield
    finally:
        runner.quick = before


def _each(seen: Callable[[Case], bool]) -> Callable[[Case], bool]:
    """For what comes each time: a smaller case that does it by chance has lost what it needs."""
    return lambda case: all(seen(case) for _ in range(_OFTEN))


def _some(seen: Callable[[Case], bool]) -> Callable[[Case], bool]:
    """For what comes now and then: it is not made smaller by what it happened not to come for."""
    return lambda case: any(seen(case) for _ in range(_OFTEN))


def _has(symptom: Symptom, found: Sequence[Symptom]) -> bool:
    return any((other.kind, other.cause) == (symptom.kind, symptom.cause) for other in found)

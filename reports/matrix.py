"""The suite over many implementations: requirement by implementation, from the records of their runs.

A cell is a deviation if any variant of it failed, whatever passed. What was never judged says why. A requirement that
every implementation fails is marked: then the oracle is asked first whether it is wrong.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.verdict import Level, Result, Verdict, case_name, is_rule
from reports.expectations import SECTION
from reports.reach import general

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reports.record import RunInfo

_OWN = "reference"  # agents of icetcp, which were written by the same hands as the oracle
_LEAST = 2  # implementations that must have failed before the oracle is asked
_CASES_KEPT = 3  # reasons of a cell that is not judged
ASK = "every implementation that was judged, but for icetcp's own, fails this: ask first whether the oracle is wrong"


class State(enum.StrEnum):
    """What a cell tells."""

    MUST = "MUST broken"  # a MUST, or what the RFC states without a keyword
    SHOULD = "SHOULD not met"
    PASS = "pass"
    CHOICE = "lawful choice"
    NOT_JUDGED = "not judged"
    NOT_RUN = "not run"


@dataclass(slots=True)
class CaseSum:
    """The variants of one case for one implementation: how many came to each verdict, and the first that failed."""

    case: str
    verdicts: Counter[str] = field(default_factory=Counter)
    reason: str = ""
    first: str = ""  # the variant that the reason is of
    level: Level = Level.MUST
    known: str = ""

    @property
    def verdict(self) -> str:
        """The worst of its verdicts."""
        return next(word for word in ("fail", "error", "inconc", "none", "pass", "n/a") if self.verdicts[word])

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "verdict": self.verdict,
            "variants": dict(self.verdicts),
            "reason": self.reason,
            "first": self.first,
            "known": self.known,
        }


@dataclass(slots=True)
class Cell:
    """What one implementation does about one requirement."""

    state: State
    why: str = ""
    cases: dict[str, CaseSum] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether each of its failures is known."""
        failing = [case for case in self.cases.values() if case.verdict == "fail"]
        return bool(failing) and all(case.known for case in failing)

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "state": self.state.value,
            "why": self.why,
            "known": self.known,
            "cases": {name: case.data() for name, case in self.cases.items()},
        }


@dataclass(slots=True)
class Row:
    """A requirement with a cell for each implementation. ``ask``: every one of them fails it."""

    requirement: str
    cells: dict[str, Cell]
    ask: bool = False

    @property
    def judged(self) -> bool:
        """Whether any implementation was judged by it."""
        return any(cell.state not in (State.NOT_JUDGED, State.NOT_RUN) for cell in self.cells.values())


@dataclass(slots=True)
class Run:
    """One implementation's run. ``trouble``: why there is none, or why it is not whole."""

    name: str
    info: RunInfo | None
    results: Sequence[Result] = ()
    trouble: str = ""
    folder: str = ""
    last_words: str = ""

    @property
    def incidents(self) -> Sequence[str]:
        """What its adapter did against the contract."""
        return self.info.incidents if self.info else ()


def rows(runs: Sequence[Run], requirements: Iterable[str]) -> list[Row]:
    """Return a row for each of these requirements, in their order, that any case of the runs cites."""
    cited = {run.name: _by_requirement(run.results) for run in runs}
    found = []
    for requirement in requirements:
        if not any(requirement in by for by in cited.values()):
            continue
        cells = {run.name: _cell(cited[run.name].get(requirement, ()), run) for run in runs}
        found.append(Row(requirement, cells, _all_fail(cells)))
    return found


def failing_everywhere(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the cases that every implementation fails that could be judged by them, with who that is."""
    judged: dict[str, dict[str, bool]] = {}
    for run in _others(runs):
        for result in run.results:
            if (
                result.verdict in (Verdict.PASS, Verdict.FAIL)
                and not is_rule(result.case)
                and result.section != SECTION
            ):
                fails = judged.setdefault(case_name(result.case), {})
                fails[run.name] = fails.get(run.name, False) or result.verdict is Verdict.FAIL
    return {
        case: sorted(fails) for case, fails in sorted(judged.items()) if len(fails) >= _LEAST and all(fails.values())
    }


def _others(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if not run.name.startswith(_OWN)]


def data(runs: Sequence[Run], found: Sequence[Row], titles: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the matrix for JSON; `titles` are level and title by requirement."""
    return {
        "implementations": {
            run.name: {
                "version": run.info.iut_version if run.info else "",
                "icetcp": run.info.icetcp_version if run.info else "",
                "started": run.info.started if run.info else 0,
                "folder": run.folder,
                "trouble": run.trouble,
                "incidents": list(run.incidents),
                "counts": counts(run.name, found),
            }
            for run in runs
        },
        "requirements": {
            row.requirement: {
                "level": titles[row.requirement][0],
                "title": titles[row.requirement][1],
                "ask": ASK if row.ask else "",
                "cells": {name: cell.data() for name, cell in row.cells.items()},
            }
            for row in found
        },
        "cases_that_all_fail": failing_everywhere(runs),
    }


def counts(name: str, found: Iterable[Row]) -> dict[str, int]:
    """Return how many requirements have each state for an implementation."""
    states = Counter(row.cells[name].state for row in found)
    return {state.value: states[state] for state in State}


def _by_requirement(results: Iterable[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        if result.section == SECTION:
            continue
        for requirement in result.requirements[:1]:  # the sentence that the case tests; others import it
            found.setdefault(requirement, []).append(result)
    return found


def _cell(results: Sequence[Result], run: Run) -> Cell:
    if run.info is None or not run.results:
        return Cell(State.NOT_RUN, run.trouble)
    if not results:
        return Cell(State.NOT_JUDGED, run.trouble or "no case of this run asks for it")
    cases = _cases(results)
    failed = [result for result in results if result.verdict is Verdict.FAIL]
    if failed:
        level = min((result.level for result in failed), key=list(Level).index)
        state = State.MUST if level.binding else State.SHOULD if level is Level.SHOULD else State.CHOICE
        first = next(result for result in failed if result.level is level)
        return Cell(state, first.reason, cases)
    passed = [result for result in results if result.verdict is Verdict.PASS]
    readings = [result.note for result in passed if result.note and not result.known]
    if passed:
        return Cell(State.CHOICE if readings else State.PASS, readings[0] if readings else "", cases)
    reasons = Counter(f"{result.verdict.value}: {general(result.reason)}" for result in results)
    return Cell(State.NOT_JUDGED, "; ".join(text for text, _ in reasons.most_common(_CASES_KEPT)), cases)


def _cases(results: Iterable[Result]) -> dict[str, CaseSum]:
    found: dict[str, CaseSum] = {}
    order = [Verdict.FAIL, Verdict.ERROR, Verdict.INCONC, Verdict.NONE, Verdict.NOT_APPLICABLE, Verdict.PASS]
    for result in sorted(results, key=lambda result: order.index(result.verdict)):
        name = case_name(result.case)
        case = found.setdefault(name, CaseSum(name, level=result.level))
        case.verdicts[result.verdict.value] += 1
        if not case.first:
            case.first, case.reason, case.known = result.case, result.reason, result.known
    return dict(sorted(found.items()))


def _all_fail(cells: Mapping[str, Cell]) -> bool:
    """Whether every implementation that was judged fails; one alone is no reason to doubt the oracle."""
    judged = {name: cell.state for name, cell in cells.items() if cell.state not in (State.NOT_JUDGED, State.NOT_RUN)}
    states = [state for name, state in judged.items() if not name.startswith(_OWN)]
    return len(states) >= _LEAST and all(state in (State.MUST, State.SHOULD) for state in states)

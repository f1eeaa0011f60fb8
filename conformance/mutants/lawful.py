"""Lawful variations of the reference agent, drawn by Hypothesis: no case at MUST may fail one.

Each case meets variations of its own. One that fails is shrunk to the differences that matter, by leaving out one after
the other: what Hypothesis would do with the whole case for a property, over dozens of sockets and seconds, is done here
at the price of one execution a difference.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from conformance.agent.variation import NAMES
from conformance.run.interrupts import held, taken
from conformance.run.workers import Workers
from conformance.verdict import ExitStatus, Result, Verdict
from reports.record import cannot_write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from conformance.mutants.execution import Bench
    from conformance.run.engine import Case

Variation = dict[str, Any]
AT_ONCE = 32  # cases; a variation may take all the time that a deadline leaves, so these are fewer than a run's


@dataclass(frozen=True, slots=True)
class Finding:
    """A lawful variation under which a case comes to another verdict than it should."""

    case: str
    variation: Variation
    result: Result
    seed: int

    @property
    def repeat(self) -> str:
        """The command that executes exactly this."""
        variation = shlex.quote(json.dumps(self.variation))
        return f"icetcp mutants --lawful --variation {variation} --case {shlex.quote(self.case)}"


@dataclass(slots=True)
class Lawful:
    """What a run found. ``executed`` counts executions, ``weaker`` those that failed below MUST, as they may."""

    seed: int
    executed: int = 0
    weaker: int = 0
    findings: list[Finding] = field(default_factory=list)
    interrupted: bool = False
    incidents: list[str] = field(default_factory=list)  # what the agent did against the adapter contract

    def status(self) -> ExitStatus:
        """Return 1 for a lawful agent that failed, 3 for one that could not be judged, 0 for neither."""
        if any(finding.result.verdict is Verdict.FAIL for finding in self.findings):
            return ExitStatus.DOES_NOT_CONFORM
        not_judged = self.findings or self.interrupted or self.incidents or not self.executed
        return ExitStatus.COULD_NOT_JUDGE if not_judged else ExitStatus.CONFORMS


def variations() -> st.SearchStrategy[Variation]:
    """Return the strategy: a few of the agent's ways to differ at a time."""
    names = st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=8, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: _values(name) for name in chosen}))


def draw(count: int, number: int) -> list[Variation]:
    """Return so many variations, the same for the same number."""
    drawn: list[Variation] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(variations())
    def gather(variation: Variation) -> None:
        drawn.append(variation)

    gather()
    return drawn


def _values(name: str) -> st.SearchStrategy[Any]:
    default, metadata = NAMES[name].default, NAMES[name].metadata
    if isinstance(default, bool):
        return st.just(True)
    low, high = metadata["low"], metadata["high"]
    if isinstance(default, int):
        return st.integers(low, high)
    return st.integers(round(low * 1000), round(high * 1000)).map(lambda milliseconds: milliseconds / 1000)


def unlawful(result: Result) -> bool:
    """Whether a verdict on a lawful agent is wrong: a binding failure, or none where there should be one."""
    if result.verdict is Verdict.FAIL:
        return result.level.binding
    return result.verdict in (Verdict.INCONC, Verdict.ERROR, Verdict.NONE)


def run(
    cases: Sequence[Case],
    bench: Bench,
    found: Lawful,
    drawn: Sequence[Variation],
    *,
    jobs: int = AT_ONCE,
    progress: Callable[[str, Result], None] = lambda _name, _result: None,
) -> None:
    """Let each case meet its share of the variations. An interrupt comes out; what was found is in `found`."""
    execute(shared(cases, drawn), bench, found, jobs=jobs, progress=progress)


def shared(cases: Sequence[Case], drawn: Sequence[Variation]) -> list[tuple[Case, Sequence[Variation]]]:
    """Return each case with its share of the variations."""
    return [(case, drawn[number :: len(cases)]) for number, case in enumerate(cases)]


def execute(
    shares: Sequence[tuple[Case, Sequence[Variation]]],
    bench: Bench,
    found: Lawful,
    *,
    jobs: int = AT_ONCE,
    progress: Callable[[str, Result], None] = lambda _name, _result: None,
) -> None:
    """Let each case meet the variations beside it; see `run`."""

    def work(share: tuple[Case, Sequence[Variation]]) -> None:
        case, mine = share
        _Search(case, bench, found, progress).run(mine)

    workers = Workers(work, shares, jobs, name="variation")
    try:
        with held(lambda: workers.end(taken())):
            for _ in workers.outcomes():
                pass
    except BaseException:
        bench.stop()
        raise


class _Search:
    """One case and the variations that it meets."""

    def __init__(self, case: Case, bench: Bench, found: Lawful, progress: Callable[[str, Result], None]) -> None:
        self._case = case
        self._bench = bench
        self._found = found
        self._progress = progress

    def run(self, drawn: Sequence[Variation]) -> None:
        """Execute the case against each variation until one fails it, twice; shrink that one."""
        for variation in drawn:
            if unlawful(self._execute(variation)) and unlawful(result := self._execute(variation)):
                smallest = self._shrink(variation, result)
                self._found.findings.append(Finding(self._case.id, *smallest, self._found.seed))
                return

    def _shrink(self, variation: Variation, result: Result) -> tuple[Variation, Result]:
        for name in list(variation):
            without = {other: value for other, value in variation.items() if other != name}
            again = self._execute(without)
            if unlawful(again):
                variation, result = without, again
        return variation, result

    def _execute(self, variation: Variation) -> Result:
        result = once(self._case, self._bench, variation)
        self._found.executed += 1
        self._found.weaker += result.verdict is Verdict.FAIL and not result.level.binding
        self._progress("", result)
        return result


def once(case: Case, bench: Bench, variation: Mapping[str, Any]) -> Result:
    """Execute a case against one variation."""
    result = bench.run(case, variation=variation)
    bench.tidy(result)
    return result


def write(out: Path, found: Lawful) -> list[Path]:
    """Write lawful.json; return its path. Raises `ReportError`."""
    path = out / "lawful.json"
    data = {
        "seed": found.seed,
        "interrupted": found.interrupted,
        "incidents": found.incidents,
        "executed": found.executed,
        "failed_below_must": found.weaker,
        "findings": [
            {
                "case": finding.case,
                "requirements": finding.result.requirements,
                "variation": finding.variation,
                "verdict": finding.result.verdict.value,
                "reason": finding.result.reason,
                "repeat": finding.repeat,
            }
            for finding in found.findings
        ],
    }
    try:
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from None
    return [path]

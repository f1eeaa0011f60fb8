"""What to execute, in which order, and what is looked at twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.mutants.execution import AT_ONCE, CALM
from conformance.mutants.matrix import KillMatrix, Row, cited_by, related, representatives, usual_variants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.agent.faults import Fault
    from conformance.mutants.execution import Bench
    from conformance.run.engine import Case
    from conformance.verdict import Result


@dataclass(frozen=True, slots=True)
class Plan:
    """Which faults meet which cases. ``every`` is the whole suite, `cases` those that were asked for.

    ``quick``: a fault meets the usual variants of the cases of its requirement; otherwise all variants of these and one
    of every other case.
    """

    faults: Sequence[Fault]
    cases: Sequence[Case]
    every: Sequence[Case]
    quick: bool = False

    def pairs(self) -> Iterator[tuple[Case, str]]:
        """Return what is to be executed, what tells most first: an interrupted run has judged most faults."""
        cases = usual_variants(self.cases) if self.quick else self.cases
        yield from ((case, "") for case in cases)
        for fault in self.faults:
            yield from ((case, fault.name) for case in related(fault, cases))
        if not self.quick:
            others = representatives(self.cases)
            for fault in self.faults:
                yield from ((case, fault.name) for case in others if fault.requirement not in case.requirements)

    def rows(self, matrix: KillMatrix) -> list[Row]:
        """Return what each fault came to."""
        cited = cited_by(self.every)
        return [matrix.row(fault, cited) for fault in self.faults]


def run(
    plan: Plan,
    bench: Bench,
    matrix: KillMatrix,
    *,
    jobs: int = AT_ONCE,
    begin: Callable[[str, int], None] = lambda _what, _count: None,
    progress: Callable[[str, Result], None] = lambda _fault, _result: None,
) -> int:
    """Execute the plan into the matrix; return how many executions were looked at twice.

    A verdict that is not what it should be may be the load's of so many cases at once: what is unexpected is executed
    once more with few at once, and the second verdict stands.
    """
    pairs = list(plan.pairs())
    begin("faults meet cases", len(pairs))
    bench.execute(pairs, matrix, jobs=jobs, progress=progress)
    by_id = {case.id: case for case in plan.cases}
    again = [(by_id[case], fault) for fault, case in matrix.doubtful(plan.faults, cited_by(plan.every))]
    if again:
        begin("a second look, with few at once", len(again))
        bench.execute(again, matrix, jobs=min(jobs, CALM), progress=progress)
    return len(again)

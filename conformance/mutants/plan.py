"""What to execute, in which order, and what is looked at twice."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from conformance.mutants.execution import AT_ONCE, CALM
from conformance.mutants.matrix import (
    KillMatrix,
    Row,
    Standing,
    by_case,
    cited_by,
    related,
    representatives,
    usual_variants,
)
from conformance.mutants.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.agent.faults import Fault
    from conformance.run.engine import Case
    from conformance.verdict import Result


_LONG = 5.0  # seconds


class Bench(Protocol):
    """What executes cases: the agent on this machine, or on those of a cluster."""

    def execute(
        self,
        pairs: Sequence[tuple[Case, str]],
        matrix: KillMatrix,
        *,
        jobs: Any = ...,
        progress: Callable[[str, Result], None] = ...,
    ) -> None:
        """Execute each (case, fault name; "": none) and put the verdicts into the matrix as they come."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which faults meet which cases. ``every`` is the whole suite, `cases` those that were asked for.

    ``quick``: a fault meets the usual variants of the cases of its requirement; otherwise all variants of these and one
    of every other case, on a side of offer and answer that is drawn from the names of both, so that over all faults a
    case is met on each. Those that watch a long clock are left out: half a minute for each fault would make hours.
    """

    faults: Sequence[Fault]
    cases: Sequence[Case]
    every: Sequence[Case]
    quick: bool = False

    @property
    def variants(self) -> Sequence[Case]:
        """What is executed of the cases that were asked for."""
        return usual_variants(self.cases) if self.quick else self.cases

    def pairs(self) -> Iterator[tuple[Case, str]]:
        """Return what faults are to meet, what tells most first: an interrupted run has judged most faults."""
        for fault in self.faults:
            yield from ((case, fault.name) for case in related(fault, self.variants))
        if not self.quick:
            others = by_case(case for case in representatives(self.cases) if case.watches <= _LONG)
            for fault in self.faults:
                for name, sides in others.items():
                    if fault.requirement not in sides[0].requirements:
                        yield sides[_drawn(fault.name, name, len(sides))], fault.name

    def rows(self, matrix: KillMatrix) -> list[Row]:
        """Return what each fault came to."""
        cited = cited_by(self.every)
        return [matrix.row(fault, cited) for fault in self.faults]


def _drawn(fault: str, case: str, count: int) -> int:
    """Return which of so many variants of a case a fault meets: the same one in each run."""
    return zlib.crc32(f"{fault} {case}".encode()) % count


def run(
    plan: Plan,
    bench: Bench,
    matrix: KillMatrix,
    *,
    jobs: int | Places = AT_ONCE,
    begin: Callable[[str, int], None] = lambda _what, _count: None,
    progress: Callable[[str, Result], None] = lambda _fault, _result: None,
) -> int:
    """Execute the plan into the matrix; return how many executions were looked at twice.

    A verdict that is not what it should be may be the load's of so many cases at once: what is unexpected is executed
    once more with few at once, and the second verdict stands. The healthy agent's at once: where its sessions show that
    a fault could change nothing, the case is not executed with it, and a case that did not pass shows nothing. But if
    nothing kills a fault, all cases of its requirement are executed, in all their variants: over IPv6, say, or for the
    second component.
    """
    calm = CALM if isinstance(jobs, Places) else min(jobs, CALM)
    begin("the healthy agent meets cases", len(plan.variants))
    longest_first = sorted(plan.variants, key=lambda case: -case.length)
    bench.execute([(case, "") for case in longest_first], matrix, jobs=jobs, progress=progress)
    unhealthy = {result.case for result in matrix.unhealthy()}
    if unhealthy:
        doubted = [(case, "") for case in plan.variants if case.id in unhealthy]
        begin("a second look at the healthy agent", len(doubted))
        bench.execute(doubted, matrix, jobs=calm, progress=progress)
    pairs = list(plan.pairs())
    wanted = [(case, fault) for case, fault in pairs if matrix.could_change(fault, case.id)]
    matrix.skipped |= {(fault, case.id) for case, fault in pairs if not matrix.could_change(fault, case.id)}
    begin("faults meet cases", len(wanted))
    bench.execute(wanted, matrix, jobs=jobs, progress=progress)
    again = _doubtful(plan, matrix)
    if again:
        begin("a second look, with few at once", len(again))
        bench.execute(again, matrix, jobs=calm, progress=progress)
    return len(unhealthy) + len(again)


def _doubtful(plan: Plan, matrix: KillMatrix) -> list[tuple[Case, str]]:
    found = [(case, fault) for fault, case in matrix.doubtful(plan.faults, cited_by(plan.every))]
    for row in plan.rows(matrix):
        if row.standing is Standing.SURVIVED:
            found += [(case.id, row.fault.name) for case in related(row.fault, plan.cases)]
    matrix.skipped -= {(fault, case) for case, fault in found}
    by_id = {case.id: case for case in plan.cases}
    again = [(by_id[case], fault) for case, fault in dict.fromkeys(found)]
    return sorted(again, key=lambda pair: -pair[0].length)

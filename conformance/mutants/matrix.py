"""The kill matrix: which fault fails which case, and what each fault's row comes to."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.agent.faults import FAULTS
from conformance.catalogue import REQUIREMENTS
from conformance.mutants.reach import breaks, reason
from conformance.suites.dimensions import case_name, usual_form
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.agent.faults import Fault
    from conformance.run.engine import Case
    from conformance.verdict import Result


class Standing(enum.StrEnum):
    """What the suite makes of a fault."""

    KILLED = "killed"
    ACCIDENT = "by accident"  # cases of other requirements fail too, and nothing says why
    SURVIVED = "survived"
    NO_CASE = "no case"  # no case cites its requirement
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Row:
    """One fault's row. ``cases`` were executed of its requirement; the rest are results of failed cases."""

    fault: Fault
    standing: Standing
    cases: int
    killers: Sequence[Result]
    explained: Sequence[Result]
    accidents: Sequence[Result]


@dataclass(frozen=True, slots=True)
class Naming:
    """How many failing verdicts stand under a requirement that is broken, and which cases fail under others.

    A case counts once on each side, however many variants of it were executed: those of the fault's own requirement
    are in all variants, the others in one. ``own`` counts cases that cite the fault's requirement, or one that says the
    same; ``also`` those of requirements that the same deed breaks, as `reach` says; ``foreign`` those of each other
    case.
    """

    own: int
    also: int
    foreign: Counter[str]

    @property
    def total(self) -> int:
        """How many failing verdicts there are."""
        return self.own + self.also + self.foreign.total()

    @property
    def share(self) -> float:
        """The part of them that stands under the fault's own requirement; 1 where nothing failed."""
        return self.own / self.total if self.total else 1.0

    @property
    def true(self) -> float:
        """The part of them that stands under a requirement that is broken; 1 where nothing failed."""
        return (self.own + self.also) / self.total if self.total else 1.0


@dataclass(slots=True)
class KillMatrix:
    """The verdict of every executed (fault, case); the fault "" is the healthy agent.

    ``results``: by fault, then by case. ``observed``: by case, the faults that could change its verdict, as the
    healthy agent's sessions show; None: any could. ``skipped`` has the executions (fault, case) left out because they
    could not.
    """

    results: dict[str, dict[str, Result]] = field(default_factory=dict)
    observed: dict[str, frozenset[str] | None] = field(default_factory=dict)
    skipped: set[tuple[str, str]] = field(default_factory=set)

    def add(self, fault: str, result: Result) -> None:
        """Keep the result of a case on a fault, in place of an earlier one."""
        self.results.setdefault(fault, {})[result.case] = result

    def update(self, other: KillMatrix) -> None:
        """Keep the results of another matrix, in place of earlier ones."""
        for fault, found in other.results.items():
            self.results.setdefault(fault, {}).update(found)

    @property
    def executions(self) -> int:
        """How many (fault, case) have been executed."""
        return sum(map(len, self.results.values()))

    def of(self, fault: str) -> list[Result]:
        """Return the results of a fault in the order of their cases' names, whichever was executed first."""
        found = self.results.get(fault, {})
        return [found[case] for case in sorted(found)]

    def killers(self, fault: Fault) -> list[Result]:
        """Return the failed cases of a fault that cite its requirement."""
        return [result for result in self._failed(fault.name) if fault.requirement in result.requirements]

    def collateral(self, fault: Fault) -> list[Result]:
        """Return the failed cases of a fault that do not cite its requirement."""
        return [result for result in self._failed(fault.name) if fault.requirement not in result.requirements]

    def row(self, fault: Fault, cited: Iterable[str]) -> Row:
        """Return what a fault came to; `cited` are the requirements that the suite has cases for."""
        mine = self.of(fault.name)
        killers, collateral = self.killers(fault), self.collateral(fault)
        explained = [result for result in collateral if reason(fault, result.requirements)]
        accidents = [result for result in collateral if result not in explained]
        executed = sum(fault.requirement in result.requirements for result in mine)
        if fault.requirement not in cited:
            standing = Standing.NO_CASE
        elif not killers:
            standing = Standing.SURVIVED if executed or self.is_skipped(fault) else Standing.NOT_RUN
        else:
            standing = Standing.ACCIDENT if accidents else Standing.KILLED
        return Row(fault, standing, executed, killers, explained, accidents)

    def could_change(self, fault: str, case: str) -> bool:
        """Whether a fault could change the verdict of a case, as far as is known."""
        touched = self.observed.get(case)
        return touched is None or fault in touched

    def is_skipped(self, fault: Fault) -> bool:
        """Whether a case of a fault's requirement was left out."""
        mine = [case for name, case in self.skipped if name == fault.name]
        return any(fault.requirement in self.results[""][case].requirements for case in mine)

    def naming(self, faults: Iterable[Fault]) -> Naming:
        """Return how well failing verdicts name what is broken."""
        own, also, foreign = 0, 0, Counter[str]()
        for fault in faults:
            same = saying_the_same(fault.requirement)
            failed = {(case_name(r.case), r.parameters.get("side")): r for r in self._failed(fault.name)}
            for (case, _), result in failed.items():
                if not same.isdisjoint(result.requirements):
                    own += 1
                elif breaks(fault, result.requirements):
                    also += 1
                else:
                    foreign[case] += 1
        return Naming(own, also, foreign)

    def healthy(self) -> list[Result]:
        """Return the results of the agent without a fault."""
        return self.of("")

    def unhealthy(self) -> list[Result]:
        """Return those of the healthy agent's results that are no pass."""
        return [r for r in self.healthy() if r.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)]

    def errors(self) -> list[tuple[str, Result]]:
        """Return, with their faults, the results in which the test system went wrong."""
        return [(name, result) for name in self.results for result in self.of(name) if result.verdict is Verdict.ERROR]

    def doubtful(self, faults: Iterable[Fault], cited: Iterable[str]) -> list[tuple[str, str]]:
        """Return what is worth a second look in a calm hour: (fault, case) whose verdict is not what it should be."""
        found = [("", result.case) for result in self.unhealthy()]
        found += [(fault, result.case) for fault, result in self.errors() if fault]
        cited = set(cited)
        for fault in faults:
            row = self.row(fault, cited)
            found += [(fault.name, result.case) for result in row.accidents]
            if row.standing is Standing.SURVIVED:
                found += [
                    (fault.name, result.case)
                    for result in self.of(fault.name)
                    if fault.requirement in result.requirements
                ]
        return list(dict.fromkeys(found))

    def _failed(self, name: str) -> list[Result]:
        return [result for result in self.of(name) if result.verdict is Verdict.FAIL]


def saying_the_same(requirement: str) -> frozenset[str]:
    """Return a requirement, those that it repeats, and those that repeat it."""
    repeated = REQUIREMENTS[requirement].repeats
    return frozenset({requirement, *repeated, *(r.id for r in REQUIREMENTS.values() if requirement in r.repeats)})


def related(fault: Fault, cases: Iterable[Case]) -> list[Case]:
    """Return the cases that cite a fault's requirement."""
    return [case for case in cases if fault.requirement in case.requirements]


def cited_by(cases: Iterable[Case]) -> set[str]:
    """Return the requirements that these cases test."""
    return {identifier for case in cases for identifier in case.requirements}


def faults_with_cases(cases: Sequence[Case]) -> list[Fault]:
    """Return the faults whose requirement some case cites."""
    cited = cited_by(cases)
    return [fault for fault in FAULTS if fault.requirement in cited]


def representatives(cases: Iterable[Case]) -> list[Case]:
    """Return one variant of each case for each side of offer and answer that it is executed on."""
    chosen: dict[tuple[str, object], Case] = {}
    for case in cases:
        chosen.setdefault((case_name(case.id), case.parameters.get("side")), case)
    return list(chosen.values())


def by_case(variants: Iterable[Case]) -> dict[str, list[Case]]:
    """Return the variants of each case, by the case's name."""
    found: dict[str, list[Case]] = {}
    for variant in variants:
        found.setdefault(case_name(variant.id), []).append(variant)
    return found


def usual_variants(cases: Iterable[Case]) -> list[Case]:
    """Return the cases without what `suites.marks.varied` makes of them beyond their usual variant on each side.

    Values that a case itself is parametrised with all stay.
    """
    chosen: dict[str, Case] = {}
    for case in cases:
        chosen.setdefault(usual_form(case.id), case)
    return list(chosen.values())

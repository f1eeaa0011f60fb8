"""What changed between two runs: two versions of a stack, two machines, or two stacks.

Verdicts are compared variant by variant, so that a case of which one variant fails is not hidden by the others.
A failure that an earlier run had and the later one did not judge is not gone: it is no longer judged. What a case says
that the earlier run's suite did not have is no change of the IUT either: such a failure may be as old as the IUT.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.verdict import ExitStatus, Level, Result, Verdict, case_name
from reports.expectations import SECTION
from reports.reach import general, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reports.record import RunInfo

_JUDGED = (Verdict.PASS, Verdict.FAIL)
_BROKEN = (Verdict.INCONC, Verdict.ERROR, Verdict.NONE)
ABSENT = "absent"


class Change(enum.StrEnum):
    """How the verdict of a variant changed."""

    NEW_FAILURE = "new failure"
    NEW_CASE = "new case"  # the suite of the earlier run did not have it; the verdict says nothing about a change
    GONE_FAILURE = "gone failure"
    OTHER_FAILURE = "other failure"  # it failed and fails, for another reason
    NEWLY_JUDGED = "newly judged"
    NO_LONGER_JUDGED = "no longer judged"


@dataclass(frozen=True, slots=True)
class Difference:
    """One variant whose verdict changed. A verdict of "absent": the run has no such variant."""

    change: Change
    variant: str
    requirements: tuple[str, ...]
    level: Level
    before: str
    after: str
    reason: str  # of the later verdict; of the earlier one, where that failed and the later one does not
    expected: str = ""
    actual: str = ""
    known: str = ""
    repeat: str = ""

    def counts(self, fail_on: Level, *, new_cases: bool = False) -> bool:
        """Whether it is a new failure that fails the comparison; `new_cases`: failures of new cases do as well."""
        new = self.change is Change.NEW_FAILURE or (new_cases and self.change is Change.NEW_CASE)
        if not new or self.after != Verdict.FAIL or self.known:
            return False
        return self.level.binding or fail_on is Level.SHOULD

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "change": self.change.value,
            "variant": self.variant,
            "case": case_name(self.variant),
            "requirements": list(self.requirements),
            "level": self.level.value,
            "before": self.before,
            "after": self.after,
            "reason": self.reason,
            "expected": self.expected,
            "actual": self.actual,
            "known": self.known,
            "repeat": self.repeat,
        }


@dataclass(slots=True)
class Comparison:
    """All that changed.

    ``unchanged`` counts variants that both runs judged alike, ``failing`` those of them that failed.
    ``only`` counts the variants that one of the runs did not select. ``newly_judged`` and ``no_longer_judged`` are
    requirements about which only one of the runs says anything.
    """

    differences: list[Difference] = field(default_factory=list)
    unchanged: int = 0
    failing: int = 0
    only: tuple[int, int] = (0, 0)
    newly_judged: list[str] = field(default_factory=list)
    no_longer_judged: list[str] = field(default_factory=list)

    def of(self, change: Change) -> list[Difference]:
        """Return the differences of one kind, by requirement and case."""
        found = [difference for difference in self.differences if difference.change is change]
        return sorted(found, key=lambda one: (one.requirements[:1], one.variant))

    def status(self, fail_on: Level, *, new_cases: bool = False) -> ExitStatus:
        """Return the exit status: a new failure is certain, whatever else could not be judged."""
        if any(difference.counts(fail_on, new_cases=new_cases) for difference in self.differences):
            return ExitStatus.DOES_NOT_CONFORM
        if not self.unchanged and not any(d.after in _JUDGED and d.before in _JUDGED for d in self.differences):
            return ExitStatus.COULD_NOT_JUDGE  # the runs have nothing in common
        lost = (d for d in self.of(Change.NO_LONGER_JUDGED) if d.after in _BROKEN)
        return ExitStatus.COULD_NOT_JUDGE if any(lost) else ExitStatus.CONFORMS


def compare(
    before: Sequence[Result],
    after: Sequence[Result],
    *,
    partial: bool = False,
    unfinished: bool = False,
    renamed: Callable[[str], Iterable[str]] = lambda _variant: (),
) -> Comparison:
    """Compare the verdicts of an earlier run with those of a later one.

    `partial`: one of them selected only a part of the suite, so that a variant that is absent there says nothing.
    `unfinished`: the earlier run did not come to its end, so that a case that is absent there may not be new.
    `renamed` gives the ids that a variant of the earlier run may have in the later one.
    """
    old, new = _by_variant(before), _by_variant(after)
    old = {_present(variant, new, renamed): result for variant, result in old.items()}
    found = Comparison()
    suite = {case_name(variant) for variant in old}
    only_before = only_after = 0
    for variant in dict.fromkeys([*old, *new]):
        one, other = old.get(variant), new.get(variant)
        if partial and (one is None or other is None):
            only_before, only_after = only_before + (other is None), only_after + (one is None)
            continue
        difference = _difference(variant, one, other, new_case=not unfinished and case_name(variant) not in suite)
        if difference is not None:
            found.differences.append(difference)
        elif one is not None and other is not None and one.verdict in _JUDGED:
            found.unchanged += 1
            found.failing += one.verdict is Verdict.FAIL
    found.only = only_before, only_after
    told, tells = judged(old.values()), judged(new.values())
    if not partial:
        found.newly_judged, found.no_longer_judged = sorted(tells - told), sorted(told - tells)
    return found


def _by_variant(results: Iterable[Result]) -> dict[str, Result]:
    return {result.case: result for result in results if result.section != SECTION}


def _present(variant: str, new: Mapping[str, Result], renamed: Callable[[str], Iterable[str]]) -> str:
    """Return the id of a variant in the later run."""
    if variant in new:
        return variant
    return next((name for name in renamed(variant) if name in new), variant)


def _difference(variant: str, one: Result | None, other: Result | None, *, new_case: bool) -> Difference | None:
    before = ABSENT if one is None else one.verdict
    after = ABSENT if other is None else other.verdict
    change = _change(one, other)
    if change is None:
        return None
    if new_case:
        change = Change.NEW_CASE
    shown = one if change is Change.GONE_FAILURE or other is None else other
    assert shown is not None  # absent in both is no change
    return Difference(
        change,
        variant,
        shown.requirements,
        shown.level,
        str(before),
        str(after),
        shown.reason,
        shown.expected,
        shown.actual,
        other.known if other is not None else "",
        shown.repeat,
    )


def _change(one: Result | None, other: Result | None) -> Change | None:
    before, after = one and one.verdict, other and other.verdict
    if after is Verdict.FAIL:
        if before is not Verdict.FAIL:
            return Change.NEW_FAILURE
        assert one is not None and other is not None  # noqa: PT018
        return None if _stable(one.reason) == _stable(other.reason) else Change.OTHER_FAILURE
    if after is Verdict.PASS:
        if before is Verdict.FAIL:
            return Change.GONE_FAILURE
        return None if before is Verdict.PASS else Change.NEWLY_JUDGED
    return Change.NO_LONGER_JUDGED if before in _JUDGED else None


def _stable(reason: str) -> str:
    """Return a reason without what differs from run to run: addresses, ports, numbers and octets in hexadecimal."""
    words = (word for word in general(reason).split() if not any(character.isdigit() for character in word))
    return " ".join(words)


def by_requirement(differences: Iterable[Difference]) -> dict[str, dict[str, list[Difference]]]:
    """Return differences by the requirement that their case cites first, then by case."""
    found: defaultdict[str, defaultdict[str, list[Difference]]] = defaultdict(lambda: defaultdict(list))
    for difference in differences:
        first = difference.requirements[0] if difference.requirements else ""
        found[first][case_name(difference.variant)].append(difference)
    return {requirement: dict(cases) for requirement, cases in sorted(found.items())}


def data(comparison: Comparison, runs: Sequence[tuple[str, RunInfo]], status: ExitStatus) -> dict[str, Any]:
    """Return a comparison for JSON; `runs` are the paths and what is known of both runs."""
    return {
        "runs": [
            {
                "path": path,
                "iut": run.iut,
                "iut_version": run.iut_version,
                "icetcp_version": run.icetcp_version,
                "platform": run.platform,
                "started": run.started,
                "partial": run.partial,
            }
            for path, run in runs
        ],
        "counts": {change.value: len(comparison.of(change)) for change in Change},
        "unchanged": comparison.unchanged,
        "failing_in_both": comparison.failing,
        "only_in_one": list(comparison.only),
        "requirements": {
            "newly judged": comparison.newly_judged,
            "no longer judged": comparison.no_longer_judged,
        },
        "differences": [one.data() for change in Change for one in comparison.of(change)],
        "exit_status": int(status),
    }

"""How much a run judged, and what would have to change to judge more."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.verdict import ExitStatus, Level, Verdict, case_name, exit_status, is_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.verdict import Result
    from reports.record import RunInfo

_PORT = re.compile(r"(?<=\bport )\d+|(?<=ADDRESS:)\d+|(?<=[\d\]a-f]:)\d{4,5}\b")
_ADDRESS = re.compile(r"\b(?:127|198\.18|198\.19)(?:\.\d{1,3}){2,3}\b|\bfd6[cd]::[0-9a-f:]+")
_REMEDIES = (
    (re.compile(r"the IUT's pics lack (.+)"), "an IUT that declares {0} in its pics"),
    (re.compile(r"the IUT's pics have (.+)"), "an IUT without {0}"),
    (re.compile(r"the adapter cannot (\w+) this way"), "an adapter that serves {0} with these parameters"),
)


def judged(results: Iterable[Result]) -> set[str]:
    """Return the requirements about which a variant has said pass or fail; rules of the judge are no variants."""
    return {
        requirement
        for result in results
        if result.verdict in (Verdict.PASS, Verdict.FAIL) and not is_rule(result.case)
        for requirement in result.requirements
    }


def _was_judged(result: Result) -> bool:
    return not is_rule(result.case) and (bool(result.known) or result.verdict in (Verdict.PASS, Verdict.FAIL))


def share(run: RunInfo) -> float:
    """Return which part of the requirements with cases was judged; 1 where nobody knows how many there are.

    Records of older versions call these testable.
    """
    possible = run.with_cases or run.testable
    return run.judged_requirements / possible if possible else 1.0


def told(run: RunInfo) -> str:
    """Say how much was judged: of what a black box can test, and of what the suite has cases for."""
    if not run.testable:
        return ""
    whole = f"{100 * run.judged_requirements / run.testable:.0f} %"
    text = f"{run.judged_requirements} of {run.testable} testable requirements judged, {whole}"
    return text + (f"; of the {run.with_cases} with cases {100 * share(run):.0f} %" if run.with_cases else "")


def status(results: list[Result], run: RunInfo | None, fail_on: Level) -> ExitStatus:
    """Return the exit status of a run: that of its verdicts, but not green where less was judged than is required.

    Rules of the judge that find nothing wrong do not make a run green of which every variant was not applicable.
    """
    verdicts = exit_status(results, fail_on)
    if verdicts is ExitStatus.CONFORMS and not any(_was_judged(result) for result in results):
        return ExitStatus.COULD_NOT_JUDGE
    if verdicts is ExitStatus.CONFORMS and run is not None and share(run) < run.required_reach:
        return ExitStatus.COULD_NOT_JUDGE
    return verdicts


@dataclass(slots=True)
class NotJudged:
    """Variants that were not applicable for one reason, and what would have to change to judge them."""

    reason: str
    remedy: str
    variants: int = 0
    cases: set[str] = field(default_factory=set)

    def data(self) -> dict[str, Any]:
        """Return it for the record."""
        return {
            "reason": self.reason, "remedy": self.remedy, "cases": len(self.cases), "variants": self.variants
        }  # fmt: skip


def not_judged(results: Sequence[Result]) -> list[NotJudged]:
    """Return what was not applicable by reason, the most frequent first; port numbers do not tell reasons apart."""
    groups: dict[str, NotJudged] = {}
    for result in results:
        if result.verdict is not Verdict.NOT_APPLICABLE:
            continue
        reason = general(result.reason) or "no reason given"
        group = groups.setdefault(reason, NotJudged(reason, remedy(reason)))
        group.variants += 1
        group.cases.add(case_name(result.case))
    return sorted(groups.values(), key=lambda group: (-group.variants, group.reason))


def general(reason: str) -> str:
    """Return a reason without the ports and addresses of one execution."""
    return _PORT.sub("N", _ADDRESS.sub("ADDRESS", reason))


def remedy(reason: str) -> str:
    """Return what it needs to judge what was not applicable for this reason; nothing where nobody knows."""
    needed = []
    for part in reason.split("; "):
        for pattern, text in _REMEDIES:
            match = pattern.match(part)
            if match:
                needed.append(text.format(match[1]))
    return " and ".join(dict.fromkeys(needed))


def left_out(reasons: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return for how many cases each reason left values of a dimension out; `reasons` are (reason, case)."""
    cases: defaultdict[str, set[str]] = defaultdict(set)
    for reason, case in reasons:
        cases[reason].add(case)
    return {reason: len(cases[reason]) for reason in sorted(cases, key=lambda r: (-len(cases[r]), r))}

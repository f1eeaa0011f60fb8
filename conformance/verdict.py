"""Verdicts of the test system and the outcome of one executed case.

The order is TTCN-3's (ETSI ES 201 873-1, section 24.2): a later, worse verdict overwrites a better one and never
the other way round. ``NOT_APPLICABLE`` stands outside the order: a case that PICS rule out was never executed.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import NamedTuple

_REPETITION = re.compile(r"(?:#[1-9][0-9]*)?(?:, execution [1-9][0-9]*)?\Z")


class Verdict(enum.StrEnum):
    """What a case, or a run, came to."""

    NONE = "none"
    PASS = "pass"
    INCONC = "inconc"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "n/a"

    def worse(self, other: Verdict) -> Verdict:
        """Return the verdict that overwrites the other one."""
        return max(self, other, key=_ORDER.__getitem__)


_ORDER = {
    Verdict.NOT_APPLICABLE: 0,
    Verdict.NONE: 1,
    Verdict.PASS: 2,
    Verdict.INCONC: 3,
    Verdict.FAIL: 4,
    Verdict.ERROR: 5,
}


class Level(enum.StrEnum):
    """How strongly the RFC asks for a requirement (RFC 2119), strongest first.

    ``STATED`` is behaviour that the RFC states without a keyword; it is reported like a MUST.
    """

    MUST = "must"
    STATED = "stated"
    SHOULD = "should"
    MAY = "may"

    @property
    def binding(self) -> bool:
        """Whether failing it means that the IUT does not conform."""
        return self in (Level.MUST, Level.STATED)


class ExitStatus(enum.IntEnum):
    """Exit status of every ``icetcp`` command that judges."""

    CONFORMS = 0
    DOES_NOT_CONFORM = 1
    USAGE = 2
    COULD_NOT_JUDGE = 3


class CaseOutcome(Exception):
    """A case ended early; carries what was expected and what came instead.

    ``expected`` and ``actual`` are single sentences for a person to read.
    """

    verdict = Verdict.ERROR

    def __init__(self, message: str, *, expected: str = "", actual: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class Failed(CaseOutcome):
    """The IUT broke the requirement under test.

    ``wanted`` is what was, where ordinary sessions have it, and ``on`` the connection on which it was.
    """

    verdict = Verdict.FAIL

    def __init__(
        self, message: str, *, expected: str = "", actual: str = "", wanted: object = None, on: object = None
    ) -> None:
        super().__init__(message, expected=expected, actual=actual)
        self.wanted = wanted
        self.on = on


class Missing(Failed):
    """What the requirement under test asks for did not come."""


class Inconclusive(CaseOutcome):
    """The case could not reach its body: the preamble failed, or the IUT died of something else."""

    verdict = Verdict.INCONC


class Unreadable(Inconclusive):
    """What the IUT said cannot be read, so nobody knows what it says. That it says it better later changes nothing."""


class NotApplicable(CaseOutcome):
    """What the IUT declared, or answered, rules the case out."""

    verdict = Verdict.NOT_APPLICABLE


class JudgedElsewhere(NotApplicable):
    """What would be judged here depends on something else, which `case` judges."""

    def __init__(self, message: str, *, case: str) -> None:
        super().__init__(f"{message}; {case} judges that")
        self.case = case


def variant_of(identifier: str) -> str:
    """Return the id without the number of a repetition: RFC6544-7.2/x[offerer] for RFC6544-7.2/x[offerer]#2."""
    return _REPETITION.sub("", identifier, count=1) if identifier[-1:].isdigit() else identifier


def execution_of(identifier: str, number: int) -> str:
    """Return what one execution of a variant is called, its capture for example: the first one as the variant."""
    return identifier if number <= 1 else f"{identifier}, execution {number}"


def executions_of(result: Result) -> list[str]:
    """Return what each execution of a result's variant is called; the verdict is that of the last one."""
    return [execution_of(result.case, number) for number in range(1, max(1, len(result.executions)) + 1)]


def case_name(identifier: str) -> str:
    """Return the id of a variant's case: RFC6544-7.2/x for RFC6544-7.2/x[offerer-IPv6]#2."""
    return variant_of(identifier).partition("[")[0]


def is_rule(identifier: str) -> bool:
    """Whether an id is that of a rule of the judge: RFC6544-7.1/judge_check_is_not_retransmitted."""
    return "/judge_" in identifier


class Breach(NamedTuple):
    """A rule of the judge that the capture of a case breaks: what `agent` did, an address, at a time of the capture."""

    rule: str
    requirement: str
    title: str
    reason: str
    agent: str = ""
    time_ns: int = 0


@dataclass(slots=True, kw_only=True)
class Result:
    """One executed (or ruled out) variant of a case: the source of every report. ``case`` is the variant's id.

    Times are seconds; ``started`` is seconds since the epoch. Paths are relative to the output folder and empty
    where the thing does not exist. ``level`` is that of the requirement that the case cites first.
    """

    case: str
    title: str
    section: str
    requirements: tuple[str, ...]
    level: Level
    verdict: Verdict = Verdict.NONE
    reason: str = ""
    expected: str = ""
    actual: str = ""
    iut: str = ""
    started: float = 0.0
    duration: float = 0.0
    parameters: dict[str, str] = field(default_factory=dict)
    known: str = ""  # a known failure: its reason, owner and day of expiry; it does not fail the run
    note: str = ""  # the reading of an ambiguous clause that the IUT follows, or a known deviation's evidence
    ladder: str = ""
    capture: str = ""
    log: str = ""
    watched: float = 0.0  # seconds for which the case let a clock of the protocol pass
    seed: int = 0
    repeat: str = ""
    flaky: str = ""  # how often which verdict came, where repetitions of the variant came to different ones
    executions: tuple[str, ...] = ()  # what became of each execution, where there was more than one
    repeated: str = ""  # that it was inconclusive in an execution before the one that counts, with the rate and why
    broken: tuple[Breach, ...] = ()  # rules that the case's own capture breaks, the earliest first
    cause: str = ""  # why it did not pass, where several variants did not for one reason: the id of that cause

    def overwrite(self, verdict: Verdict, reason: str, *, expected: str = "", actual: str = "") -> None:
        """Take over ``verdict`` with its reason if it is worse than what stands."""
        if _ORDER[verdict] > _ORDER[self.verdict]:
            self.verdict, self.reason, self.expected, self.actual = verdict, reason, expected, actual


def exit_status(results: list[Result], fail_on: Level = Level.MUST) -> ExitStatus:
    """Return the exit status of a run.

    A failure that counts is certain, whatever else could not be judged. A failed SHOULD
    counts only with ``fail_on=Level.SHOULD``. A known failure counts as judged, and not as a failure. A run that judged
    nothing has judged nothing.
    """
    known = any(result.known for result in results)
    results = [result for result in results if not result.known]
    verdicts = {result.verdict for result in results} | ({Verdict.PASS} if known else set())
    if verdicts <= {Verdict.NOT_APPLICABLE, Verdict.NONE}:
        return ExitStatus.COULD_NOT_JUDGE
    if any(r.verdict is Verdict.FAIL and (r.level.binding or fail_on is Level.SHOULD) for r in results):
        return ExitStatus.DOES_NOT_CONFORM
    if verdicts & {Verdict.ERROR, Verdict.INCONC, Verdict.NONE}:
        return ExitStatus.COULD_NOT_JUDGE
    return ExitStatus.CONFORMS

"""What happened in a process that served several cases, and what each of them is worth after a repetition alone.

A process that serves several cases may die by the doing of one of them. So each of them is executed once more, alone
in a process of its own. A case whose process dies again is the culprit, and the others are innocent. If no process
dies again, nobody knows whose doing it was, and none of these cases may pass: nothing is green over a death that a
repetition hid.

A case may also be inconclusive there because of the other sessions, or of those before. It said nothing of its
requirement then, so it is executed once more, alone, and the verdict of that execution counts, whatever it is. The
result tells both. A failure is a verdict and is never repeated.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.iut.incidents import Kind
from conformance.verdict import Level, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conformance.iut.incidents import Incident

_NAMED = 3
_IN_VAIN = 50
_WORDS = {
    Kind.DIED: "died",
    Kind.HUNG: "hung",
    Kind.FLOODED: "flooded the tester",
    Kind.CLOSED: "closed its stdout",
    Kind.WRONG_ID: "answered with a wrong id",
    Kind.GARBAGE: "wrote what is not JSON-RPC",
    Kind.FAILED: "failed",
}


@dataclass(slots=True)
class Execution:
    """One execution of a variant: its result, and the incidents of the process that it used."""

    result: Result
    incidents: list[Incident] = field(default_factory=list)
    alone: bool = False
    shared: bool = False  # the process failed while other cases were using it, or before
    others: int = 0  # cases that used the process meanwhile, or right before
    unreadable: bool = False  # what the IUT said: it is known to have said that, whatever it says when asked again

    @property
    def serious(self) -> list[Incident]:
        """The incidents over which nothing may pass."""
        return [incident for incident in self.incidents if incident.serious]

    @property
    def to_be_repeated(self) -> bool:
        """Whether an execution alone can tell whose doing an incident was, or how often it happens."""
        several = any(len(incident.cases) > 1 for incident in self.serious)
        return not self.alone and (self.shared or several or any(i.kind is Kind.DIED for i in self.serious))

    @property
    def undecided(self) -> bool:
        """Whether it came to nothing in a process that did the adapter's contract justice, but had other sessions."""
        settled = self.alone or self.serious or self.unreadable
        return self.result.verdict is Verdict.INCONC and self.others > 0 and not settled


class Repetitions:
    """Decides which inconclusive executions are repeated alone. Thread-safe.

    `explained` says of a result that nothing else is expected of the IUT. An IUT may lack something that many cases
    need, and then a process for each is of no use: when so many in a row have come to the same again, no more follow.
    """

    def __init__(self, explained: Callable[[Result], bool]) -> None:
        self._explained = explained
        self._in_vain = 0  # in a row
        self._lock = threading.Lock()

    def wanted(self, execution: Execution) -> bool:
        """Whether to repeat this one; if only so many in vain are the reason not to, its result says so."""
        if execution.to_be_repeated:
            return True
        if not execution.undecided or self._explained(execution.result):
            return False
        with self._lock:
            given_up = self._in_vain >= _IN_VAIN
        if given_up:
            note = f"not repeated alone in a process: {_IN_VAIN} variants in a row were inconclusive there as well"
            execution.result.note = "; ".join([text for text in (execution.result.note, note) if text])
        return not given_up

    def learn(self, executions: Sequence[Execution]) -> None:
        """Take in what a variant's executions came to."""
        first, *more = executions
        if more and first.undecided:
            with self._lock:
                again = more[-1].result.verdict is Verdict.INCONC
                self._in_vain = self._in_vain + 1 if again else 0


class Suspicion:
    """Keeps which cases were seen to cause incidents. Thread-safe."""

    def __init__(self) -> None:
        self._culprits: set[str] = set()
        self._lock = threading.Lock()

    @property
    def culprits(self) -> frozenset[str]:
        """The labels of cases that were seen to cause incidents."""
        with self._lock:
            return frozenset(self._culprits)

    def learn(self, culprits: Iterable[str]) -> None:
        """Take in what another process has seen."""
        with self._lock:
            self._culprits.update(culprits)

    def joined(self, executions: Sequence[Execution], label: str) -> Result:
        """Return the result of a variant that was executed once, or once more alone; `label` is its lease's."""
        last = executions[-1]
        result = last.result
        own = [e for e in executions if any(set(i.cases) <= {label} for i in e.serious)]
        if last in own:
            with self._lock:
                self._culprits.add(label)
        if len(executions) > 1:
            result.executions = tuple(_line(n, e, len(executions)) for n, e in enumerate(executions, start=1))
            result.repeated = _undecided(executions)
        if own:
            incident = own[-1].serious[0]
            rate = f"{len(own)} of {len(executions)} executions"
            _spoil(result, f"the adapter {_WORDS[incident.kind]} in {rate}: {incident.text}")
        return result

    def settle(self, incidents: Iterable[Incident], results: Mapping[str, Result]) -> list[Result]:
        """Take the pass from the cases of incidents that no execution explains; return the results that changed.

        An incident that belongs to no case of the run becomes a result of its own.
        """
        changed: dict[str, Result] = {}
        for incident in incidents:
            if not incident.serious or self._culprits & set(incident.cases):
                continue
            cases = [case for case in incident.cases or (incident.after,) if case in results]
            for case in cases:
                if results[case].verdict not in (Verdict.INCONC, Verdict.FAIL, Verdict.ERROR):
                    _spoil(results[case], _unexplained(incident))
                    changed[case] = results[case]
            if not cases:
                lost = _of_nobody(incident)
                changed[lost.case] = lost
        return list(changed.values())


def told(incidents: Iterable[Incident]) -> list[str]:
    """Return incidents in words, equal ones once with their number, each with the cases that it came from."""
    groups: defaultdict[tuple[str, str], list[Incident]] = defaultdict(list)
    for incident in incidents:
        groups[incident.kind.value, incident.text].append(incident)
    return [_told(kind, text, group) for (kind, text), group in groups.items()]


def _told(kind: str, text: str, group: Sequence[Incident]) -> str:
    cases = list(dict.fromkeys(case for one in group for case in one.cases or (one.after,) if case))
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    when = "in" if group[0].cases else "after"
    where = f"; {when} {', '.join(cases[:_NAMED])}{more}" if cases else ""
    times = f", {len(group)} times" if len(group) > 1 else ""
    return f"{kind}{times}: {text}{where}"


def counted(incidents: Iterable[Incident]) -> dict[str, int]:
    """Return how many incidents there are of each kind."""
    return dict(Counter(incident.kind.value for incident in incidents))


def _line(number: int, execution: Execution, total: int) -> str:
    alone = ", alone in a process" if execution.alone else ""
    said = [f"the adapter {_WORDS[i.kind]}{_company(i)}: {i.text}" for i in execution.serious]
    if execution.undecided:
        said.append(execution.result.reason)
    return "; ".join([f"{number} of {total}{alone}: {execution.result.verdict.value}", *said])


def _company(incident: Incident) -> str:
    others = len(incident.cases) - 1
    return f" with {others} other case{'' if others == 1 else 's'} in flight" if others > 0 else ""


def _undecided(executions: Sequence[Execution]) -> str:
    """Return that the first execution was inconclusive for no known reason, and how often it was; else nothing."""
    first = executions[0]
    if not first.undecided:
        return ""
    times = sum(e.result.verdict is Verdict.INCONC for e in executions)
    used = "1 other case" if first.others == 1 else f"{first.others} other cases"
    return (
        f"inconclusive in {times} of {len(executions)} executions; in the process that {used} used: "
        f"{first.result.reason}; alone in a process: {executions[-1].result.verdict.value}"
    )


def _unexplained(incident: Incident) -> str:
    what = f"the adapter {_WORDS[incident.kind]}"
    if not incident.cases:
        return f"after the case {what}: {incident.text}"
    if len(incident.cases) == 1:
        return f"{what}: {incident.text}"
    return f"{what} in 1 of 2 executions{_company(incident)}, and not when each was repeated alone: {incident.text}"


def _spoil(result: Result, why: str) -> None:
    """Let a result not pass; one that does not pass for another reason says this as well."""
    if result.verdict is Verdict.INCONC:
        result.reason = f"{result.reason}; {why}" if result.reason else why
    result.overwrite(Verdict.INCONC, why)


def _of_nobody(incident: Incident) -> Result:
    return Result(
        case=f"adapter/{incident.kind.value.replace(' ', '_')}",
        title="what the adapter did outside of any case",
        section="adapter",
        requirements=(),
        level=Level.MUST,
        verdict=Verdict.INCONC,
        reason=f"the adapter {_WORDS[incident.kind]}: {incident.text}",
        started=incident.time,
    )

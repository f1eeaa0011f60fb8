"""From symptoms to findings: which are known, which are investigated, what is kept if they do not come again."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz.campaign.folder import hand_over
from fuzz.campaign.investigation import Investigator, join
from fuzz.describe import words
from fuzz.findings import Finding, confirmed
from fuzz.judging.symptom import CERTAIN, MEASURED, Evidence, Symptom
from fuzz.player.outcome import PLAN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fuzz.campaign.budget import Budget
    from fuzz.campaign.log import Log
    from fuzz.campaign.spec import Spec
    from fuzz.findings import Buckets
    from fuzz.judging.runner import Runner

Case = dict[str, Any]

_TIMES = 3  # investigations of a symptom that does not come again
_TIMES_OF_DEATHS = 8  # different bugs may end in the same signal
_KEPT = 256 << 10  # characters of a history that the log keeps
_GROWS = 2  # times that memory must have grown: every heap does so for a while


class Suspicions:
    """Investigates symptoms and hands findings over."""

    def __init__(
        self, spec: Spec, runner: Runner, buckets: Buckets, budget: Budget, log: Log, tell: Callable[[], None]
    ) -> None:
        self._spec, self._runner, self._buckets, self._budget, self._log = spec, runner, buckets, budget, log
        self._tell = tell
        self._investigator = Investigator(runner, buckets.slips, budget.stopped)
        self._sought: Counter[str] = Counter()  # investigations that did not reproduce a symptom
        self.unconfirmed: Counter[str] = Counter()  # symptoms that did not come again and are no findings
        self.before: list[Case] = []  # the cases of the session before
        self._out = Path(spec.out)

    def exhausted(self, kind: str, cause: str) -> bool:
        """Whether a symptom was investigated often enough in vain."""
        return self._sought[f"{kind}: {cause}"] >= (_TIMES_OF_DEATHS if kind == "death" else _TIMES)

    def suspect(self, symptom: Symptom, played: list[Case], number: int, recorded: Callable[[], Evidence]) -> bool:
        """Investigate the symptom of the last of these cases; return whether that used up the process."""
        process = self._runner.iut
        if self._buckets.known(symptom, played[-1]) is not None:
            return False
        evidence = recorded()
        if self.exhausted(symptom.kind, symptom.cause):
            self.keep(symptom, [self.before, played], number, evidence)
            return False
        self.look_into(symptom, [self.before, played], number, evidence)
        return self._runner.spoilt or self._runner.iut is not process or symptom.kind != "disagreement"

    def look_into(
        self, symptom: Symptom, sessions: list[list[Case]], number: int, evidence: Evidence | None = None
    ) -> bool:
        """Find out whether a symptom comes again, and from what. If this process is killed, `--resume` repeats it."""
        evidence = evidence or Evidence()
        told = {"stderr": evidence.stderr, "history": _last(evidence.history)}
        self._log.event("symptom", number=number, **asdict(symptom), sessions=sessions, **told)
        finding = self._explain(symptom, sessions)
        if finding is None:
            self._sought[f"{symptom.kind}: {symptom.cause}"] += 1
            self._log.event("unconfirmed", number=number, **asdict(symptom))
            self.keep(symptom, sessions, number, evidence)
        else:
            self._found(finding, number, evidence)
        self._log.event("settled", number=number)
        self.collect(number)
        return finding is not None

    def _explain(self, symptom: Symptom, sessions: list[list[Case]]) -> Finding | None:
        if symptom.kind == "disagreement":
            case = sessions[-1][-1]
            return Finding(symptom.kind, symptom.cause, symptom.text, sorted(words(case)), case)
        if symptom.kind == "leak":
            return self._investigator.leaking(symptom, sessions)
        if symptom.kind == "spin":
            return self._investigator.spinning(symptom, sessions)
        before, played = sessions[0], sessions[-1]
        return self._investigator.investigate(symptom, played, before)

    def keep(self, symptom: Symptom, sessions: Sequence[list[Case]], number: int, evidence: Evidence) -> None:
        """Keep a symptom that does not come again. Deaths and exceptions are findings all the same."""
        early = symptom.cause == "memory" and self._sought[f"{symptom.kind}: {symptom.cause}"] < _GROWS
        if symptom.kind not in (*CERTAIN, *MEASURED) or early:
            self.unconfirmed[f"{symptom.kind}: {symptom.cause}"] += 1
            return
        cases = [case for session in sessions for case in session]
        whole = join(cases) if cases else {"plan": dict(PLAN), "steps": []}  # of growth nothing may be known
        self._found(
            Finding(
                symptom.kind,
                symptom.cause,
                symptom.text,
                [],
                whole,
                rate=f"0/{self._investigator.trials}",
                stderr=evidence.stderr,
                reproduced=False,
            ),
            number,
            evidence,
        )

    def collect(self, number: int) -> None:
        """Investigate deaths and exceptions that trials of another symptom have shown."""
        sightings, self._runner.sightings = self._runner.sightings, []
        for symptom, case, evidence in sightings:
            if self._buckets.known(symptom, case) is None and not self._buckets.seen(symptom):
                self.look_into(symptom, [[], [case]], number, evidence)

    def _found(self, finding: Finding, number: int, evidence: Evidence) -> None:
        finding.number, finding.shard, finding.seed = number, self._spec.shard, self._spec.seed
        finding.seconds = round(self._budget.elapsed, 1)
        if self._buckets.add(finding):
            self._log.event("finding", **finding.data())
            self._hand_over(finding, evidence)
        if "coalesced" in finding.words and finding.kind == "deaf":
            self._runner.separate = True
        self._tell()

    def _hand_over(self, finding: Finding, evidence: Evidence) -> None:
        parent = self._out / ("findings" if confirmed(finding.data()) else "unconfirmed")
        hand_over(finding, parent, self._runner, self._spec.iut, evidence)

    def resume(self, findings: Sequence[Finding], pending: dict[str, Any] | None) -> bool:
        """Hand over what an earlier run found, and finish what it was investigating; return whether it was."""
        for finding in findings:
            if self._buckets.add(finding):
                self._hand_over(finding, Evidence(finding.stderr))
        if pending is None:
            return False
        symptom = Symptom(pending["kind"], pending["cause"], pending["text"])
        evidence = Evidence(pending.get("stderr", []), pending.get("history", []))
        self.look_into(symptom, pending["sessions"], pending["number"], evidence)
        return True


def _last(lines: list[str]) -> list[str]:
    """Return the last lines, as many as the log keeps."""
    size = 0
    for place in range(len(lines) - 1, -1, -1):
        size += len(lines[place])
        if size > _KEPT:
            return lines[place + 1 :]
    return lines

"""One shard of a campaign: makes cases, plays them, watches, and turns what is wrong into findings."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.iut import stacks
from conformance.iut.errors import AdapterError
from fuzz import monitors
from fuzz.campaign.compare import Comparison
from fuzz.campaign.flight import Tally
from fuzz.campaign.growth import Growth
from fuzz.campaign.investigate import Investigator
from fuzz.campaign.lines import Lines
from fuzz.campaign.log import Log, Past
from fuzz.campaign.player import StageFailed
from fuzz.campaign.record import hand_over
from fuzz.campaign.runner import Runner
from fuzz.campaign.spec import Spec, Status, identity
from fuzz.campaign.turns import Turns
from fuzz.describe import words
from fuzz.findings import Buckets, Finding, from_data, load
from fuzz.generate import CASES, PER_STAGE, Generator
from fuzz.novelty import Novelty
from fuzz.oracle import Symptom

if TYPE_CHECKING:
    from collections.abc import Callable

Case = dict[str, Any]

_REMEMBERED = 24  # stages, for blame
_STATUS = 0.5
_IDLE = 1.5  # seconds between two looks at an idle process
_MEASURE = 0.05  # seconds between two looks at what a process holds
_FAILURES = 5  # sessions in a row that could not be had
_UNCONFIRMED = 3  # times that a symptom that does not come again is looked into


class Shard:
    """Runs until its time or its cases are over, or `stopped` says so."""

    def __init__(self, spec: Spec, report: Callable[[Status], None], stopped: Callable[[], bool]) -> None:
        self.spec, self._report, self._stopped = spec, report, stopped
        self.out = Path(spec.out)
        self.status = Status()
        self.lines = Lines() if spec.lines else None
        self.buckets = Buckets()
        self.flights = Tally()
        self._coverage: Counter[str] = Counter()
        self._unconfirmed: Counter[str] = Counter()
        self._recent: deque[list[Case]] = deque(maxlen=_REMEMBERED)
        self._begun = time.monotonic()
        self._reported = self._looked = 0.0
        self._busy = True  # as far as was seen
        self._measured = 0.0
        self._unseen: list[Case] = []  # played since the last look at what the process holds
        self.number = self.stage = self._failures = self._absent = 0  # number: how many cases were played
        self.left: list[int] = []  # those of the block that are not

    def run(self) -> Status:
        """Run the shard; return how it ended."""
        path = self.out / f"log-{self.spec.shard}.jsonl"
        past = Past(path) if self.spec.resume else Past(Path("/nonexistent"))
        if not self.spec.resume:
            path.unlink(missing_ok=True)
        self._log = Log(path)
        try:
            self._run(past)
        except AdapterError as error:
            self.status.problem = str(error)
        finally:
            self._tell(done=True)
            self._log.close()
            if self.lines is not None:
                self.lines.close()
        return self.status

    def _run(self, past: Past) -> None:
        spec = self.spec
        stack = stacks.resolve(spec.iut)
        self.runner = Runner(stack, self.lines.environment(stack.environment) if self.lines else None)
        try:
            hello = self.runner.iut.greet()
            words = [bytes.fromhex(word) for word in spec.words]
            self._generator = Generator(spec.seed, spec.shard, hello.pics, spec.classes, spec.connections, words)
            self._generator.corpus += [*spec.corpus, *past.corpus]
            if not self._generator.plans:
                raise AdapterError("it neither opens nor accepts TCP connections, as its pics say")
            self.number, self.stage = past.cases, past.stages
            self.left = past.left[: max(0, spec.cases - past.cases) if spec.cases else CASES]
            self.status.sessions = sorted({f"{p['side']} {p['iut']} {p['state']}" for p in self._generator.plans})
            self._begun -= past.seconds
            self._log.event("begin", iut=hello.name, version=hello.version, **identity(spec))
            median = self.runner.calibrate(self._plain())
            if self.lines is not None and not self.lines.fresh():
                raise AdapterError("it executes no lines of Python, or does not let them be seen")
            self.novelty = Novelty(median)
            self._growth = Growth()
            self._investigator = Investigator(self.runner, self.buckets.slips)
            self.comparison = Comparison(spec.against, self._plain()) if spec.against else None
            self._load(past)
            self._loop()
        except StageFailed as error:
            raise AdapterError(f"it does not do the simplest thing: {error}") from None
        finally:
            self.runner.close()
            if getattr(self, "comparison", None) is not None:
                self.comparison.close()  # type: ignore[union-attr]

    def _plain(self) -> dict[str, Any]:
        return self._generator.plans[0]

    def _load(self, past: Past) -> None:
        """Know what was found before, by this shard or another, and finish what was begun."""
        for file in sorted(self.out.glob("findings/*/finding.json")) if self.spec.resume else ():
            self.buckets.add(load(file))
        for finding in map(from_data, past.findings):
            if self.buckets.add(finding):
                hand_over(finding, self.out / "findings", self.runner, self.spec.iut)
        if past.pending is not None:
            pending = past.pending
            symptom = Symptom(pending["kind"], pending["cause"], pending["text"])
            self._look_into(symptom, pending["stages"], pending["number"])
            self._again()

    # -- the loop --------------------------------------------------------------------------------------------------

    @property
    def _over(self) -> bool:
        spec = self.spec
        elapsed = time.monotonic() - self._begun
        return (
            self._stopped()
            or (spec.cases > 0 and self.number >= spec.cases)
            or (spec.seconds > 0 and elapsed >= spec.seconds)
        )

    def _loop(self) -> None:
        while not self._over:
            self._tell()
            if self.number % PER_STAGE < CASES:
                self._play_stage()
            elif self._generator.describes:
                self._describe()
            else:
                self._leave_out()
            self._watch()

    def _play_stage(self) -> None:
        """Play what is left of a block of cases, which is about one kind of session, as far as a session goes."""
        plan = self._next_plan()
        self.stage += 1
        if not self.left:
            end = self.number - self.number % PER_STAGE + CASES
            self.left = list(range(self.number, min(end, self.spec.cases or end)))
        try:
            scene = self.runner.scene(plan, foreseen=True)
        except StageFailed:
            self._no_stage(plan)
            return
        self._failures = 0
        if self.comparison is not None:
            self.comparison.begin(plan)
        played: list[Case] = []
        self._recent.append(played)
        self.runner.foresee(self._next_plan())
        fatal = Turns(self, scene, plan, played).run()
        scene.close()
        if self.comparison is not None:
            self.comparison.end()
        if fatal:
            self._again()
        else:
            self._resources(played)

    def _next_plan(self) -> dict[str, Any]:
        plan = self._generator.plan(self.stage)
        return self._plain() if self.buckets.avoids({"plan": plan, "steps": []}) else plan

    def make(self, number: int, plan: dict[str, Any]) -> Case:
        """Return the case of a number; none that would only find again what is known."""
        case = self._generator.case(number, plan)
        for attempt in range(1, 8):
            if not self.buckets.avoids(case):
                break
            self.status.skipped += 1
            case = self._generator.case(number, plan, attempt)
        else:
            case = {"class": "valid", "plan": plan, "steps": []}
        return case

    def more(self) -> bool:
        """Whether another case is to be played in this block."""
        return bool(self.left) and not self._over

    def played(self, numbers: list[int]) -> None:
        """Take note of what was played; whatever becomes of the session, that is not played again."""
        self.number += len(numbers)
        self.left = [number for number in self.left if number not in numbers]

    def note(self, case: Case, number: int, result: str, seconds: float, *, new: bool) -> None:
        """Log a case that was judged; what is new joins the corpus."""
        plan = case["plan"]
        self._coverage[f"{plan['side']} {plan['iut']} {plan['state']} {case['class']}"] += 1
        if new:
            self._learn(case, number, result)
        self._log.case(number, self.stage, case["class"], result, seconds * 1000)

    def _learn(self, case: Case, number: int, result: str) -> None:
        self._generator.corpus.append(case)
        self.status.last_new = time.monotonic() - self._begun
        self._log.event("new", number=number, stage=self.stage, result=result, case=case)

    def _describe(self) -> None:
        """Play a mutation of the description: it takes a session of its own."""
        case = self._generator.sdp_case(self.number)
        if self.buckets.avoids(case):
            self.status.skipped += 1
            self._leave_out()
            return
        number, self.number = self.number, self.number + 1
        begun = time.perf_counter()
        found = [s for s in self.runner.trial(case) if s.kind in ("death", "hang", "exception")]
        plan = case["plan"]
        self._coverage[f"{plan['side']} {plan['iut']} {plan['state']} sdp"] += 1
        self._log.case(number, self.stage, "sdp", "", (time.perf_counter() - begun) * 1000)
        for symptom in found:
            self.suspect(symptom, [case], number)
        if self.runner.spoilt:
            self._again()

    def _leave_out(self) -> None:
        """Go on with the next number; there is no case of this one."""
        self.number, self._absent = self.number + 1, self._absent + 1

    def _no_stage(self, plan: dict[str, Any]) -> None:
        """No session could be had: the process is dead or hangs, perhaps by what came before."""
        found = self.runner.health(None)
        self._failures += 1
        if found and self._recent and self._recent[-1]:
            self.suspect(found[0], self._recent[-1], self.number)
        elif self._failures > _FAILURES:
            raise AdapterError(found[0].text if found else "no session can be had any more")
        if found:
            self._again()

    def _again(self) -> None:
        self.runner.fresh()
        self._growth.restart()
        self._unseen.clear()
        self._recent.clear()

    # -- what is wrong ---------------------------------------------------------------------------------------------

    def suspect(self, symptom: Symptom, played: list[Case], number: int) -> bool:
        """Look into a symptom; return whether the process was used up by that."""
        known = self.buckets.known(symptom, played[-1])
        name = f"{symptom.kind}: {symptom.cause}"
        if known is not None or self._unconfirmed[name] >= _UNCONFIRMED:
            return False
        before = self._recent[-2] if len(self._recent) > 1 else []
        self._look_into(symptom, [before, played], number)
        return symptom.kind != "disagreement"

    def _look_into(self, symptom: Symptom, stages: list[list[Case]], number: int) -> bool:
        """Find out whether a symptom comes again, and of what. If we die of it, `--resume` does this once more."""
        self._log.event("symptom", number=number, **asdict(symptom), stages=stages)
        finding = self._explain(symptom, stages)
        if finding is None:
            self._unconfirmed[f"{symptom.kind}: {symptom.cause}"] += 1
            self._log.event("unconfirmed", number=number, **asdict(symptom))
        else:
            self._found(finding, number)
        self._log.event("settled", number=number)
        return finding is not None

    def _explain(self, symptom: Symptom, stages: list[list[Case]]) -> Finding | None:
        if symptom.kind == "disagreement":
            case = stages[-1][-1]
            return Finding(symptom.kind, symptom.cause, symptom.text, sorted(words(case)), case)
        if symptom.kind == "leak":
            return self._investigator.leaking(symptom, stages)
        if symptom.kind == "spin":
            return self._investigator.spinning(symptom, stages)
        return self._investigator.investigate(symptom, stages[-1], stages[0])

    def _found(self, finding: Finding, number: int) -> None:
        finding.number, finding.shard, finding.seed = number, self.spec.shard, self.spec.seed
        finding.seconds = round(time.monotonic() - self._begun, 1)
        if self.buckets.add(finding):
            self._log.event("finding", **finding.data())
            hand_over(finding, self.out / "findings", self.runner, self.spec.iut)
        if "coalesced" in finding.words and finding.kind == "deaf":
            self.runner.separate = True
        self._tell()

    # -- what it uses ----------------------------------------------------------------------------------------------

    def _resources(self, played: list[Case]) -> None:
        self._unseen += played
        if time.monotonic() - self._measured < _MEASURE:
            return
        played, self._unseen, self._measured = self._unseen, [], time.monotonic()
        for symptom in self._growth.see(monitors.usage(self.runner.iut.pid), played):
            stages = self._growth.suspects(symptom.cause)
            if self._unconfirmed[f"leak: {symptom.cause}"] >= _UNCONFIRMED:
                continue
            stages = [[case for case in stage if not self._leaks(case)] for stage in stages]
            self._look_into(symptom, stages, self.number)
            self._again()
            break

    def _leaks(self, case: Case) -> bool:
        """Whether a case is known to leak, so that another cause must be looked for beside it."""
        seen = words(case)
        return any(f.kind == "leak" and f.words and seen.issuperset(f.words) for f in self.buckets.all.values())

    def _watch(self) -> None:
        """Look whether the process is busy with nothing: between sessions, until it is seen to wait."""
        if self.runner.iut.death or self._unconfirmed["spin: CPU"] >= _UNCONFIRMED:
            return
        self._busy = self._busy and monitors.runs(self.runner.iut.pid)
        if time.monotonic() - self._looked < _IDLE:
            return
        if self._busy and (found := self.runner.spin()):
            self._look_into(found[0], list(self._recent), self.number)
            self._again()
        self._recent.clear()
        self._looked, self._busy = time.monotonic(), True

    # -- telling ---------------------------------------------------------------------------------------------------

    def _tell(self, *, done: bool = False) -> None:
        now = time.monotonic()
        if now - self._reported < _STATUS and not done:
            return
        self._reported = now
        status = self.status
        status.cases, status.stages, status.seconds = self.number - self._absent, self.stage, now - self._begun
        status.found = [finding.data() for finding in self.buckets.all.values()]
        status.coverage, status.unconfirmed = dict(self._coverage), dict(self._unconfirmed)
        if hasattr(self, "runner"):
            status.restarts = self.runner.restarts
        if hasattr(self, "novelty"):
            status.new, status.corpus = self.novelty.count, len(self._generator.corpus)
        status.lines = self.lines.count if self.lines is not None else 0
        status.done = done
        self._log.event("status", cases=status.cases, seconds=round(status.seconds, 2), found=len(status.found))
        self._report(status)

"""One shard of a campaign: makes cases, plays them, watches, and turns what is wrong into findings."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.iut import stacks
from conformance.iut.errors import AdapterError
from fuzz import monitors
from fuzz.campaign.compare import Comparison
from fuzz.campaign.growth import Growth
from fuzz.campaign.investigate import Investigator
from fuzz.campaign.log import Log, Past
from fuzz.campaign.player import StageFailed
from fuzz.campaign.record import hand_over
from fuzz.campaign.runner import Runner
from fuzz.describe import words
from fuzz.findings import Buckets, Finding, load
from fuzz.generate import PER_STAGE, Generator
from fuzz.novelty import Novelty
from fuzz.oracle import Symptom

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.campaign.runner import Scene

Case = dict[str, Any]

_REMEMBERED = 24  # stages, for blame
_STATUS = 0.5
_IDLE = 1.5  # seconds between two looks at an idle process
_FAILURES = 5  # sessions in a row that could not be had
_UNCONFIRMED = 3  # times that a symptom that does not come again is looked into


@dataclass(slots=True)
class Spec:
    """What a shard is to do. A campaign is a function of seed, shard and corpus."""

    iut: str
    out: str
    seed: int = 0
    shard: int = 0
    cases: int = 0
    seconds: float = 0.0
    against: str = ""
    resume: bool = False
    corpus: list[Case] = field(default_factory=list)


@dataclass(slots=True)
class Status:
    """What the live view and the report are made of."""

    cases: int = 0
    stages: int = 0
    seconds: float = 0.0
    restarts: int = 0
    new: int = 0
    corpus: int = 0
    found: list[dict[str, Any]] = field(default_factory=list)
    coverage: dict[str, int] = field(default_factory=dict)
    unconfirmed: dict[str, int] = field(default_factory=dict)
    last_new: float = 0.0
    skipped: int = 0
    lines: int = 0
    done: bool = False
    problem: str = ""


class Shard:
    """Runs until its time or its cases are over, or `stopped` says so."""

    def __init__(self, spec: Spec, report: Callable[[Status], None], stopped: Callable[[], bool]) -> None:
        self.spec, self._report, self._stopped = spec, report, stopped
        self.out = Path(spec.out)
        self.status = Status()
        self.buckets = Buckets()
        self._coverage: Counter[str] = Counter()
        self._unconfirmed: Counter[str] = Counter()
        self._recent: deque[list[Case]] = deque(maxlen=_REMEMBERED)
        self._begun = time.monotonic()
        self._reported = self._looked = 0.0
        self._number = self._stage = self._failures = 0

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
        return self.status

    def _run(self, past: Past) -> None:
        spec = self.spec
        self._runner = Runner(stacks.resolve(spec.iut))
        try:
            hello = self._runner.iut.greet()
            self._generator = Generator(spec.seed, spec.shard, hello.pics)
            self._generator.corpus += [*spec.corpus, *past.corpus]
            if not self._generator.plans:
                raise AdapterError("it neither opens nor accepts TCP connections, as its pics say")
            self._number, self._stage = past.cases, past.stages
            self._begun -= past.seconds
            self._load()
            self._log.event("begin", iut=hello.name, version=hello.version, seed=spec.seed, shard=spec.shard)
            median = self._runner.calibrate(self._plain())
            self._novelty = Novelty(median)
            self._growth = Growth()
            self._investigator = Investigator(self._runner)
            self._comparison = Comparison(spec.against, self._plain()) if spec.against else None
            self._loop()
        except StageFailed as error:
            raise AdapterError(f"it does not do the simplest thing: {error}") from None
        finally:
            self._runner.close()
            if getattr(self, "_comparison", None) is not None:
                self._comparison.close()  # type: ignore[union-attr]

    def _plain(self) -> dict[str, Any]:
        return self._generator.plans[0]

    def _load(self) -> None:
        """Know what was found before, by this shard or another."""
        for file in sorted(self.out.glob("findings/*/finding.json")) if self.spec.resume else ():
            self.buckets.add(load(file))

    # -- the loop --------------------------------------------------------------------------------------------------

    @property
    def _over(self) -> bool:
        spec = self.spec
        elapsed = time.monotonic() - self._begun
        return (
            self._stopped()
            or (spec.cases > 0 and self._number >= spec.cases)
            or (spec.seconds > 0 and elapsed >= spec.seconds)
        )

    def _loop(self) -> None:
        while not self._over:
            self._tell()
            if self._number % PER_STAGE == PER_STAGE - 1:
                self._describe()
            else:
                self._play_stage(self._number // PER_STAGE)
            self._watch()

    def _play_stage(self, block: int) -> None:
        """Play what is left of a block of cases, which is about one kind of session, as far as a session goes."""
        plan = self._generator.plan(block)
        if self.buckets.avoids({"plan": plan, "steps": []}):
            plan = self._plain()
        self._stage += 1
        try:
            scene = self._runner.scene(plan)
        except StageFailed:
            self._no_stage(plan)
            return
        self._failures = 0
        if self._comparison is not None:
            self._comparison.begin(plan)
        played: list[Case] = []
        self._recent.append(played)
        fatal = False
        while self._number % PER_STAGE < PER_STAGE - 1 and not self._over and not fatal and not scene.over:
            case = self._next(plan)
            played.append(case)
            fatal = self._play(scene, case, played)
        scene.close()
        if self._comparison is not None:
            self._comparison.end()
        if fatal:
            self._again()
        else:
            self._resources(played)

    def _next(self, plan: dict[str, Any]) -> Case:
        case = self._generator.case(self._number, plan)
        for attempt in range(1, 8):
            if not self.buckets.avoids(case):
                break
            self.status.skipped += 1
            case = self._generator.case(self._number, plan, attempt)
        else:
            case = {"class": "valid", "plan": plan, "steps": []}
        return case

    def _play(self, scene: Scene, case: Case, played: list[Case]) -> bool:
        """Play a case; return whether the process is spoilt."""
        begun = time.perf_counter()
        found = scene.play(case)
        fatal = any(symptom.kind in ("death", "hang") for symptom in found)
        if not fatal and not scene.answered:
            health = self._runner.health(scene)
            fatal = bool(health)
            found = health + found
        number, self._number = self._number, self._number + 1
        plan = case["plan"]
        self._coverage[f"{plan['side']} {plan['iut']} {plan['state']} {case['class']}"] += 1
        result, new = self._novelty.see(case, scene.outcome)
        if new and not found:
            self._learn(case, number, result)
        if self._comparison is not None and not fatal:
            found += self._comparison.play(case, scene)
        self._log.case(number, self._stage, case["class"], result, (time.perf_counter() - begun) * 1000)
        for symptom in _worst(found):
            fatal = self._suspect(symptom, played, number) or fatal
        return fatal

    def _learn(self, case: Case, number: int, result: str) -> None:
        self._generator.corpus.append(case)
        self.status.last_new = time.monotonic() - self._begun
        self._log.event("new", number=number, stage=self._stage, result=result, case=case)

    def _describe(self) -> None:
        """Play a mutation of the description: it takes a session of its own."""
        number, self._number = self._number, self._number + 1
        case = self._generator.sdp_case(number)
        if self.buckets.avoids(case):
            self.status.skipped += 1
            return
        begun = time.perf_counter()
        found = [s for s in self._runner.trial(case) if s.kind in ("death", "hang", "exception")]
        plan = case["plan"]
        self._coverage[f"{plan['side']} {plan['iut']} {plan['state']} sdp"] += 1
        self._log.case(number, self._stage, "sdp", "", (time.perf_counter() - begun) * 1000)
        for symptom in found:
            self._suspect(symptom, [case], number)
        if self._runner.spoilt:
            self._again()

    def _no_stage(self, plan: dict[str, Any]) -> None:
        """No session could be had: the process is dead or hangs, perhaps by what came before."""
        found = self._runner.health(None)
        self._failures += 1
        if found and self._recent and self._recent[-1]:
            self._suspect(found[0], self._recent[-1], self._number)
        elif self._failures > _FAILURES:
            raise AdapterError(found[0].text if found else "no session can be had any more")
        if found:
            self._again()

    def _again(self) -> None:
        self._runner.fresh()
        self._growth.restart()
        self._recent.clear()

    # -- what is wrong ---------------------------------------------------------------------------------------------

    def _suspect(self, symptom: Symptom, played: list[Case], number: int) -> bool:
        """Look into a symptom; return whether the process was used up by that."""
        known = self.buckets.known(symptom, played[-1])
        name = f"{symptom.kind}: {symptom.cause}"
        if known is not None or self._unconfirmed[name] >= _UNCONFIRMED:
            return False
        self._log.event("symptom", number=number, kind=symptom.kind, cause=symptom.cause, case=played[-1])
        if symptom.kind == "disagreement":
            finding: Finding | None = Finding(
                symptom.kind, symptom.cause, symptom.text, sorted(words(played[-1])), played[-1]
            )
        else:
            before = self._recent[-2] if len(self._recent) > 1 else ()
            finding = self._investigator.investigate(symptom, played, before)
        if finding is None:
            self._unconfirmed[name] += 1
            self._log.event("unconfirmed", number=number, kind=symptom.kind, cause=symptom.cause, text=symptom.text)
        else:
            self._found(finding, number)
        return symptom.kind != "disagreement"

    def _found(self, finding: Finding, number: int) -> None:
        finding.number, finding.shard, finding.seed = number, self.spec.shard, self.spec.seed
        finding.seconds = round(time.monotonic() - self._begun, 1)
        if self.buckets.add(finding):
            self._log.event("finding", **finding.data())
            hand_over(finding, self.out / "findings", self._runner, self.spec.iut)
        if "coalesced" in finding.words and finding.kind == "deaf":
            self._runner.separate = True
        self._tell()

    # -- what it uses ----------------------------------------------------------------------------------------------

    def _resources(self, played: list[Case]) -> None:
        for symptom in self._growth.see(monitors.usage(self._runner.iut.pid), played):
            stages = self._growth.suspects(symptom.cause)
            if self._unconfirmed[f"leak: {symptom.cause}"] >= _UNCONFIRMED:
                continue
            stages = [[case for case in stage if not self._leaks(case)] for stage in stages]
            finding = self._investigator.leaking(symptom, stages)
            if finding is None:
                self._unconfirmed[f"leak: {symptom.cause}"] += 1
                self._log.event("unconfirmed", kind="leak", cause=symptom.cause, text=symptom.text)
            else:
                self._found(finding, self._number)
            self._again()
            break

    def _leaks(self, case: Case) -> bool:
        """Whether a case is known to leak, so that another cause must be looked for beside it."""
        seen = words(case)
        return any(f.kind == "leak" and f.words and seen.issuperset(f.words) for f in self.buckets.all.values())

    def _watch(self) -> None:
        """Look whether the process is busy with nothing."""
        if time.monotonic() - self._looked < _IDLE or self._runner.iut.death:
            return
        if monitors.busy(self._runner.iut.pid, 0.05) > 0.7 and (found := self._runner.spin()):
            finding = self._investigator.spinning(found[0], list(self._recent))
            if finding is None:
                self._unconfirmed["spin: CPU"] += 1
            else:
                self._found(finding, self._number)
            self._again()
        self._recent.clear()
        self._looked = time.monotonic()

    # -- telling ---------------------------------------------------------------------------------------------------

    def _tell(self, *, done: bool = False) -> None:
        now = time.monotonic()
        if now - self._reported < _STATUS and not done:
            return
        self._reported = now
        status = self.status
        status.cases, status.stages, status.seconds = self._number, self._stage, now - self._begun
        status.found = [finding.data() for finding in self.buckets.all.values()]
        status.coverage, status.unconfirmed = dict(self._coverage), dict(self._unconfirmed)
        if hasattr(self, "_runner"):
            status.restarts = self._runner.restarts
        if hasattr(self, "_novelty"):
            status.new, status.corpus = self._novelty.count, len(self._generator.corpus)
        status.done = done
        self._log.event("status", cases=status.cases, seconds=round(status.seconds, 2), found=len(status.found))
        self._report(status)


def _worst(found: list[Symptom]) -> list[Symptom]:
    """Return what is to be looked into: beside a death, a hang or an exception everything else follows from it."""
    for kind in ("death", "hang", "exception"):
        first = [symptom for symptom in found if symptom.kind == kind]
        if first:
            return first[:1]
    return found

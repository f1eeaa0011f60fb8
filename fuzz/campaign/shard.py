"""One shard of a campaign: plays its cases, watches the process, and tells how it goes."""

from __future__ import annotations

import queue
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.iut import stacks
from conformance.iut.errors import AdapterError
from fuzz.campaign.blocks import Blocks
from fuzz.campaign.budget import Budget
from fuzz.campaign.comparison import Comparison
from fuzz.campaign.growth import Growth
from fuzz.campaign.iut import Iut, starter
from fuzz.campaign.line_coverage import Lines
from fuzz.campaign.log import Log, Past
from fuzz.campaign.notes import Notes
from fuzz.campaign.parts import Parts
from fuzz.campaign.pipeline import Pipeline, worst
from fuzz.campaign.spec import Spec, Status, identity
from fuzz.campaign.suspicions import Suspicions
from fuzz.dangerous import cases
from fuzz.describe import words
from fuzz.findings import Buckets, from_data, load
from fuzz.generate import Generator
from fuzz.judging import monitors
from fuzz.judging.runner import Runner
from fuzz.judging.session import at_end
from fuzz.judging.symptom import Evidence, Symptom
from fuzz.novelty import Novelty
from fuzz.player.outcome import SessionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.judging.session import JudgedSession

Case = dict[str, Any]

_REMEMBERED = 24  # sessions, one of which may have made the process spin
_STATUS = 0.5  # seconds between two reports
_IDLE = 1.5  # seconds between two looks at an idle process
_MEASURE = 0.05  # seconds between two looks at what a process holds
_UNMEASURED = 2  # sessions between two looks, at most: a fast IUT plays a hundred in a second
_LAST = 0.3  # seconds after the last case in which the process may still die or complain
_FAILURES = 5  # sessions in a row that could not be opened
_OF_DESCRIPTIONS = ("death", "hang", "exception", "garbage")  # kinds that a mutated description can be blamed for


class Shard:
    """Runs until its time or its cases are over, or `stopped` says so."""

    def __init__(
        self,
        spec: Spec,
        report: Callable[[Status], None],
        stopped: Callable[[], bool],
        known: queue.SimpleQueue[dict[str, Any]] | None = None,
    ) -> None:
        self.spec, self._report = spec, report
        self._known: queue.SimpleQueue[dict[str, Any]] = known or queue.SimpleQueue()
        self.out = Path(spec.out)
        self.status = Status()
        self.buckets = Buckets()
        self.budget = Budget(spec, stopped)
        self.parts: Parts | None = None
        self._lines = Lines() if spec.lines else None
        self._recent: deque[list[Case]] = deque(maxlen=_REMEMBERED)
        self._session: JudgedSession | None = None  # the last one that this process was in
        self._reported = self._looked = 0.0
        self._busy = True  # as far as was seen
        self._measured = 0.0
        self._unmeasured: list[list[Case]] = []  # played since the last look at what the process holds
        self._failures = 0
        self._growth = Growth()

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
            if self._lines is not None:
                self._lines.close()
        return self.status

    def _run(self, past: Past) -> None:
        spec = self.spec
        stack = stacks.resolve(spec.iut)
        environment = self._lines.environment(stack.environment) if self._lines is not None else {}
        self._runner = Runner(starter(stack, environment))
        try:
            self.parts = self._begin(past)
            self._load(past)
            self._loop()
            self._last_look()
            self._end_of_input()
        except SessionFailed as error:
            raise AdapterError(f"it does not do the simplest thing: {error}") from None
        finally:
            self._runner.close()
            if self.parts is not None and self.parts.comparison is not None:
                self.parts.comparison.close()

    def _begin(self, past: Past) -> Parts:
        """Make the parts of the shard. Raises `AdapterError` if the IUT cannot be fuzzed."""
        spec, runner = self.spec, self._runner
        assert isinstance(runner.iut, Iut)
        hello = runner.iut.greet()
        dictionary = [bytes.fromhex(word) for word in spec.words]
        generator = Generator(spec.seed, spec.shard, hello.pics, spec.classes, spec.connections, dictionary)
        generator.corpus += [*spec.corpus, *past.corpus]
        if not generator.plans:
            raise AdapterError("it neither opens nor accepts TCP connections, as its pics say")
        self.budget.resume(past.seconds, past.cases)
        self.status.rows = sorted({f"{p['side']} {p['iut']} {p['state']}" for p in generator.plans})
        self._log.event("begin", iut=hello.name, version=hello.version, **identity(spec))
        median = runner.calibrate(generator.plans[0])
        dangerous = cases(hello.pics, spec.shard) if generator.dangerous else []
        if self._lines is not None and not self._lines.fresh():
            raise AdapterError("it executes no lines of Python, or does not let them be seen")
        return Parts(
            runner=runner,
            blocks=Blocks(generator, self.buckets, self.budget, past, dangerous),
            notes=Notes(self._log, generator, self.budget),
            novelty=Novelty(median),
            buckets=self.buckets,
            suspicions=Suspicions(spec, runner, self.buckets, self.budget, self._log, self._tell),
            comparison=Comparison(spec.against, generator.plans[0]) if spec.against else None,
            lines=self._lines,
        )

    def _load(self, past: Past) -> None:
        """Know what was found before, by this shard or another, and finish what was being investigated."""
        for file in sorted(self.out.glob("*/*/finding.json")) if self.spec.resume else ():
            self.buckets.add(load(file))
        assert self.parts is not None
        if self.parts.suspicions.resume([from_data(found) for found in past.findings], past.pending):
            self._replace_process()

    # -- the loop --------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        assert self.parts is not None
        while not (self.budget.over or self.parts.blocks.exhausted):
            self._tell()
            self._hear(self.parts)
            if self.parts.blocks.describes:
                self._describe(self.parts)
            else:
                self._play_session(self.parts)
            self._watch(self.parts)

    def _hear(self, parts: Parts) -> None:
        """Take over what other shards have found: their findings are known, their new cases are in the corpus."""
        while not self._known.empty():
            told = self._known.get()
            if "finding" in told:
                finding = from_data(told["finding"])
                if finding.bucket not in self.buckets.all and self.buckets.add(finding):
                    self._log.event("known", bucket=finding.bucket)
            elif parts.novelty.share(told["case"], told["result"]):
                parts.notes.share(told["case"])

    def _play_session(self, parts: Parts) -> None:
        """Play what is left of a block of cases, until the session is over."""
        plan = parts.blocks.begin()
        parts.notes.session = parts.blocks.session
        try:
            session = parts.runner.session(plan, foreseen=True)
        except SessionFailed:
            self._no_session(parts, plan)
            return
        self._failures, self._session = 0, session
        if parts.comparison is not None:
            parts.comparison.begin(plan)
        parts.suspicions.before = self._recent[-1] if self._recent else []
        played: list[Case] = []
        self._recent.append(played)
        parts.runner.foresee(parts.blocks.plan())
        pipeline = Pipeline(parts, session, plan, played)
        fatal = pipeline.run()
        session.close()
        fatal = fatal or pipeline.late()
        if parts.comparison is not None:
            parts.comparison.end()
        if fatal:
            self._replace_process()
        else:
            self._resources(parts, played)

    def _describe(self, parts: Parts) -> None:
        """Play a case whose description is the test: it takes a session of its own."""
        made = parts.blocks.description()
        if made is None:
            return
        case, number = made
        begun = time.perf_counter()
        found = [symptom for symptom in parts.runner.trial(case) if symptom.kind in _OF_DESCRIPTIONS]
        sightings = parts.runner.sightings
        seen = [one for symptom, _, one in sightings if symptom in found]
        recorded = seen[0] if seen else Evidence(parts.runner.iut.last_words())
        parts.runner.sightings = [one for one in sightings if one[0] not in found]
        parts.notes.note(case, number, "", time.perf_counter() - begun, new=False)
        for symptom in worst(found):
            parts.suspicions.suspect(symptom, [case], number, lambda: recorded)
        parts.suspicions.collect(number)
        if parts.runner.spoilt:
            self._replace_process()

    def _no_session(self, parts: Parts, plan: dict[str, Any]) -> None:
        """No session could be opened: the process is dead or hangs, perhaps by what came before."""
        found = parts.runner.health(None)
        self._failures += 1
        if found:
            evidence = self._evidence()
            parts.suspicions.suspect(found[0], self._played_last(plan), parts.blocks.number, lambda: evidence)
        if self._failures > _FAILURES:
            raise AdapterError(found[0].text if found else "no session can be opened any more")
        if found:
            self._replace_process()

    def _last_look(self) -> None:
        """See whether the process has died, or said anything, since the last session was closed."""
        assert self.parts is not None
        if self.parts.runner.spoilt:
            return
        self._runner.iut.dies(_LAST)  # or says something: what the last cases began may take effect only now
        evidence = self._evidence()
        for symptom in self._runner.late():
            played = self._played_last(self.parts.blocks.plain)
            self.parts.suspicions.suspect(symptom, played, self.parts.blocks.number, lambda: evidence)

    def _end_of_input(self) -> None:
        """See what shows only when the process ends by itself: what a sanitizer says of leaks, a crash in its teardown.

        It is a finding that no trial repeats, since trials end processes by force; `replay.py` does.
        """
        assert self.parts is not None
        iut = self._runner.iut
        if self.parts.runner.spoilt or not iut.usable:
            return
        heard, played = iut.heard, self._played_last(self.parts.blocks.plain)
        for symptom in at_end(iut):
            self.parts.suspicions.keep(symptom, [played], self.parts.blocks.number, Evidence(iut.last_words(heard)))

    def _evidence(self) -> Evidence:
        """Return what the process has said, and the history of its last session: the symptom came after that one."""
        session, iut = self._session, self._runner.iut
        return session.evidence() if session is not None and session.iut is iut else Evidence(iut.last_words())

    def _played_last(self, plan: dict[str, Any]) -> list[Case]:
        """Return the cases of the last session; a session without a case, if that is not known any more."""
        return list(self._recent[-1] if self._recent else ()) or [{"class": "valid", "plan": plan, "steps": []}]

    def _replace_process(self) -> None:
        self._runner.fresh()
        self._growth.restart()
        self._unmeasured.clear()
        self._recent.clear()
        self._session = None

    # -- what it uses ----------------------------------------------------------------------------------------------

    def _resources(self, parts: Parts, played: list[Case]) -> None:
        """Look whether the process holds more than it did."""
        self._unmeasured.append(played)
        if time.monotonic() - self._measured < _MEASURE and len(self._unmeasured) < _UNMEASURED:
            return
        played = [case for session in self._unmeasured for case in session]
        self._unmeasured, self._measured = [], time.monotonic()
        for symptom in self._growth.see(monitors.usage(parts.runner.iut.pid), played):
            if parts.suspicions.exhausted("leak", symptom.cause):
                continue
            sessions = self._growth.suspects(symptom.cause)
            sessions = [[case for case in session if not self._leaks(case)] for session in sessions]
            self._look_into(parts, symptom, sessions)
            break

    def _leaks(self, case: Case) -> bool:
        """Whether a case is known to leak, so that it hides another cause."""
        seen = words(case)
        return any(f.kind == "leak" and f.words and seen.issuperset(f.words) for f in self.buckets.all.values())

    def _watch(self, parts: Parts) -> None:
        """Look whether the process spins: between sessions, until it is seen to wait."""
        if not parts.runner.iut.usable or parts.suspicions.exhausted("spin", "CPU"):
            return
        self._busy = self._busy and monitors.runs(parts.runner.iut.pid)
        if time.monotonic() - self._looked < _IDLE:
            return
        if self._busy and (found := parts.runner.spin()):
            self._look_into(parts, found[0], list(self._recent))
        self._recent.clear()
        self._looked, self._busy = time.monotonic(), True

    def _look_into(self, parts: Parts, symptom: Symptom, sessions: list[list[Case]]) -> None:
        parts.suspicions.look_into(symptom, sessions, parts.blocks.number)
        self._replace_process()

    # -- telling ---------------------------------------------------------------------------------------------------

    def _tell(self, *, done: bool = False) -> None:
        now = time.monotonic()
        if now - self._reported < _STATUS and not done:
            return
        self._reported = now
        status, parts = self.status, self.parts
        status.seconds, status.done = self.budget.elapsed, done
        status.found = [finding.data() for finding in self.buckets.all.values()]
        if parts is not None:
            if parts.comparison is not None:
                status.others_ends = dict(parts.comparison.ends)
            status.cases, status.sessions, status.skipped = (
                parts.blocks.cases,
                parts.blocks.session,
                parts.blocks.skipped,
            )
            status.coverage, status.last_new = dict(parts.notes.coverage), parts.notes.last_new
            status.unconfirmed = dict(parts.suspicions.unconfirmed)
            status.restarts, status.new = parts.runner.restarts, parts.novelty.count
        status.lines = self._lines.count if self._lines is not None else 0
        self._log.event("status", cases=status.cases, seconds=round(status.seconds, 2), found=len(status.found))
        self._report(status)

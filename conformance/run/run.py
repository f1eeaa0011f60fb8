"""One run: from the premise to the first case, and from the last verdict to the written reports."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.catalogue import REQUIREMENTS, added
from conformance.run.engine import Case, Engine, of_source
from conformance.run.evidence import told
from conformance.run.forking import fork
from conformance.run.interrupts import opened
from conformance.run.known import KnownFailures
from conformance.run.premise import Premise, broken_off, information
from conformance.run.reading import ReadingProcess
from conformance.run.recording import Recording, file_of
from conformance.run.scan import verdicts
from conformance.run.session import os_error
from conformance.run.settings import is_inline, jobs_of, pixit_of, settings_of
from conformance.verdict import Level, Result, Verdict, case_name, executions_of, is_rule
from reports import causes, flaky
from reports.expectations import ExpectationError
from reports.folder import FolderError
from reports.reach import judged, not_judged
from reports.record import NoRecorder, Recorder, ReportError, RunInfo, cannot_write

if TYPE_CHECKING:
    import queue
    from collections.abc import Collection, Sequence

    from conformance.iut.incidents import Incident
    from conformance.iut.pool import Pool
    from conformance.run.testers import Testers


@dataclass(slots=True)
class Run:
    """What a run holds from its beginning to its end."""

    info: RunInfo
    engine: Engine
    premise: Premise
    pool: Pool
    recording: Recording
    reader: ReadingProcess
    recorder: Recorder | NoRecorder
    worker: str
    out: Path
    fail_on: Level
    jobs: int
    inline: bool
    repeat: str
    known: KnownFailures
    config: pytest.Config
    variants: Sequence[Case] = ()
    tested: Collection[str] = ()
    total: int = 0
    testers: Testers | None = None  # processes that execute the cases; without them this one does
    _prepared: bool = False

    @classmethod
    def begin(
        cls,
        config: pytest.Config,
        premise: Premise,
        *,
        tested: Collection[str] = (),
        variants: Sequence[Case] = (),
        partial: bool = False,
    ) -> Run:
        """Begin to write, now that the IUT has said hello and cases have been selected.

        `tested` are the requirements that have cases, `variants` what was selected, as far
        as it is known, and `partial` whether that is not the whole suite.
        Ends the session with status 3 where the folder cannot be written to.
        """
        worker = getattr(config, "workerinput", {}).get("workerid", "")
        hello, stack, recording = premise.hello, premise.stack, premise.recording
        out = premise.folder.path
        pixit = pixit_of(config, premise)
        info = information(config, hello, stack, recording.link)
        info.pending = sum(1 for r in REQUIREMENTS.values() if r.id not in tested and not r.untestable)
        info.cases, info.variants = len({case_name(variant.id) for variant in variants}), len(variants)
        info.pics, info.scan = dict(premise.pics), (*premise.scan.findings, *premise.scan.told)
        info.testable, info.with_cases = len(tested) + info.pending, len(tested)
        info.required_reach = config.getoption("icetcp_require_reach") / 100
        info.pixit = asdict(pixit)
        info.partial = partial
        info.private = [asdict(requirement) for requirement in added()]
        functions = {variant.function for variant in variants}
        info.left_out = {r: len(c & functions) for r, c in premise.applicability.left_out.items() if c & functions}
        info.notes = tuple(recording.notes)
        try:
            premise.folder.clear(hello.name)
            premise.keep_logs()
            recorder = NoRecorder() if worker else Recorder(out / "record.jsonl", info)
        except FolderError as error:
            raise pytest.UsageError(str(error)) from None
        except OSError as error:
            raise broken_off(os_error(error)) from None
        except ReportError as error:
            raise broken_off(str(error)) from None
        settings = settings_of(config, premise)
        testers = fork(config, premise, variants)
        if testers is None:
            try:
                recording.record()
            except OSError as error:
                raise broken_off(os_error(error)) from None
        reader = ReadingProcess(hello.name, settings.repeat, out)
        recording.on_capture = reader.take
        run = cls(
            info=info,
            engine=Engine(premise.pool, recording, settings, premise.pics),
            premise=premise,
            pool=premise.pool,
            recording=recording,
            reader=reader,
            recorder=recorder,
            worker=worker,
            out=out,
            fail_on=Level(config.getoption("icetcp_fail_on")),
            jobs=jobs_of(config, premise),
            inline=is_inline(config, premise),
            repeat=settings.repeat,
            known=premise.known,
            config=config,
            variants=variants,
            tested=tested,
        )
        if testers is not None:
            run._use(testers)
        return run

    def _use(self, testers: Testers) -> None:
        """Let tester processes execute the cases."""
        self.testers = testers
        self.reader.niceness = 0  # it takes a third of what the cases take: held up, it would end long after them
        testers.blank, testers.on_capture, testers.unread = self.engine.blank, self.reader.take, self.reader.unread
        self.reader.on_read = testers.go_on

    def start(self) -> queue.SimpleQueue[tuple[Case | None, Result | BaseException]]:
        """Begin to execute the cases; the queue brings each one's result as it is done."""
        if self.testers is not None:
            return self.testers.start(self.variants, self.engine.settings.length)
        return self.engine.start(self.variants, self.jobs)

    def record(self, result: Result) -> None:
        """Write a verdict down as soon as it is known."""
        if self.testers is not None and not self._prepared:
            self._prepared = True
            threading.Thread(target=_prepare_reports, name="reports", daemon=True).start()
        self.annotate(result)
        self._explain(result)
        self.recorder.write(result)

    def _explain(self, result: Result) -> None:
        """Give a result that did not pass the ladder of its capture."""
        if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            result.ladder = self.reader.ladder(executions_of(result)[-1])
            result.broken = self.reader.broken(executions_of(result)[-1])

    def annotate(self, result: Result) -> None:
        """Note on a result what is known of it."""
        self.known.mark(result)

    def finish(self, results: list[Result], *, complete: bool) -> list[Path]:
        """End the IUT, cross-check the captures, write the reports; return what was written.

        Not `complete` (interrupted): nothing is waited for, and the captures are not cross-checked. An interrupt
        meanwhile makes it so. Ends the session with status 3 if the reports cannot be written.
        """
        from conformance.run import outputs  # here, so that the first verdict need not wait

        self.engine.stop()
        try:
            if complete:
                self.reader.end()  # the last captures are read while adapters end
                self._end_in_order()
                self._settle_incidents(results, until=math.inf)
                self._add_scan(results)
                self._read_captures(results)
        except KeyboardInterrupt:
            complete = False
        except ReportError as error:
            raise broken_off(str(error)) from None
        finally:
            self._kill()
        if not complete:
            self._settle_incidents(results, until=self.engine.stopped)
        for result in flaky.tell(results):
            self.recorder.write(result)
        self._end_expectations(results, complete=complete)
        found = causes.find(results, REQUIREMENTS)
        self.info.causes = [cause.data() for cause in found]
        self.info.judged_requirements = len(judged(results))
        self.info.not_judged = [group.data() for group in not_judged(results)]
        self.info.duration, self.info.interrupted = time.time() - self.info.started, not complete
        self.info.notes = (*self.recording.notes, *self.engine.failures)
        if self.worker:
            return []  # the controller writes the reports
        try:
            self.recorder.close(self.info)
            with ThreadPoolExecutor(1, "page") as beside:  # most of it is compression, which leaves this thread alone
                writing = beside.submit(self._write_page, results, found)
                written = outputs.write(self.config, self.out, self.info, results, self.fail_on)
            page = writing.result()
        except ReportError as error:
            raise broken_off(str(error)) from None
        return [page, *written, self.out / "record.jsonl", self.recording.folder, self.out / "logs"]

    def _end_in_order(self) -> None:
        """End what executes cases, and the IUT, as the contract says."""
        with opened():
            if self.testers is not None:
                self.testers.stop()
                self.testers.close()
            self.pool.close()
            self.recording.close()

    def _kill(self) -> None:
        """End all that still runs."""
        if self.testers is not None:
            self.testers.kill()
            self.recording.notes += self.testers.notes
        self.pool.kill()
        self.recording.close()
        self.reader.kill()

    def _write_page(self, results: list[Result], found: list[causes.Cause]) -> Path:
        """Write report.html. Raises `ReportError`."""
        from conformance.run import pages
        from reports.html import report

        read = self.reader.exchanges()
        exchanges = {result.case: read[name] for result in results if (name := executions_of(result)[-1]) in read}
        origins = {file_of(name): name for name in read}
        rules = [result for result in results if is_rule(result.case) and result.capture in origins]
        exchanges |= {rule.case: read[origins[rule.capture]] for rule in rules}
        contents = report.Contents(
            run=self.info,
            results=results,
            causes=found,
            requirements=pages.asked(self.tested),
            folder=self.out,
            exchanges=exchanges,
            purposes=pages.purposes(self.variants),
            judgement=pages.judgement(results, self.info, self.fail_on),
        )
        try:
            return report.write(contents)
        except OSError as error:
            raise cannot_write(self.out / report.NAME, error) from None

    def _end_expectations(self, results: list[Result], *, complete: bool) -> None:
        """Note what is known of the final verdicts, and add what should have failed and did not."""
        if self.worker or (not self.known.any and not self.known.writes):
            return
        for result in results:
            if self.known.mark(result):
                self.recorder.write(result)
        before = {result.case: result.known for result in results}
        try:
            found = self.known.end(results, partial=self.info.partial, complete=complete)
        except ExpectationError as error:
            raise broken_off(str(error)) from None
        for result in [*(r for r in results if r.known != before[r.case]), *found]:
            self.recorder.write(result)
        results += found

    def _settle_incidents(self, results: list[Result], *, until: float) -> None:
        """Take the pass from cases whose adapter failed without anybody knowing by whose doing.

        `until`: what happened later was our own doing, since an interrupted run leaves calls unanswered.
        """
        incidents = [incident for incident in self._incidents() if incident.time < until]
        self.info.incidents = tuple(told(incidents))
        by_case = {result.case: result for result in results}
        for result in self.engine.suspicion.settle(incidents, by_case):
            if result.case not in by_case:
                result.iut, result.repeat = self.info.iut, self.info.command_line
                results.append(result)
            self._explain(result)
            self.recorder.write(result)

    def _incidents(self) -> list[Incident]:
        """Return what the adapter did against the contract, in all processes."""
        if self.testers is None:
            return self.premise.incidents
        self.engine.suspicion.learn(self.testers.culprits)
        return sorted([*self.premise.incidents, *self.testers.incidents], key=lambda incident: incident.time)

    def _add_scan(self, results: list[Result]) -> None:
        """Let what is declared and not done fail; of workers the controller has seen the same."""
        if self.worker:
            return
        for result in verdicts(self.premise.scan, iut=self.info.iut, repeat=self.info.command_line):
            self.recorder.write(result)
            results.append(result)

    def _read_captures(self, results: list[Result]) -> None:
        """Let the rules and the third witness have their say on what the cases left."""
        with opened():
            readings = self.reader.readings()
        self.info.judged = readings.held
        files = {variant.id: variant.source for variant in self.variants if variant.source}
        by_case = {name: result for result in results for name in executions_of(result)}
        sources = {file_of(name): files[result.case] for name, result in by_case.items() if result.case in files}
        for result in readings.findings:  # what breaks a rule joins the verdicts of the cases
            result.repeat += of_source(sources.get(result.capture, ""))
            self.annotate(result)
            self.recorder.write(result)
            results.append(result)
        for case, (_, reading) in readings.cases.items():
            if reading.problem and case in by_case:
                self._doubt(by_case[case], reading.problem)
        if readings.unchecked:
            self.recording.notes.append(readings.unchecked)
        for case, (own, tshark) in readings.differences.items():
            self._doubt(by_case[case], "our decoder and tshark read the capture differently", own, tshark)

    def _doubt(self, result: Result, why: str, expected: str = "", actual: str = "") -> None:
        """Give a case the verdict of a test system that does not trust itself."""
        result.overwrite(Verdict.ERROR, why, expected=expected, actual=actual)
        self._explain(result)
        self.recorder.write(result)


def _prepare_reports() -> None:
    """Import what writes the reports, and read their templates, between two verdicts instead of behind the last.

    Not before the first verdict, and not where the cases are executed in this process: they need its time.
    """
    from conformance.run import outputs, pages  # noqa: F401
    from reports import html
    from reports.html import report  # noqa: F401

    for template in ("report.html.j2", "base.html.j2", "components.html.j2"):
        html.environment().get_template(template)

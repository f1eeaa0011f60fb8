"""One run: from the options to the started IUT, and from the last verdict to the written reports."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import validate
from conformance.iut import stacks
from conformance.iut.errors import AdapterError, StackError
from conformance.iut.pool import Hello, Pool
from conformance.peer.pixit import Pixit
from conformance.run.crosscheck import disagreements
from conformance.run.engine import Engine, Settings
from conformance.run.reading import ReadingProcess
from conformance.run.recording import LabRefused, Recording
from conformance.run.version import own_version
from conformance.suites.dimensions import usual_form
from conformance.verdict import ExitStatus, Level, Result, Verdict, case_name
from pcaps.tshark import TsharkFailed, TsharkMissing
from reports.record import NoRecorder, Recorder, ReportError, RunInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_AT_ONCE = 64  # cases wait most of their time; 64 keep two cores busy without starving each other's deadlines
_PROCESSES = 8


@dataclass(slots=True)
class Run:
    """What a run holds from its beginning to its end."""

    info: RunInfo
    engine: Engine
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
    known: Mapping[str, Any]
    total: int = 0

    @classmethod
    def begin(
        cls,
        config: pytest.Config,
        *,
        worker: str = "",
        tested: Collection[str] = (),
        variants: Collection[str] = (),
    ) -> Run:
        """Enter the lab, start the IUT and greet it. `variants`: the ids of what was selected, as far as it is known.

        Raises `pytest.UsageError` for what the user can mend in the command, and ends the session with status 3
        where the IUT cannot be judged.
        """
        stack = resolve(config.getoption("iut"))
        out = output_folder(Path(config.getoption("icetcp_out")), shared=bool(worker))
        recording = _begin_recording(out, config.getoption("icetcp_link"))
        response = config.getoption("icetcp_timeout")
        pixit = Pixit() if response is None else Pixit.scaled(response)
        pool = Pool(stack, processes=_PROCESSES, log_dir=out / "logs")
        try:
            hello = _greet(pool, stack)
            info = _info(config, hello, stack, recording.link)
            info.pending = sum(1 for r in REQUIREMENTS.values() if r.id not in tested and not r.untestable)
            info.cases, info.variants = len({case_name(variant) for variant in variants}), len(variants)
            info.notes = tuple(recording.notes)
            recorder = NoRecorder() if worker else Recorder(out / "record.jsonl", info)
        except (ReportError, pytest.exit.Exception) as error:
            pool.kill()
            recording.close()
            raise error if isinstance(error, pytest.exit.Exception) else broken_off(str(error)) from None
        jobs = config.getoption("icetcp_jobs") or stack.jobs or _AT_ONCE
        sessions = int(hello.pics.get("sessions", 1))
        seed = config.getoption("icetcp_seed")
        settings = Settings(iut=hello.name, out=out, pixit=pixit, seed=seed, repeat=_repeat(config))
        reader = ReadingProcess(hello.name, settings.repeat, out)
        recording.on_capture = reader.take
        return cls(
            info=info,
            engine=Engine(pool, recording, settings, hello.pics),
            pool=pool,
            recording=recording,
            reader=reader,
            recorder=recorder,
            worker=worker,
            out=out,
            fail_on=Level(config.getoption("icetcp_fail_on")),
            jobs=min(jobs, sessions * _PROCESSES),
            inline=jobs == 1 or bool(worker),
            repeat=settings.repeat,
            known=stacks.expectations(stack),
        )

    def record(self, result: Result) -> None:
        """Write a verdict down as soon as it is known."""
        self._annotate(result)
        self._explain(result)
        self.recorder.write(result)

    def _explain(self, result: Result) -> None:
        """Give a result that is no pass the ladder of its capture."""
        if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            result.ladder = self.reader.ladder(result.case)

    def _annotate(self, result: Result) -> None:
        known = self.known.get(result.case) or self.known.get(usual_form(result.case))
        if known is None or result.verdict is Verdict.NOT_APPLICABLE:
            return
        if known.verdict is result.verdict:
            result.note = f"known deviation of this stack: {known.evidence}"
        else:
            result.note = f"known as {known.verdict.value} ({known.evidence}), but came to {result.verdict.value}"

    def finish(self, results: list[Result], *, complete: bool) -> list[Path]:
        """End the IUT, cross-check the captures, write the reports; return what was written.

        Not `complete` (interrupted): nothing is waited for, and the captures are not cross-checked. An interrupt
        meanwhile makes it so. Ends the session with status 3 if the reports cannot be written.
        """
        from reports import junit  # here, so that the first verdict need not wait

        self.engine.stop()
        try:
            if complete:
                self.pool.close()
                self.recording.close()
                self._read_captures(results)
        except KeyboardInterrupt:
            complete = False
        except ReportError as error:
            raise broken_off(str(error)) from None
        finally:
            self.pool.kill()
            self.recording.close()
            self.reader.kill()
        self.info.duration, self.info.interrupted = time.time() - self.info.started, not complete
        self.info.notes = tuple(self.recording.notes)
        if self.worker:
            return []  # the controller writes the reports
        try:
            self.recorder.close(self.info)
            junit.write(self.out / "junit.xml", results, self.info, self.fail_on)
        except ReportError as error:
            raise broken_off(str(error)) from None
        return [self.out / "junit.xml", self.out / "record.jsonl", self.recording.folder, self.out / "logs"]

    def _read_captures(self, results: list[Result]) -> None:
        """Let the rules and the third witness have their say on what the cases left."""
        self.reader.end()
        readings = self.reader.readings()
        self.info.judged = readings.held
        for result in readings.findings:  # what breaks a rule joins the verdicts of the cases
            self._annotate(result)
            self.recorder.write(result)
            results.append(result)
        by_case = {result.case: result for result in results}
        for case, (_, reading) in readings.cases.items():
            if reading.problem:
                self._doubt(by_case[case], reading.problem)
        views = {case: (capture, reading.view) for case, (capture, reading) in readings.cases.items() if reading.view}
        try:
            found = disagreements(views, self.reader.tshark_view(readings))
        except (TsharkMissing, TsharkFailed) as error:
            self.recording.notes.append(str(error))
            return
        for case, (own, tshark) in found.items():
            self._doubt(by_case[case], "our decoder and tshark read the capture differently", own, tshark)

    def _doubt(self, result: Result, why: str, expected: str = "", actual: str = "") -> None:
        """Give a case the verdict of a test system that does not trust itself."""
        result.overwrite(Verdict.ERROR, why, expected=expected, actual=actual)
        self._explain(result)
        self.recorder.write(result)


def broken_off(why: str) -> BaseException:
    """Return what ends the session because nothing can be judged (any more)."""
    return pytest.exit.Exception(f"icetcp: {why}", returncode=int(ExitStatus.COULD_NOT_JUDGE))


def resolve(spec: str) -> stacks.Stack:
    """Return what --iut names. Raises `pytest.UsageError`."""
    try:
        return stacks.resolve(spec)
    except StackError as error:
        raise pytest.UsageError(str(error)) from None


def _begin_recording(out: Path, link: str) -> Recording:
    try:
        return Recording.begin(out, link=link)
    except LabRefused as error:
        raise broken_off(f"no network of the run's own: {error}") from None


def output_folder(out: Path, *, shared: bool = False) -> Path:
    """Make the folder, empty of an earlier run's files (unless others write there too); nothing else is touched.

    Raises `pytest.UsageError`.
    """
    folders = [out / name for name in ("captures", "logs")]
    reports = [out / name for name in ("record.jsonl", "junit.xml")]
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not shared:
            foreign = [folder for folder in folders if folder.is_dir() and any(folder.iterdir())]
            if foreign and not any(report.is_file() for report in reports):
                raise pytest.UsageError(
                    f"{foreign[0]} holds files that are not an earlier run's; choose another folder with --out"
                )
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
            for report in reports:
                report.unlink(missing_ok=True)
        for folder in folders:
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(
            f"cannot write to the output folder {out}: {error.strerror}; choose another with --out"
        ) from None
    return out


def _repeat(config: pytest.Config) -> str:
    """Return the command that repeats a case, with a place for the {case}; braces of the IUT's command are its own."""
    options = f"--iut {shlex.quote(config.getoption('iut'))} --seed {config.getoption('icetcp_seed')}"
    if config.getoption("icetcp_timeout") is not None:
        options += f" --timeout {config.getoption('icetcp_timeout'):g}"
    if config.getoption("icetcp_link") != "auto":
        options += f" --link {config.getoption('icetcp_link')}"
    return f"icetcp run {options.replace('{', '{{').replace('}', '}}')} -j 1 --case {{case}}"


def describe(config: pytest.Config, stack: stacks.Stack) -> RunInfo:
    """Start the IUT once, only to know what it is. Ends the session with status 3 if it cannot be judged."""
    out = Path(config.getoption("icetcp_out"))
    pool = Pool(stack, processes=1, log_dir=out / "logs")
    try:
        return _info(config, _greet(pool, stack), stack, "")
    finally:
        pool.kill()


def _greet(pool: Pool, stack: stacks.Stack) -> Hello:
    try:
        hello = pool.hello()
        problems = validate(hello.pics)
        if problems:
            raise AdapterError("the adapter's pics are not valid: " + "; ".join(problems))
    except AdapterError as error:
        remedy = (
            "" if stack.folder else "; what an adapter answers, and how to try it by hand: conformance/iut/README.md"
        )
        raise broken_off(f"cannot test {stack.name}: {error}{remedy}") from None
    return hello


def _info(config: pytest.Config, hello: Hello, stack: stacks.Stack, link: str) -> RunInfo:
    return RunInfo(
        iut=hello.name,
        iut_version=hello.version,
        command=shlex.join(stack.command),
        seed=config.getoption("icetcp_seed"),
        icetcp_version=own_version(),
        python=platform.python_version(),
        platform=f"{platform.system()} {os.uname().release}",
        link=link,
        started=time.time(),
        requirements=len(REQUIREMENTS),
        command_line=shlex.join(sys.argv),
    )

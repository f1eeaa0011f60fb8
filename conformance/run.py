"""One run: from the options to the started IUT, and from the last verdict to the written reports."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import validate
from conformance.engine import Engine, Settings
from conformance.iut import stacks
from conformance.iut.errors import AdapterError, StackError
from conformance.iut.pool import Pool
from conformance.judging import blank_result, judge_run
from conformance.options import own_version
from conformance.peer.pixit import Pixit
from conformance.recording import LabRefused, Recording
from conformance.suites.dimensions import usual_form
from conformance.verdict import ExitStatus, Level, Result, Verdict
from reports import junit
from reports.record import Recorder, ReportError, RunInfo

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
    recorder: Recorder
    out: Path
    fail_on: Level
    jobs: int
    inline: bool
    repeat: str
    known: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)
    total: int = 0

    @classmethod
    def begin(cls, config: pytest.Config, *, worker: str = "", tested: Collection[str] = ()) -> Run:
        """Enter the lab, start the IUT and greet it.

        Raises `pytest.UsageError` for what the user can mend in the command, and ends the session with status 3
        where the IUT cannot be judged.
        """
        out = _output_folder(Path(config.getoption("icetcp_out")), worker)
        stack = _resolve(config.getoption("iut"))
        recording = _begin_recording(out, config.getoption("icetcp_link"))
        response = config.getoption("icetcp_timeout")
        pixit = Pixit() if response is None else Pixit.scaled(response)
        pool = Pool(stack, processes=_PROCESSES, log_dir=out / "logs")
        try:
            hello = pool.hello()
            problems = validate(hello.pics)
            if problems:
                raise AdapterError("the adapter's pics are not valid: " + "; ".join(problems))
        except AdapterError as error:
            pool.kill()
            recording.close()
            raise pytest.exit.Exception(
                f"icetcp: cannot test {stack.name}: {error}", returncode=int(ExitStatus.COULD_NOT_JUDGE)
            ) from None
        jobs = config.getoption("icetcp_jobs") or _AT_ONCE
        sessions = int(hello.pics.get("sessions", 1))
        seed = config.getoption("icetcp_seed")
        settings = Settings(iut=hello.name, out=out, pixit=pixit, seed=seed, repeat=_repeat(config))
        info = _info(config, hello.name, hello.version, stack.command, recording.link)
        info.pending = sum(1 for r in REQUIREMENTS.values() if r.id not in tested and not r.untestable)
        return cls(
            info=info,
            engine=Engine(pool, recording, settings, hello.pics),
            pool=pool,
            recording=recording,
            recorder=Recorder(out / "record.jsonl", info),
            out=out,
            fail_on=Level(config.getoption("icetcp_fail_on")),
            jobs=min(jobs, sessions * _PROCESSES),
            inline=jobs == 1 or bool(worker),
            repeat=settings.repeat,
            known=stacks.expectations(stack),
            notes=list(recording.notes),
        )

    def record(self, result: Result) -> None:
        """Write a verdict down as soon as it is known."""
        self._annotate(result)
        self.recording.explain(result)
        self.recorder.write(result)

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

        Not `complete` (interrupted): nothing is waited for, and the captures are not cross-checked.
        """
        self.engine.stop()
        if complete:
            self.pool.close()
        else:
            self.pool.kill()
        self.recording.close()
        if complete:
            self._judge(results)
            self._cross_check(results)
        self.info.duration, self.info.interrupted = time.time() - self.info.started, not complete
        try:
            self.recorder.close(self.info)
            junit.write(self.out / "junit.xml", results, self.info, self.fail_on)
        except ReportError as error:
            raise pytest.exit.Exception(f"icetcp: {error}", returncode=int(ExitStatus.COULD_NOT_JUDGE)) from None
        return [self.out / "junit.xml", self.out / "record.jsonl", self.recording.folder, self.out / "logs"]

    def _judge(self, results: list[Result]) -> None:
        """Hold the rules against the captures of all cases; what breaks one joins the verdicts of the cases."""
        blank = blank_result(self.info.iut, self.repeat)
        findings, self.info.judged = judge_run(self.recording.judged, blank, self.out)
        for result in findings:
            self._annotate(result)
            self.recorder.write(result)
            results.append(result)

    def _cross_check(self, results: list[Result]) -> None:
        """Let the third witness read the captures; a disagreement is an error of the test system."""
        by_case = {result.case: result for result in results}
        for case, (own, tshark) in self.recording.cross_check().items():
            result = by_case[case]
            result.overwrite(
                Verdict.ERROR,
                "our decoder and tshark read the capture differently",
                expected=own,
                actual=tshark,
            )
            self.recording.explain(result)
            self.recorder.write(result)


def _resolve(spec: str) -> stacks.Stack:
    try:
        return stacks.resolve(spec)
    except StackError as error:
        raise pytest.UsageError(str(error)) from None


def _begin_recording(out: Path, link: str) -> Recording:
    try:
        return Recording.begin(out, link=link)
    except LabRefused as error:
        raise pytest.exit.Exception(
            f"icetcp: no network of the run's own: {error}", returncode=int(ExitStatus.COULD_NOT_JUDGE)
        ) from None


def _output_folder(out: Path, worker: str) -> Path:
    """Make the folder, empty of an earlier run's files; nothing else in it is touched."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not worker:
            for name in ("record.jsonl", "junit.xml", "run.pcapng"):
                (out / name).unlink(missing_ok=True)
            for name in ("captures", "logs"):
                shutil.rmtree(out / name, ignore_errors=True)
        for name in ("captures", "logs"):
            (out / name).mkdir(exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(
            f"cannot write to the output folder {out}: {error.strerror}; choose another with --out"
        ) from None
    return out


def _repeat(config: pytest.Config) -> str:
    """Return the command that repeats a case, with a place for its {name}; braces of the IUT's command are its own."""
    iut, seed = config.getoption("iut"), config.getoption("icetcp_seed")
    quoted = shlex.quote(iut).replace("{", "{{").replace("}", "}}")
    return f"icetcp run --iut {quoted} --seed {seed} -j 1 -k {{name}}"


def _info(config: pytest.Config, iut: str, version: str, command: list[str], link: str) -> RunInfo:
    return RunInfo(
        iut=iut,
        iut_version=version,
        command=shlex.join(command),
        seed=config.getoption("icetcp_seed"),
        icetcp_version=own_version(),
        python=platform.python_version(),
        platform=f"{platform.system()} {os.uname().release}",
        link=link,
        started=time.time(),
        requirements=len(REQUIREMENTS),
        command_line=shlex.join(sys.argv),
    )

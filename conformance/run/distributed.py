"""Cases in the workers of pytest-xdist: each judges its own, the controller writes the reports of them all.

A worker has its own IUT, its own captures in the common folder, and hands over what its session came to when it ends.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from conformance.catalogue import REQUIREMENTS
from conformance.run.known import KnownFailures
from conformance.run.pages import restore
from conformance.run.premise import broken_off, claim, describe, iut_of, resolve
from conformance.verdict import Level, Result
from reports import causes, flaky
from reports.expectations import ExpectationError
from reports.folder import FolderError
from reports.reach import judged, not_judged
from reports.record import Recorder, ReportError, RunInfo, cannot_write, printable, result_from

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.run.run import Run

_OUTPUT = "icetcp"  # the key in what a worker hands over


def hand_over(config: pytest.Config, run: Run, results: Iterable[Result]) -> None:
    """Give the controller what a worker's session came to."""
    value = {
        "results": [asdict(result) for result in results],
        "judged": run.info.judged,
        "notes": run.recording.notes,
        "incidents": run.info.incidents,
        "pics": run.info.pics,
        "scan": run.info.scan,
        "testable": run.info.testable,
        "with_cases": run.info.with_cases,
        "partial": run.info.partial,
        "link": run.info.link,
        "pending": run.info.pending,
        "private": run.info.private,
    }
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # given by pytest-xdist
    output[_OUTPUT] = msgspec.json.encode(printable(value)).decode()


class Controller:
    """What the controller of pytest-xdist holds from the beginning of a run to its end.

    Raises `pytest.UsageError` for what the user can mend in the command, and ends the session with status 3 where the
    IUT cannot be judged: before any worker starts.
    """

    total = 0  # cases are collected in the workers

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._fail_on = Level(config.getoption("icetcp_fail_on"))
        self._required = config.getoption("icetcp_require_reach") / 100
        stack = resolve(iut_of(config))
        self._known = KnownFailures(config, stack)
        self._folder = claim(config)
        self._out = self._folder.path
        try:
            self._info: RunInfo = describe(config, stack)
            self._folder.clear(self._info.iut)
        except FolderError as error:
            raise pytest.UsageError(str(error)) from None
        except BaseException:
            self._folder.release()
            raise
        try:
            self._recorder = Recorder(self._out / "record.jsonl", self._info)
        except ReportError as error:
            raise broken_off(str(error)) from None
        self._handed: dict[str, Result] = {}

    def record(self, result: Result) -> None:
        """Write a verdict down as soon as it is known. Raises `ReportError`."""
        self._recorder.write(result)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what a worker hands over at its end; one that died has nothing."""
        del error
        text = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if text is None:
            return
        value = msgspec.json.decode(text)
        self._info.link, self._info.pending = value["link"], value["pending"]
        self._info.notes = tuple(dict.fromkeys((*self._info.notes, *value["notes"])))
        self._info.incidents += tuple(value["incidents"])
        self._info.pics, self._info.scan, self._info.testable = value["pics"], tuple(value["scan"]), value["testable"]
        self._info.private = value["private"]
        restore(self._info)
        self._info.partial, self._info.with_cases = value["partial"], value["with_cases"]
        for rule, count in value["judged"].items():
            self._info.judged[rule] = self._info.judged.get(rule, 0) + count
        for result in map(result_from, value["results"]):
            before = self._handed.setdefault(result.case, result)
            before.overwrite(result.verdict, result.reason, expected=result.expected, actual=result.actual)

    @property
    def info(self) -> RunInfo:
        """What holds for the whole run."""
        return self._info

    def finish(self, results: dict[str, Result], *, complete: bool) -> list[Path]:
        """Write the reports; return what was written. `results` get what the workers learned after the cases."""
        from conformance.run import outputs, pages
        from reports.html import report

        self._info.duration, self._info.interrupted = time.time() - self._info.started, not complete
        self._info.required_reach = self._required
        try:
            for case, result in self._handed.items():
                if results.get(case) != result:
                    results[case] = result
                    self._recorder.write(result)
            for result in flaky.tell(results.values()):
                self._recorder.write(result)
            for result in self._known.end(list(results.values()), partial=self._info.partial, complete=complete):
                results[result.case] = result
                self._recorder.write(result)
            self._info.judged_requirements = len(judged(results.values()))
            self._info.not_judged = [group.data() for group in not_judged(list(results.values()))]
            every = list(results.values())
            self._info.causes = [cause.data() for cause in causes.find(every, REQUIREMENTS)]
            self._recorder.close(self._info)
            written = outputs.write(self._config, self._out, self._info, every, self._fail_on)
            report.write(pages.of_folder(self._out, self._info, every, self._fail_on))
        except (ReportError, ExpectationError) as error:
            raise broken_off(str(error)) from None
        except OSError as error:
            raise broken_off(str(cannot_write(self._out / "report.html", error))) from None
        finally:
            self._folder.release()
        return [
            self._out / "report.html",
            *written,
            *(self._out / name for name in ("record.jsonl", "captures", "logs")),
        ]

"""Captures are read beside the run, in a process of its own: while cases still wait, on what time the cores have left.

Reading is a third of a run's work, and none of it needs to wait for the last case. The process is given each capture
when its case is over, judges it, and keeps what our own decoder saw of it for the cross-check.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conformance.run.recording import CaseCapture
    from conformance.verdict import Result
    from pcaps.decode import View

_NICENESS = 10  # the cases have deadlines, this has none


@dataclass(slots=True)
class Readings:
    """What all captures came to: verdicts of broken rules, how often each rule held, our decoder's views by case.

    ``problems``: why a case's capture could not be read.
    """

    findings: list[Result] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def read_all(captures: Iterable[CaseCapture], iut: str, repeat: str, root: Path) -> Readings:
    """Read captures as they come; of a case that comes twice only the last one counts. See `judging.sum_up`."""
    from conformance.run.judging import blank_result, judge_case, sum_up  # heavy, and the run itself rarely needs them
    from pcaps.decode import own_view_of
    from pcaps.pcapng import CaptureError

    readings = Readings()
    judged = {}
    for capture in captures:
        judged[capture.case] = capture, judge_case(capture)
        readings.problems.pop(capture.case, None)
        try:
            readings.views[capture.case] = own_view_of(capture.path)
        except (OSError, CaptureError) as error:
            readings.problems[capture.case] = str(error)
    readings.findings, readings.held = sum_up(judged.values(), blank_result(iut, repeat), root)
    return readings


class Reader:
    """The process. Should it fail, the captures are read once more, in this one.

    `repeat` is the command that repeats a case, with a place for the ``{case}``; captures lie below `root`.
    """

    def __init__(self, iut: str, repeat: str, root: Path) -> None:
        self._about = iut, repeat, root
        self._taken: dict[str, CaseCapture] = {}
        self._waiting: queue.SimpleQueue[CaseCapture | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._feeder = threading.Thread(target=self._feed, name="reading", daemon=True)

    def take(self, capture: CaseCapture) -> None:
        """Have a capture read whose file is complete. Callable from any thread."""
        with self._lock:
            self._taken[capture.case] = capture
            self._waiting.put(capture)
            if not self._feeder.ident:
                self._feeder.start()

    def end(self) -> None:
        """Say that no more captures come."""
        self._waiting.put(None)

    def readings(self) -> Readings:
        """Wait for what the captures came to, after `end`."""
        if self._feeder.ident:
            self._feeder.join()
        process, self._process = self._process, None
        if process is not None:
            assert process.stdout is not None
            with process, contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
                found = pickle.load(process.stdout)  # noqa: S301  (of our own child)
                assert isinstance(found, Readings)
                return found
        return read_all(list(self._taken.values()), *self._about)

    def kill(self) -> None:
        """End it, whatever it is at."""
        self._waiting.put(None)
        if self._process is not None:
            self._process.kill()
            with self._process:  # closes the pipes
                pass

    def _feed(self) -> None:
        """Start the process with the first capture, which by then no longer delays the first verdict."""
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "conformance.run.reading"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is the run's, which then ends this
            )
        except OSError:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as pipe:
            pickle.dump(self._about, pipe)
            while (capture := self._waiting.get()) is not None:
                pickle.dump(capture, pipe)
                if self._waiting.empty():
                    pipe.flush()


def _captures() -> Iterable[CaseCapture]:
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(sys.stdin.buffer)  # noqa: S301  (of our own parent)


def main() -> None:
    """Be the process: read captures from stdin until its end, then write what they came to to stdout."""
    from conformance.run import reading  # this module is __main__, whose classes the parent does not know

    os.nice(_NICENESS)
    about = pickle.load(sys.stdin.buffer)  # noqa: S301  (of our own parent)
    found = reading.read_all(_captures(), *about)
    with contextlib.suppress(BrokenPipeError):
        pickle.dump(found, sys.stdout.buffer)
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Captures are read while the run goes on, in a process of its own, on what time the cores have left.

Each capture is opened once, when its case is over: it is judged, drawn where its case did not pass, compared with what
the tester received, and given to tshark together with others. So tshark is compared with exactly the reading that was
judged.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.iut.stacks import own_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import IO

    from conformance.judge import Judgement
    from conformance.run.recording import CaseCapture, SealedCapture
    from conformance.verdict import Breach, Result
    from conformance.wire.attributes import Address
    from pcaps.connections import Connection
    from pcaps.flows import Flow

_NICENESS = 10  # the cases have deadlines, this has none
_FEWER_COLLECTIONS = 50_000  # objects made between two
_AHEAD = 4  # captures that the process has at most
_URGENT, _USUAL, _LAST = range(3)  # a case that did not pass waits for its ladder


@dataclass(slots=True)
class CaseReading:
    """What one case's capture came to.

    ``problem``: why the capture is no evidence. ``ladder``: the exchange drawn; empty unless the capture asked for it.
    ``exchange``: the same for a page, as JSON. ``broken``: rules that it breaks, the earliest first.
    """

    problem: str = ""
    ladder: str = ""
    exchange: bytes = b""
    broken: tuple[Breach, ...] = ()


@dataclass(slots=True)
class Readings:
    """What all captures came to: verdicts of the rules that were broken or kept, and each case's own reading.

    ``held``: how often each rule held. ``differences``: by case, our decoder's words and tshark's, where they differ.
    ``unchecked``: why tshark's view of captures is not known.
    """

    findings: list[Result] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    cases: dict[str, tuple[CaseCapture | SealedCapture, CaseReading]] = field(default_factory=dict)
    differences: dict[str, tuple[str, str]] = field(default_factory=dict)
    unchecked: str = ""


class Work:
    """Reads captures one after the other; of a case that comes again only the last one counts.

    Copies for tshark are made in `folder`. `repeat` is the command that repeats a case, with a place for the
    ``{case}``; captures lie below `root`.
    """

    def __init__(self, iut: str, repeat: str, root: Path, folder: Path) -> None:
        from conformance.run.crosscheck import CrossCheck  # the run itself rarely needs it

        self._about = iut, repeat, root
        self._tshark = CrossCheck(folder)
        self._judged: dict[str, tuple[CaseCapture, list[Judgement]]] = {}

    def read(self, taken: CaseCapture | SealedCapture) -> CaseReading:
        """Read a capture: the only time that its file is opened."""
        from conformance.run.drawing import drawn
        from conformance.run.judging import breaches, judge_case  # heavy, and the run itself rarely needs it
        from conformance.run.recording import SHARED
        from pcaps.pcapng import CaptureError
        from pcaps.tshark import own_view

        capture = taken.opened()
        self._judged[capture.case] = capture, []
        try:
            octets = capture.path.read_bytes()
            judged = judge_case(octets, capture)
        except (OSError, CaptureError) as error:
            return CaseReading(f"its capture cannot be read: {error}", f"the capture cannot be read: {error}")
        self._judged[capture.case] = capture, [judgement for judgement in judged.judgements if judgement.saw_something]
        connections, flows = judged.reading.connections, judged.reading.flows
        if judged.cut:
            return CaseReading(f"its capture cannot be read: {judged.cut}", _ladder(capture, connections, flows))
        self._tshark.add(capture, octets, own_view([*connections, *flows]))
        broken = breaches(judged.judgements)
        return CaseReading(
            _lacking(connections, capture.arrived),
            _ladder(capture, connections, flows),
            drawn([*connections, *flows], capture.tester - {SHARED}, broken, capture.verdict),
            broken,
        )

    def sums(self) -> Readings:
        """Return what all of them came to; the cases' own readings were returned before."""
        from conformance.run.judging import blank_result, sum_up

        iut, repeat, root = self._about
        findings, held = sum_up(self._judged.values(), blank_result(iut, repeat), root)
        differences = self._tshark.differences()
        return Readings(findings, held, differences=differences, unchecked=self._tshark.problem)


def _drawn(taken: CaseCapture | SealedCapture) -> str:
    """Read a capture for its ladder alone."""
    from pcaps.pcapng import CaptureError
    from pcaps.reading import read_capture

    capture = taken.opened()
    try:
        reading = read_capture(capture.path)
    except (OSError, CaptureError) as error:
        return f"the capture cannot be read: {error}"
    return _ladder(replace(capture, draw=True), reading.connections, reading.flows)


def _ladder(capture: CaseCapture, connections: list[Connection], flows: list[Flow]) -> str:
    from pcaps.ladder import render

    return render([*connections, *flows], capture.names) if capture.draw else ""


def _lacking(connections: Iterable[Connection], arrived: Mapping[tuple[Address, Address], int]) -> str:
    """Return what a capture lacks of the octets that the tester read: of nothing, witnesses would always agree."""
    held: Counter[tuple[Address, Address]] = Counter()
    for connection in connections:
        held[connection.client, connection.server] += connection.octets_from(client=False)
        held[connection.server, connection.client] += connection.octets_from(client=True)
    for (local, remote), count in arrived.items():
        if held[local, remote] < count:
            return f"the capture holds {held[local, remote]} of the {count} octets that {local} received from {remote}"
    return ""


class ReadingProcess:
    """The process. Should it fail, the captures are read once more, in this one."""

    def __init__(self, iut: str, repeat: str, root: Path) -> None:
        self._about = iut, repeat, root
        self.niceness = _NICENESS  # of the process, when it starts
        self._taken: dict[str, CaseCapture | SealedCapture] = {}
        self._read: dict[str, tuple[CaseCapture | SealedCapture, CaseReading]] = {}
        self._sums: Readings | None = None
        self._waiting: queue.PriorityQueue[tuple[int, int, CaseCapture | SealedCapture | None]] = queue.PriorityQueue()
        self._asked: deque[tuple[CaseCapture | SealedCapture, int]] = deque()  # and octets; the process has them
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._work: Work | None = None  # in this process, once the other one has failed
        self._over = False  # nothing comes from the process any more
        self.on_read: Callable[[], None] = lambda: None  # called after each capture, from a thread of its own
        self._news = threading.Condition()
        self._folder = tempfile.TemporaryDirectory(prefix="icetcp-", ignore_cleanup_errors=True)
        self._copies = Path(self._folder.name)  # of captures, for tshark
        self._feeder = threading.Thread(target=self._feed, name="reading", daemon=True)

    def take(self, capture: CaseCapture | SealedCapture) -> None:
        """Have a capture read whose file is complete. Callable from any thread."""
        with self._news:
            self._taken[capture.case] = capture
            self._waiting.put((_URGENT if capture.draw else _USUAL, next(self._numbers), capture))
            if not self._feeder.ident:
                self._feeder.start()

    def end(self) -> None:
        """Say that no more captures come."""
        self._waiting.put((_LAST, next(self._numbers), None))

    def unread(self) -> int:
        """Return how many captures wait for the process; none wait for one that has failed."""
        return 0 if self._over else self._waiting.qsize() + len(self._asked)

    def ladder(self, case: str) -> str:
        """Return a case's exchange drawn, as soon as its capture was read; nothing of a case without a capture."""
        capture = self._taken.get(case)
        if capture is None:
            return ""
        with self._news:
            self._news.wait_for(lambda: self._over or self._is_read(capture))
        if not self._is_read(capture):
            self._read_here(capture)
        reading = self._read[case][1]
        if not reading.ladder:  # nobody knew that it would be wanted: a doubt of the test system's own, which is rare
            reading.ladder = _drawn(capture)
        return reading.ladder

    def broken(self, case: str) -> tuple[Breach, ...]:
        """Return the rules that a case's capture breaks, once `ladder` was asked for."""
        return self._read[case][1].broken if case in self._read else ()

    def exchanges(self) -> dict[str, bytes]:
        """Return the exchange of each case that was read, as JSON for a page."""
        with self._news:
            return {case: reading.exchange for case, (_, reading) in self._read.items() if reading.exchange}

    def readings(self) -> Readings:
        """Wait for what the captures came to, after `end`."""
        if self._feeder.ident:
            self._feeder.join()
        found = self._sums
        if found is None:
            for capture in self._taken.values():
                if self._work is None or not self._is_read(capture):
                    self._read_here(capture)
            found = self._here().sums()
        found.cases = dict(self._read)
        return found

    def kill(self) -> None:
        """End it at once."""
        self.end()
        if self._process is not None:
            _kill(self._process)
        if self._feeder.ident:
            self._feeder.join()
        if self._process is not None:
            _kill(self._process)  # it may have begun just now
            self._process.wait()
        self._folder.cleanup()

    def _is_read(self, capture: CaseCapture | SealedCapture) -> bool:
        return capture.case in self._read and self._read[capture.case][0] is capture

    def _read_here(self, capture: CaseCapture | SealedCapture) -> None:
        self._read[capture.case] = capture, self._here().read(capture)

    def _here(self) -> Work:
        if self._work is None:
            self._work = Work(*self._about, self._copies)
            self._read.clear()  # what the process read is lost with it
        return self._work

    def _feed(self) -> None:
        """Start the process with the first capture, which by then no longer delays the first verdict."""
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "conformance.run.reading"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **own_environment()},
                start_new_session=True,  # Ctrl-C is the run's, which then ends this
            )
            assert process.stdin is not None
            assert process.stdout is not None
            with process.stdin as asked, process.stdout as told:
                _put(asked, (self.niceness, *self._about, self._copies))
                self._converse(asked, told)
                asked.close()
                self._sums = pickle.load(told)  # noqa: S301  (of our own child)
        with self._news:
            self._over = True
            self._news.notify_all()
        self.on_read()

    def _converse(self, asked: IO[bytes], told: IO[bytes]) -> None:
        """Send captures and take what they come to, until no more come.

        Some are sent ahead, so that the process need not wait for this one, which waits for a core. They are no more
        than its pipe holds, parts of pages included: it may itself wait until we take a long answer.
        """
        room = fcntl.fcntl(asked.fileno(), fcntl.F_GETPIPE_SZ) // 2
        more = True
        while more or self._asked:
            try:
                capture = self._waiting.get(block=not self._asked)[2] if more else None
            except queue.Empty:
                self._answer(told)
                continue
            if capture is None:
                more = False
                while self._asked:
                    self._answer(told)
            elif self._taken[capture.case] is capture:  # else its case was executed again meanwhile
                octets = pickle.dumps(capture)
                while self._asked and sum(size for _, size in self._asked) + len(octets) > room:
                    self._answer(told)
                self._asked.append((capture, len(octets)))
                _write(asked, octets)
                if len(self._asked) >= _AHEAD:
                    self._answer(told)
            else:
                self.on_read()

    def _answer(self, told: IO[bytes]) -> None:
        """Take what the capture that was sent first comes to."""
        reading = pickle.load(told)  # noqa: S301  (of our own child)
        capture, _ = self._asked.popleft()
        self._note(capture, reading)
        self.on_read()

    def _note(self, capture: CaseCapture | SealedCapture, reading: CaseReading) -> None:
        with self._news:
            self._read[capture.case] = capture, reading
            self._news.notify_all()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and what it has started: its tshark."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _put(pipe: IO[bytes], thing: object) -> None:
    _write(pipe, pickle.dumps(thing))


def _write(pipe: IO[bytes], octets: bytes) -> None:
    """Write them whole: with PYTHONUNBUFFERED, stdout takes less at once when a signal comes while its pipe is full."""
    left = memoryview(octets)
    while left:
        left = left[pipe.write(left) :]
    pipe.flush()


def main() -> None:
    """Be the process: answer each capture on stdin with its reading, and the end with what they all came to."""
    from conformance.run import reading  # this module is __main__, whose classes the parent does not know

    niceness, *about = pickle.load(sys.stdin.buffer)  # noqa: S301  (of our own parent)
    os.nice(niceness)
    work = reading.Work(*about)
    gc.freeze()
    gc.set_threshold(_FEWER_COLLECTIONS, 20, 50)  # what is kept of each capture lives as long as this process
    with contextlib.suppress(BrokenPipeError):
        with contextlib.suppress(EOFError):
            while True:
                capture = pickle.load(sys.stdin.buffer)  # noqa: S301  (of our own parent)
                _put(sys.stdout.buffer, work.read(capture))
        _put(sys.stdout.buffer, work.sums())


if __name__ == "__main__":
    main()

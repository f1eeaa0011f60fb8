"""Tester processes: the cases of a run on several cores, since one Python process uses one.

Each is a fork of the run's process, made while that has one thread: it need not import anything. It has its own
testers, adapter processes, share of the addresses and recording; the network is the run's. It gets cases one by one,
by their numbers alone where they were there before it, and answers each with the result. What a case is and comes to
does not depend on the process that executes it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.peer.share import Share
from conformance.run import children
from conformance.run.engine import Engine
from conformance.run.interrupts import end_processes
from conformance.run.order import Waiting, length_of
from conformance.run.recording import SealedCapture
from conformance.verdict import Result, Verdict, execution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from conformance.iut.incidents import Incident
    from conformance.run.case import Case
    from conformance.run.recording import CaseCapture, Recording

    Done = queue.SimpleQueue[tuple[Case | None, Result | BaseException]]

_LEAST_CASES = 50  # for one process: it starts adapter processes of its own
_LEAST_JOBS = 8
_MOST_UNREAD = 100  # captures that wait to be read before no further case begins
_READ_A_SECOND = 100  # at least, once no further case begins: so many more may wait while a long case goes on
_END_WITHIN = 15.0  # seconds: adapters have 5 s to end, and are killed then
_STOP = -1
_FINISH = -2
_NUMBER = 4  # octets


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a tester process sends of a case; with `number` None, what it says at its end."""

    number: int | None
    result: Result | BaseException | None = None
    captures: tuple[SealedCapture, ...] = ()  # one for each execution
    incidents: tuple[Incident, ...] = ()
    culprits: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    strays: str = ""


@dataclass(slots=True)
class _Tester:
    """A tester process, as the run's process sees it. ``holds``: numbers of the cases that it was given."""

    process: int
    pipe: Connection
    holds: set[int] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)


def how_many(wanted: int, cases: int, jobs: int, adapters: int, bears: int = 0) -> int:
    """Return how many tester processes a run has; `wanted` is what the user asked for, or 0.

    A stack that `bears` only so many cases at once (0: many) is a browser or the like: one of its processes has to do.
    """
    cores = len(os.sched_getaffinity(0))
    found = wanted or (1 if bears else 0) or min(cores, cases // _LEAST_CASES, jobs // _LEAST_JOBS)
    return max(1, min(found, cases, jobs, adapters))


class Testers:
    """The tester processes of a run. They exist from the beginning, with one thread in this process.

    `blank` makes the result of a case that was lost with its process. `on_capture` is told of each capture. `unread`
    says how many captures wait to be read. With more than can be read until the last case is over, cases wait as well
    until `go_on` is called: on busy cores the captures would else be read after it, on one core while others are idle.
    """

    blank: Callable[[Case], Result]
    on_capture: Callable[[SealedCapture], None]
    unread: Callable[[], int]

    def __init__(
        self,
        count: int,
        jobs: int,
        make: Callable[[Share], tuple[Engine, Recording]],
        cases: Sequence[Case] = (),
        *,
        beside: int = 0,
    ) -> None:
        """Fork. `cases`: as far as known by now.

        `make` is called in each process, with its share of the addresses, which is recorded from then on.
        So many `jobs` are executed at once, and `beside` them so many that take long.
        """
        self.incidents: list[Incident] = []
        self.culprits: set[str] = set()
        self.notes: list[str] = []
        self.stopped = 0.0
        self.done: Done = queue.SimpleQueue()
        self._cases = cases
        self._known = bool(cases)
        self._started = False
        self.unread = lambda: 0
        self._held: list[_Tester] = []  # those with a free place, one entry for each, that get no case now
        self._waiting = Waiting((), 1)
        self._places, self._beside = max(1, jobs // count) * count, beside // count * count
        self._jobs = (self._places + self._beside) // count
        self._state = threading.Lock()
        self._ending = False
        made = children.fork(count, lambda pipe, share: _Process(pipe, cases, self._jobs, share).serve(make))
        self._testers = [_Tester(process, pipe) for process, pipe in made]

    # -- in the run's process --------------------------------------------------------------------------------------

    def start(self, cases: Sequence[Case], length: Callable[[Case], float] = length_of) -> Done:
        """Begin to execute the cases, the longest first; the queue brings each one's result as it is done."""
        self._started = True
        with self._state:
            self._cases = cases
            self._waiting = Waiting(cases, self._places, length, beside=self._beside)
            for _ in range(self._jobs):
                for tester in self._testers:
                    self._give(tester)
        for number, tester in enumerate(self._testers, start=1):
            threading.Thread(target=self._hear, args=(tester,), name=f"tester-{number}", daemon=True).start()
        return self.done

    def go_on(self) -> None:
        """Give the cases that were held back, now that captures have been read. Callable from any thread."""
        with self._state:
            self._give_held()

    def stop(self) -> None:
        """Let every case in execution end at its next wait; start no more."""
        with self._state:
            self.stopped = self.stopped or time.time()
            self._waiting.clear()
            for tester in self._testers:
                _say(tester, _STOP)

    def close(self) -> None:
        """End the processes and their adapters in order, and wait for what they say at their end."""
        with self._state:
            self._ending = True
            for tester in self._testers:
                _say(tester, _FINISH)
        deadline = time.monotonic() + _END_WITHIN
        for tester in self._testers:
            tester.over.wait(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """End the processes, and all that they started, now."""
        with self._state:
            self._ending = True
            end_processes(tester.process for tester in self._testers if not tester.over.is_set())
            if not self._started:  # nobody hears of their end
                for tester in self._testers:
                    if not tester.over.is_set():
                        os.waitpid(tester.process, 0)
                        tester.over.set()

    def _give_held(self) -> None:
        """Give cases to those that have free places, the one with fewest cases first; called with the state held."""
        while self._held and self.unread() <= _MOST_UNREAD + _READ_A_SECOND * self._waiting.left:
            tester = min(self._held, key=lambda one: len(one.holds))
            self._held.remove(tester)
            if not self._give(tester):
                return

    def _give(self, tester: _Tester) -> bool:
        """Give a process one more case, or hold it if none may begin; return which. Called with the state held."""
        if not self._waiting or tester.over.is_set():
            return True
        number = self._waiting.take()
        if number is None:
            self._held.append(tester)
            return False
        tester.holds.add(number)
        _say(tester, number, b"" if self._known else pickle.dumps(self._cases[number]))
        return True

    def _hear(self, tester: _Tester) -> None:
        """Take what a process says, until it ends."""
        strays = ""
        try:
            while True:
                outcome: _Outcome = pickle.loads(tester.pipe.recv_bytes())  # noqa: S301  (of our own child)
                self._take(tester, outcome)
                strays += outcome.strays
        except (EOFError, OSError):
            self._over(tester)
        except Exception as error:  # what cannot be read ends the run, not this thread alone
            self.done.put((None, error))
        if strays:
            raise RuntimeError(f"in a tester process: {strays}")  # the session keeps it, as of any thread of ours

    def _take(self, tester: _Tester, outcome: _Outcome) -> None:
        with self._state:
            self.incidents += outcome.incidents
            self.culprits |= outcome.culprits
            self.notes += outcome.notes
        if outcome.number is None:
            return
        assert outcome.result is not None
        for capture in outcome.captures:
            self.on_capture(capture)
        with self._state:
            tester.holds.discard(outcome.number)
            self._waiting.end(outcome.number)
            self._held.append(tester)
            self._give_held()
        self.done.put((self._cases[outcome.number], outcome.result))

    def _over(self, tester: _Tester) -> None:
        """A process has ended: what it held is an error, and the others go on with what waits."""
        os.waitid(os.P_PID, tester.process, os.WEXITED | os.WNOWAIT)
        with self._state:  # from here on its number may be another process's
            _, status = os.waitpid(tester.process, 0)
            tester.over.set()
            lost, tester.holds = sorted(tester.holds), set()
            for number in lost:
                self._waiting.end(number)
            left = [other for other in self._testers if not other.over.is_set()]
            if not left:
                lost += self._waiting.clear()
            self._give_held()  # what it held may have kept others from beginning
            unexpected = not self._ending and not self.stopped
        if not unexpected:
            return
        code = os.waitstatus_to_exitcode(status)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        for number in lost:
            result = self.blank(self._cases[number])
            result.overwrite(Verdict.ERROR, f"the tester process that had this case {how}")
            self.done.put((self._cases[number], result))


def _say(tester: _Tester, number: int, case: bytes = b"") -> None:
    with contextlib.suppress(OSError):  # it has ended, and `_over` tells
        tester.pipe.send_bytes(number.to_bytes(_NUMBER, "big", signed=True) + case)


class _Process:
    """A tester process, from the inside."""

    def __init__(self, pipe: Connection, cases: Sequence[Case], jobs: int, share: Share) -> None:
        self._pipe = pipe
        self._cases = cases
        self._jobs = jobs
        self._share = share
        self._writing = threading.Lock()
        self._captures: dict[str, CaseCapture] = {}
        self._told = 0  # incidents
        self._strays: list[str] = []
        self._stopped = False

    def serve(self, make: Callable[[Share], tuple[Engine, Recording]]) -> int:
        """Be the process until it is to end; return its exit status."""
        try:
            threading.excepthook = self._stray
            engine, recording = make(self._share)
            recording.on_capture = self._captured
            if self._share.index == 0:  # the others' adapters would compete with what the first verdict waits for
                threading.Thread(target=engine.pool.prepare, name="adapter-start", daemon=True).start()  # takes time
            recording.record(self._share)  # takes less
            self._serve(engine, recording)
        except BaseException as error:
            with contextlib.suppress(OSError):
                self._send(_Outcome(None, strays="".join(traceback.format_exception(error))))
            return 1
        return 0

    def _serve(self, engine: Engine, recording: Recording) -> None:
        waiting: queue.SimpleQueue[tuple[int, Case]] = queue.SimpleQueue()
        for number in range(self._jobs):
            work = threading.Thread(target=self._work, args=(engine, waiting), name=f"case-{number}", daemon=True)
            work.start()
        with contextlib.suppress(EOFError):  # the run's process is gone: its pipe's end ends the adapters as well
            while True:
                octets = self._pipe.recv_bytes()
                said = int.from_bytes(octets[:_NUMBER], "big", signed=True)
                if said == _FINISH:
                    break
                if said == _STOP:
                    self._stopped = True
                    engine.stop()
                else:
                    waiting.put((said, self._case(said, octets[_NUMBER:])))
            engine.pool.close()
            before = len(recording.notes)
            recording.close()
            self._send(
                _Outcome(
                    None,
                    incidents=self._news(engine),
                    culprits=engine.suspicion.culprits,
                    notes=tuple(recording.notes[before:]),
                    strays="".join(self._strays),
                )
            )

    def _case(self, number: int, packed: bytes) -> Case:
        case: Case = pickle.loads(packed) if packed else self._cases[number]  # noqa: S301  (of our own parent)
        return case

    def _work(self, engine: Engine, waiting: queue.SimpleQueue[tuple[int, Case]]) -> None:
        while True:
            number, case = waiting.get()
            result: Result | BaseException
            try:
                result = engine.run(case)
            except BaseException as error:
                error.add_note(f"in a tester process:\n{traceback.format_exc()}")
                result = error
            names = [execution_of(case.id, execution) for execution in (1, 2)]
            sealed = tuple(SealedCapture.of(self._captures.pop(name)) for name in names if name in self._captures)
            if self._stopped:
                continue  # the run has ended without it
            with contextlib.suppress(OSError):
                self._send(_Outcome(number, result, sealed, self._news(engine), engine.suspicion.culprits))

    def _captured(self, capture: CaseCapture) -> None:
        """Keep a capture until its case's result is sent."""
        self._captures[capture.case] = capture

    def _news(self, engine: Engine) -> tuple[Incident, ...]:
        """Return the incidents that were not told yet."""
        with self._writing:
            incidents = engine.pool.incidents
            news, self._told = incidents[self._told :], len(incidents)
        return tuple(news)

    def _send(self, outcome: _Outcome) -> None:
        octets = _packed(outcome)
        with self._writing:
            self._pipe.send_bytes(octets)

    def _stray(self, died: threading.ExceptHookArgs) -> None:
        self._strays += traceback.format_exception(died.exc_type, died.exc_value, died.exc_traceback)


def _packed(outcome: _Outcome) -> bytes:
    """Return what is sent; an exception that cannot be as its text."""
    if isinstance(outcome.result, BaseException):
        try:
            pickle.loads(pickle.dumps(outcome.result))  # noqa: S301  (our own)
        except Exception:
            outcome = replace(outcome, result=RuntimeError("".join(traceback.format_exception(outcome.result))))
    return pickle.dumps(outcome)

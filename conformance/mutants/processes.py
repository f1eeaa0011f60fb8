"""Tester processes for executions against faults, since one Python process uses one core.

Each is a fork of the command's process, made while that has one thread, with its own reference agents and its own share
of the addresses. It gets one execution after the other and answers each with what came of it. Who asks waits for the
answer, so that it makes no difference to him whether an execution is done here or in a tester process.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import queue
import signal
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.iut.errors import AdapterError
from conformance.peer.share import Share
from conformance.run import children
from conformance.run.interrupts import end_processes
from conformance.verdict import Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.connection import Connection

    from conformance.iut.incidents import Incident
    from conformance.mutants.agents import Agents, Observation
    from conformance.run.engine import Case

_START = 0  # the number of what every process does first
_END_WITHIN = 15.0  # seconds: the agents have 5 s to end, and are killed then


class _Execution(NamedTuple):
    """What a tester process is asked for: a method of `Agents`, and the case with the words that go with it."""

    number: int
    method: str
    case: str
    words: Mapping[str, Any]


class _Answer(NamedTuple):
    """What came of an execution, and what has happened since the last answer. The last of all has no number."""

    number: int | None
    value: Any = None
    error: BaseException | None = None
    incidents: tuple[Incident, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tester:
    """A tester process, as the command's process sees it. ``holds``: who waits for which execution."""

    process: int
    pipe: Connection
    holds: dict[int, Future[Any]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)


class _Lost(Exception):
    """The tester process that had an execution has ended."""


class TesterProcesses:
    """So many processes with `Agents` each; stands in the place of these. Thread-safe."""

    def __init__(self, count: int, cases: Sequence[Case], make: Callable[[Share], Agents]) -> None:
        """Fork; `make` is called in each process. Raises `AdapterError` if an agent cannot be started."""
        self.incidents: list[Incident] = []
        self.failures: list[str] = []
        self._state = threading.Lock()
        self._numbers = itertools.count(_START + 1)
        by_id = {case.id: case for case in cases}
        made = children.fork(count, lambda pipe, share: _Process(pipe, by_id).serve(lambda: make(share)))
        self._testers = [_Tester(process, pipe, {_START: Future()}) for process, pipe in made]
        started = [tester.holds[_START] for tester in self._testers]
        for number, tester in enumerate(self._testers, start=1):
            threading.Thread(target=self._hear, args=(tester,), name=f"tester-{number}", daemon=True).start()
        try:
            for greeted in started:
                greeted.result()
        except BaseException as error:
            self.kill()
            if isinstance(error, _Lost):
                raise AdapterError(str(error)) from None
            raise

    def run(self, case: Case, faults: Sequence[str] = (), variation: Mapping[str, object] | None = None) -> Result:
        """Execute one case, as `Agents.run` does."""
        result: Result
        try:
            result = self._ask("run", case, faults=list(faults), variation=variation)
        except _Lost as lost:
            return _error(case, str(lost))
        return result

    def observe(self, case: Case) -> tuple[Result, Observation]:
        """Execute one case, as `Agents.observe` does."""
        try:
            result, observation = self._ask("observe", case)
        except _Lost as lost:
            return _error(case, str(lost)), None
        return result, observation

    def stop(self) -> None:
        """Let every case in execution end at its next wait; none can be executed after it."""
        self._say_all(None)

    def close(self) -> None:
        """End the processes and their agents in order, and wait for what they say at their end."""
        self._say_all(b"")
        deadline = time.monotonic() + _END_WITHIN
        if not all(tester.over.wait(max(0.0, deadline - time.monotonic())) for tester in self._testers):
            self.kill()

    def kill(self) -> None:
        """End the processes, and all that they started, now."""
        with self._state:
            end_processes(tester.process for tester in self._testers if not tester.over.is_set())

    def _ask(self, method: str, case: Case, **words: Any) -> Any:
        """Let the process that has least to do execute a case; return what comes of it."""
        answer: Future[Any] = Future()
        with self._state:
            left = [tester for tester in self._testers if not tester.over.is_set()]
            if not left:
                raise _Lost("no tester process is left")
            tester = min(left, key=lambda one: len(one.holds))
            number = next(self._numbers)
            tester.holds[number] = answer
            _say(tester, _Execution(number, method, case.id, words))
        return answer.result()

    def _say_all(self, what: bytes | None) -> None:
        with self._state:
            for tester in self._testers:
                _say(tester, what)

    def _hear(self, tester: _Tester) -> None:
        """Take what a process says, until it ends."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                answer: _Answer = pickle.loads(tester.pipe.recv_bytes())  # noqa: S301  (of our own child)
                with self._state:
                    self.incidents += answer.incidents
                    self.failures += answer.failures
                    waiting = None if answer.number is None else tester.holds.pop(answer.number)
                if waiting is not None and answer.error is not None:
                    waiting.set_exception(answer.error)
                elif waiting is not None:
                    waiting.set_result(answer.value)
        os.waitid(os.P_PID, tester.process, os.WEXITED | os.WNOWAIT)
        with self._state:  # from here on its number may be another process's
            _, status = os.waitpid(tester.process, 0)
            tester.over.set()
            lost, tester.holds = tester.holds, {}
        code = os.waitstatus_to_exitcode(status)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        for answer_wanted in lost.values():
            answer_wanted.set_exception(_Lost(f"the tester process that had this case {how}"))


def _say(tester: _Tester, what: _Execution | bytes | None) -> None:
    with contextlib.suppress(OSError):  # it has ended, and `_hear` tells
        tester.pipe.send_bytes(pickle.dumps(what))


def _error(case: Case, reason: str) -> Result:
    result = Result(
        case=case.id,
        title=case.title,
        section=case.section,
        requirements=case.requirements,
        level=case.level,
        iut="reference",
        started=time.time(),
        parameters={key: str(value) for key, value in case.parameters.items()},
    )
    result.overwrite(Verdict.ERROR, reason)
    return result


class _Process:
    """A tester process, from the inside."""

    def __init__(self, pipe: Connection, cases: Mapping[str, Case]) -> None:
        self._pipe = pipe
        self._cases = cases
        self._writing = threading.Lock()
        self._told: set[Incident] = set()
        self._admitted = 0  # failures
        self._waiting: queue.SimpleQueue[_Execution] = queue.SimpleQueue()
        self._threads = 0
        self._idle = threading.Semaphore(0)

    def serve(self, make: Callable[[], Agents]) -> int:
        """Be the process until it is to end; return its exit status."""
        try:
            agents = make()
        except BaseException as error:
            self._send(_Answer(_START, error=error))
            return 1
        self._send(_Answer(_START))
        self._serve(agents)
        return 0

    def _serve(self, agents: Agents) -> None:
        with contextlib.suppress(EOFError):  # the command's process is gone: so is what the agents read
            while (said := pickle.loads(self._pipe.recv_bytes())) != b"":  # noqa: S301  (of our own parent)
                if said is None:
                    agents.stop()
                else:
                    self._begin(agents, said)
            agents.close()
            self._send(self._with_news(_Answer(None), agents))

    def _begin(self, agents: Agents, execution: _Execution) -> None:
        """Give an execution to a thread that has none, or to a new one."""
        self._waiting.put(execution)
        if not self._idle.acquire(blocking=False):
            self._threads += 1
            name = f"case-{self._threads}"
            threading.Thread(target=self._work, args=(agents,), name=name, daemon=True).start()

    def _work(self, agents: Agents) -> None:
        while True:
            execution = self._waiting.get()
            try:
                value = getattr(agents, execution.method)(self._cases[execution.case], **execution.words)
                answer = _Answer(execution.number, value)
            except BaseException as error:
                answer = _Answer(execution.number, error=error)
            self._idle.release()
            with contextlib.suppress(OSError):
                self._send(self._with_news(answer, agents))

    def _with_news(self, answer: _Answer, agents: Agents) -> _Answer:
        with self._writing:
            incidents = tuple(one for one in agents.incidents if one not in self._told)
            failures = tuple(agents.failures[self._admitted :])
            self._told.update(incidents)
            self._admitted += len(failures)
        return answer._replace(incidents=incidents, failures=failures)

    def _send(self, answer: _Answer) -> None:
        octets = _packed(answer)
        with self._writing:
            self._pipe.send_bytes(octets)


def _packed(answer: _Answer) -> bytes:
    """Return what is sent; an exception that cannot be sent as its text."""
    if answer.error is not None:
        answer.error.add_note("in a tester process")
        try:
            pickle.loads(pickle.dumps(answer.error))  # noqa: S301  (our own)
        except Exception:
            answer = answer._replace(error=RuntimeError(repr(answer.error)))
    return pickle.dumps(answer)

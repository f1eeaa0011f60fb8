"""Executes cases against the reference agent with one requirement broken at a time.

A few IUT processes serve all sessions: the fault is an extra of `open`, so nothing is started for a mutant.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from conformance.mutants.agents import Agents
from conformance.mutants.matrix import KillMatrix
from conformance.mutants.places import Places
from conformance.mutants.processes import TesterProcesses
from conformance.peer import lab
from conformance.peer.share import WHOLE, Share
from conformance.run.discovery import discover
from conformance.run.evidence import told
from conformance.run.interrupts import held, taken
from conformance.run.recording import SOCKETS
from conformance.run.workers import Workers
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from conformance.mutants.agents import Observation
    from conformance.run.engine import Case
    from conformance.verdict import Result

AT_ONCE = 64
EACH = 128  # at once in each tester process, where nothing else is done: on a faulty agent most cases wait
EACH_IDLE = 256  # while that leaves cores idle
CALM = 24  # at once for what is looked at twice: they take a third of a core
_RESPONSE = 1.0  # seconds: the reference agent on loopback answers in milliseconds, and a mutant often not at all


class Bench:
    """The reference agent, ready to be varied. A context manager; logs go below `out`.

    With several `processes` these execute the cases, as tester processes; they have to be made while this process has
    one thread, and know these `cases`. Otherwise this process executes any case itself.
    """

    def __init__(
        self,
        out: Path,
        *,
        response: float = _RESPONSE,
        wire: lab.Wire | lab.Unavailable = SOCKETS,
        processes: int = 1,
        cases: Sequence[Case] = (),
    ) -> None:
        """Start the agent, in each process. Raises `AdapterError`."""
        self._out = out
        self._stopped = math.inf  # when, in seconds since the epoch
        for name in ("logs", "observed"):
            (out / name).mkdir(parents=True, exist_ok=True)

        def agents(share: Share = WHOLE) -> Agents:
            return Agents(out, response=response, wire=wire, share=share)

        self._agents = agents() if processes == 1 else TesterProcesses(processes, cases, agents)

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._agents.close()
        else:
            self.stop()
            self._agents.kill()

    def stop(self) -> None:
        """Let every case in execution end at its next wait; none can be executed after it."""
        self._stopped = min(self._stopped, time.time())
        self._agents.stop()

    @property
    def incidents(self) -> list[str]:
        """What the agent did against the contract, and exceptions of ours during `stop`, in words."""
        found = self._agents.incidents
        adapters = told(incident for incident in found if incident.serious and incident.time < self._stopped)
        ours = (f"the test system: {text}" for text in self._agents.failures)
        return [*(f"the reference agent: {text}" for text in adapters), *ours]

    def run(self, case: Case, faults: Sequence[str] = (), variation: Mapping[str, object] | None = None) -> Result:
        """Execute one case against the agent with these faults, or varied lawfully."""
        return self._agents.run(case, faults, variation)

    def observe(self, case: Case) -> tuple[Result, Observation]:
        """Execute one case against the healthy agent; return as well which faults could change its verdict."""
        return self._agents.observe(case)

    def execute(
        self,
        pairs: Sequence[tuple[Case, str]],
        matrix: KillMatrix,
        *,
        jobs: int | Places = AT_ONCE,
        progress: Callable[[str, Result], None] = lambda _fault, _result: None,
    ) -> None:
        """Execute each (case, fault name; "": none) and put the verdicts into the matrix as they come.

        `jobs`: so many at once, or as many as these places allow.

        An interrupt comes out as `KeyboardInterrupt`; what was done by then is in the matrix. An exception of the
        test system in one of the threads comes out as itself.
        """

        def work(pair: tuple[Case, str]) -> tuple[str, Result, Observation]:
            case, fault = pair
            with place:
                return (fault, self.run(case, [fault]), None) if fault else ("", *self.observe(case))

        place: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if isinstance(jobs, Places):
            place, jobs = jobs, jobs.most
        workers = Workers(work, pairs, jobs, name="mutant")
        try:
            with held(lambda: workers.end(taken())):
                for fault, result, observation in workers.outcomes():
                    self.tidy(result)
                    matrix.add(fault, result)
                    if not fault:
                        matrix.observed[result.case] = observation
                    progress(fault, result)
        except BaseException:
            self.stop()
            raise

    def tidy(self, result: Result) -> None:
        """Keep no log of what went as it does nearly always: there would be tens of thousands."""
        if result.verdict is Verdict.PASS and result.log:
            (self._out / result.log).unlink(missing_ok=True)


def own_network() -> lab.Wire | lab.Unavailable:
    """Enter a network of one's own, for the cases that speak in segments. The process must have one thread yet."""
    unavailable = lab.enter()
    return lab.lay_wire() if unavailable is None else unavailable


def execute(pairs: Iterable[tuple[Case, str]], out: Path, jobs: int = AT_ONCE) -> KillMatrix:
    """Execute each (case, fault name) and return all verdicts; logs go below `out`.

    A process of its own does it: who calls this keeps the network, and the threads, that it has.
    """
    named = [(case.id, fault) for case, fault in pairs]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return KillMatrix(process.submit(_execute_named, named, out, jobs).result())


def _execute_named(named: Sequence[tuple[str, str]], out: Path, jobs: int) -> dict[str, dict[str, Result]]:
    cases = {case.id: case for case in discover().every}
    matrix = KillMatrix()
    with Bench(out, wire=own_network()) as bench:
        bench.execute([(cases[case], fault) for case, fault in named], matrix, jobs=jobs)
    return matrix.results

"""Executes cases against the reference agent with one requirement broken at a time.

A few IUT processes serve all sessions: the fault is an extra of `open`, so nothing is started for a mutant.
"""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.iut import stacks
from conformance.iut.pool import Pool
from conformance.mutants.matrix import KillMatrix
from conformance.peer import lab
from conformance.peer.pixit import Pixit
from conformance.run.discovery import discover
from conformance.run.engine import Engine, Settings
from conformance.run.evidence import told
from conformance.run.interrupts import held, taken
from conformance.run.recording import SOCKETS, NoRecording
from conformance.run.workers import Workers
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from conformance.run.engine import Case
    from conformance.verdict import Result

Observation = frozenset[str] | None  # which faults could change a verdict; None: it is not known
AT_ONCE = 64
ALONE = 128  # at once where nothing else is done: on a faulty agent most cases wait, and with 64 two cores stand idle
CALM = 8  # at once for what is looked at twice
_RESPONSE = 1.0  # seconds: the reference agent on loopback answers in milliseconds, and a mutant often not at all


def _pixit(response: float) -> Pixit:
    """Return deadlines for the reference agent, which nominates soon or never."""
    pixit = Pixit.scaled(response)
    return replace(pixit, decides=pixit.complete)


class Bench:
    """The reference agent, ready to be varied. A context manager; logs go below `out`.

    Cases that need DTLS above ICE meet the agent that has it, which is started with the first of them.
    """

    def __init__(self, out: Path, *, response: float = _RESPONSE, wire: lab.Wire | lab.Unavailable = SOCKETS) -> None:
        self._out = out
        self._wire = wire
        self._response = response
        self._pools: list[Pool] = []
        self._engines: dict[str, Engine] = {}
        self._starting = threading.Lock()
        self._numbers = itertools.count(1)
        self._stopped = math.inf  # when, in seconds since the epoch
        for name in ("logs", "observed"):
            (out / name).mkdir(parents=True, exist_ok=True)
        self._engine("reference")

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.stop()
        for pool in self._pools:
            pool.close() if kind is None else pool.kill()

    def _engine(self, stack: str) -> Engine:
        with self._starting:
            if stack not in self._engines:
                pool = Pool(stacks.resolve(stack), processes=os.cpu_count() or 2, log_dir=self._out / "logs")
                try:
                    pics = pool.hello().pics
                except BaseException:
                    pool.kill()
                    raise
                self._pools.append(pool)
                settings = Settings(iut=stack, out=self._out, pixit=_pixit(self._response))
                self._engines[stack] = Engine(pool, NoRecording(self._wire), settings, pics)
            return self._engines[stack]

    def stop(self) -> None:
        """Let every case in execution end at its next wait; none can be executed after it."""
        self._stopped = min(self._stopped, time.time())
        for engine in self._engines.values():
            engine.stop()

    @property
    def incidents(self) -> list[str]:
        """What the agent did against the contract, and exceptions of ours during `stop`, in words."""
        found = (incident for pool in self._pools for incident in pool.incidents)
        adapters = told(incident for incident in found if incident.serious and incident.time < self._stopped)
        ours = (f"the test system: {text}" for engine in self._engines.values() for text in engine.failures)
        return [*(f"the reference agent: {text}" for text in adapters), *ours]

    def run(self, case: Case, faults: Sequence[str] = (), variation: Mapping[str, object] | None = None) -> Result:
        """Execute one case against the agent with these faults, or varied lawfully."""
        return self._engine(_stack(case)).run(case, faults=faults, variation=variation)

    def observe(self, case: Case) -> tuple[Result, Observation]:
        """Execute one case against the healthy agent; return as well which faults could change its verdict."""
        path = (self._out / "observed" / f"{next(self._numbers)}.jsonl").absolute()
        result = self._engine(_stack(case)).run(case, observation=path)
        return result, _read(path, result)

    def execute(
        self,
        pairs: Sequence[tuple[Case, str]],
        matrix: KillMatrix,
        *,
        jobs: int = AT_ONCE,
        progress: Callable[[str, Result], None] = lambda _fault, _result: None,
    ) -> None:
        """Execute each (case, fault name; "": none) and put the verdicts into the matrix as they come.

        An interrupt comes out as `KeyboardInterrupt`; what was done by then is in the matrix. An exception of the
        test system in one of the threads comes out as itself.
        """

        def work(pair: tuple[Case, str]) -> tuple[str, Result, Observation]:
            case, fault = pair
            return (fault, self.run(case, [fault]), None) if fault else ("", *self.observe(case))

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


def _stack(case: Case) -> str:
    return "reference-dtls" if "payload:dtls" in case.needs else "reference"


def _read(path: Path, result: Result) -> Observation:
    """Return the faults that would have been noticeable in the sessions of a case; None where that is not known."""
    sessions = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    if result.verdict is Verdict.NOT_APPLICABLE and not sessions:
        return frozenset()  # it was not executed; else what it waited for did not come, and could with a fault
    if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE) or not sessions:
        return None
    return frozenset(fault for session in sessions for fault in json.loads(session))


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

"""The reference agents of one process, with an engine each: they execute cases, with faults or without."""

from __future__ import annotations

import itertools
import json
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.iut import stacks
from conformance.iut.pool import Pool
from conformance.iut.reads import Notes
from conformance.peer.pixit import Pixit
from conformance.peer.share import WHOLE, Share
from conformance.run.engine import Engine, Settings
from conformance.run.recording import NoRecording
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conformance.iut.incidents import Incident
    from conformance.peer import lab
    from conformance.run.engine import Case
    from conformance.verdict import Result

Observation = frozenset[str] | None  # which faults could change a verdict; None: it is not known


class Agents:
    """The reference agent, ready to be varied, in a process that has this `share` of the addresses.

    Cases that need DTLS above ICE meet the agent that has it, which is started with the first of them.
    """

    def __init__(self, out: Path, *, response: float, wire: lab.Wire | lab.Unavailable, share: Share = WHOLE) -> None:
        """Start the agent. Raises `AdapterError`."""
        self._out = out
        self._wire = wire
        self._response = response
        self._share = share
        self._pools: list[Pool] = []
        self._engines: dict[str, Engine] = {}
        self._starting = threading.Lock()
        self._numbers = itertools.count(1)
        self._engine("reference")

    def run(self, case: Case, faults: Sequence[str] = (), variation: Mapping[str, object] | None = None) -> Result:
        """Execute one case against the agent with these faults, or varied lawfully."""
        return self._engine(_stack(case)).run(case, faults=faults, variation=variation)

    def observe(self, case: Case) -> tuple[Result, Observation]:
        """Execute one case against the healthy agent; return as well which faults could change its verdict."""
        name = f"{self._share.index}-{next(self._numbers)}.jsonl"
        notes = Notes((self._out / "observed" / name).absolute())
        result = self._engine(_stack(case)).run(case, notes=notes)
        return result, _read(notes, result)

    def stop(self) -> None:
        """Let every case in execution end at its next wait; none can be executed after it."""
        for engine in self._engines.values():
            engine.stop()

    def close(self) -> None:
        """End the agents as the adapter contract says."""
        for pool in self._pools:
            pool.close()

    def kill(self) -> None:
        """End the agents now."""
        for pool in self._pools:
            pool.kill()

    @property
    def incidents(self) -> list[Incident]:
        """What the agents did against the adapter contract."""
        return [incident for pool in self._pools for incident in pool.incidents]

    @property
    def failures(self) -> list[str]:
        """Exceptions of ours during `stop`."""
        return [text for engine in self._engines.values() for text in engine.failures]

    def _engine(self, stack: str) -> Engine:
        with self._starting:
            if stack not in self._engines:
                processes = max(1, (os.cpu_count() or 2) // self._share.of)
                pool = Pool(stacks.resolve(stack), processes=processes, log_dir=self._out / "logs")
                try:
                    pics = pool.hello().pics
                except BaseException:
                    pool.kill()
                    raise
                self._pools.append(pool)
                settings = Settings(iut=stack, out=self._out, pixit=_pixit(self._response), logs_passes=False)
                self._engines[stack] = Engine(pool, NoRecording(self._wire), settings, pics, self._share)
            return self._engines[stack]


def _pixit(response: float) -> Pixit:
    """Return deadlines for the reference agent, which nominates soon or never."""
    pixit = Pixit.scaled(response)
    return replace(pixit, decides=pixit.complete)


def _stack(case: Case) -> str:
    return "reference-dtls" if "payload:dtls" in case.needs else "reference"


def _read(notes: Notes, result: Result) -> Observation:
    """Return the faults that would have been noticeable in the sessions of a case; None where that is not known.

    One that changes nothing but texts of descriptions is not noticeable if the case reads the same of these.
    """
    sessions = notes.path.read_text(encoding="utf-8").splitlines() if notes.path.exists() else []
    notes.path.unlink(missing_ok=True)
    if result.verdict is Verdict.NOT_APPLICABLE and not sessions:
        return frozenset()  # it was not executed; else what it waited for did not come, and could with a fault
    if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE) or not sessions:
        return None
    noticeable: set[str] = set()
    for session in map(json.loads, sessions):
        noticeable.update(session["touched"])
        for text, others in session["texts"]:
            found = (fault for fault, other in others.items() if fault not in noticeable)
            noticeable.update([fault for fault in found if not notes.reads.alike(text, others[fault])])
    return frozenset(noticeable)

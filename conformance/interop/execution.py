"""Plays the cells of a table, some at a time, each in a process of its own; what was played before is not repeated."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.interop import judgement
from conformance.interop.cell import FACTS
from conformance.interop.model import SIDES
from conformance.iut.stacks import own_environment
from conformance.run.version import own_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from conformance.interop.model import Cell, Outcome
    from conformance.interop.plan import Contestant

SPEC = "spec.json"
_LIMIT = 240.0  # seconds for a cell, far longer than the longest lawful one
_ENDS_WITHIN = 8.0  # seconds for a cell to end its stacks once it was told to
_LAST = 500  # characters of what a process says when it fails


class Unplayable(Exception):
    """No cell can be played on this machine; the message says why and what mends it."""


@dataclass(slots=True)
class Table:
    """The cells of a table and where their files go."""

    folder: Path
    stacks: Mapping[str, Contestant]
    again: bool = False
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, cells: Sequence[Cell], jobs: int, done: Callable[[Outcome], None]) -> None:
        """Play and judge all cells, at most so many at once; `done` gets each outcome as it comes.

        Raises `Unplayable`. A `KeyboardInterrupt` that comes meanwhile ends the cells under way, and goes on.
        """
        waiting: queue.SimpleQueue[Cell] = queue.SimpleQueue()
        outcomes: queue.SimpleQueue[Outcome | Exception] = queue.SimpleQueue()
        for cell in cells:
            waiting.put(cell)
        workers = [
            threading.Thread(target=self._work, args=(waiting, outcomes), daemon=True)
            for _ in range(min(jobs, len(cells)))
        ]
        for worker in workers:
            worker.start()
        try:
            for _ in cells:
                outcome = outcomes.get()
                if isinstance(outcome, Exception):
                    raise outcome
                done(outcome)
        finally:
            self._stop()
            for worker in workers:
                worker.join(_ENDS_WITHIN)

    def _work(self, waiting: queue.SimpleQueue[Cell], outcomes: queue.SimpleQueue[Outcome | Exception]) -> None:
        while not self._stopping.is_set():
            try:
                cell = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                outcome = self._outcome(cell)
            except Exception as error:  # (the table's own trouble must reach the one who waits for outcomes)
                outcomes.put(error)
                return
            if not self._stopping.is_set():
                outcomes.put(outcome)

    def _outcome(self, cell: Cell) -> Outcome:
        settled = self.settled(cell)
        if settled is not None:
            return settled
        problem = self._play(cell, self.folder / "cells" / cell.folder)
        return judgement.unplayed(cell, problem) if problem else self.judged(cell)

    def settled(self, cell: Cell) -> Outcome | None:
        """Return the outcome of a cell that need not be played, because it was or cannot be; None: it is to be."""
        for side in SIDES:
            stack = self.stacks[cell.stack(side)]
            if stack.trouble:
                return judgement.unplayed(cell, f"{stack.name} cannot be had: {stack.trouble}")
        is_played = self._is_played(cell, self.folder / "cells" / cell.folder)
        return self.judged(cell) if is_played and not self.again else None

    def judged(self, cell: Cell) -> Outcome:
        """Return the outcome of a cell that was played."""
        folder = self.folder / "cells" / cell.folder
        outcome = judgement.judge(cell, folder)
        outcome.folder = str(folder.relative_to(self.folder))
        return outcome

    # -- one cell ----------------------------------------------------------------------------------------------------

    def _is_played(self, cell: Cell, folder: Path) -> bool:
        """Whether the folder holds this cell, played to its end by the same versions of everything."""
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            spec = json.loads((folder / SPEC).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        versions = {side: self.stacks[cell.stack(side)].version for side in SIDES}
        return bool(spec == self.spec(cell, folder) and facts.get("versions") == versions)

    def spec(self, cell: Cell, folder: Path) -> dict[str, object]:
        """Return what a cell's process is told, and what tells a cell that was played from another."""
        names = {cell.stack(side) for side in SIDES}
        return {
            "cell": {**cell.data(), "tcptypes": list(cell.tcptypes), "roles": list(cell.roles)},
            "stacks": {name: self.stacks[name].spec for name in sorted(names)},
            "icetcp": own_version(),
            "folder": str(folder),
        }

    def _play(self, cell: Cell, folder: Path) -> str:
        """Play a cell; return what kept it from being played, or nothing. Raises `Unplayable`."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / SPEC).write_text(json.dumps(self.spec(cell, folder)), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "conformance.interop.cell", str(folder / SPEC)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": own_environment()["PYTHONPATH"]},  # what adapters inherit, so no more
            start_new_session=True,
            text=True,
        )
        self._running.add(process)
        try:
            _, said = process.communicate(timeout=_LIMIT)
        except subprocess.TimeoutExpired:
            self._end(process)
            return f"its process did not end within {_LIMIT:g} s and was killed"
        finally:
            self._running.discard(process)
        if process.returncode and "namespaces" in said:
            raise Unplayable(said.strip())
        if process.returncode:
            return f"its process ended with status {process.returncode}: {said.strip()[-_LAST:]}"
        return ""

    def _stop(self) -> None:
        """End the cells under way; their stacks are ended by them."""
        self._stopping.set()
        running = list(self._running)
        for process in running:
            with contextlib.suppress(OSError):
                process.terminate()
        deadline = time.monotonic() + _ENDS_WITHIN
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._end(process)

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

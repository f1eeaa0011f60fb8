"""Gives out pieces to the workers of a cluster and takes in what comes back, each exactly once."""

from __future__ import annotations

import queue
import time
import uuid
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from conformance.cluster.archive import ArchiveError
from conformance.cluster.connection import Workers
from conformance.cluster.piece import TOPIC, Outcome, Piece, Stopped, Unfit, outcome_of
from conformance.cluster.worker import execute
from conformance.run.interrupts import held, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.cluster.connection import Cluster
    from conformance.cluster.journal import Journal

ATTEMPTS = 3  # at a piece whose program dies, or whose worker does
_LOOK = 0.2  # seconds between two looks at everything else
_WORKERS = 1.0  # seconds between two looks at who works
_PATIENCE = 30.0  # seconds that pieces wait for a worker that can do them
_ENDS_WITHIN = 15.0  # seconds for workers to end cancelled pieces
_SPARE = 2  # pieces that wait on the workers, so that none is idle while an outcome travels


@dataclass(slots=True)
class Report:
    """What is to be told of the work, apart from what it came to."""

    done: int = 0
    before: int = 0  # taken over from an earlier, interrupted command
    lost: dict[str, str] = field(default_factory=dict)  # pieces that could not be done, and why
    repeated: dict[str, str] = field(default_factory=dict)  # pieces that took several attempts, and why
    refused: dict[str, str] = field(default_factory=dict)  # workers that refused pieces, and why
    left: int = 0  # pieces that were not ended on their workers in time after they were cancelled

    def lines(self) -> list[str]:
        """Return it in words."""
        found = [f"{worker} did not take part: {why}" for worker, why in self.refused.items()]
        found += [f"piece {name} was done again: {why}" for name, why in self.repeated.items()]
        found += [f"piece {name} could not be done: {why}" for name, why in self.lost.items()]
        found += [f"{self.left} cancelled pieces may still run on their workers"] if self.left else []
        return found


@dataclass(slots=True)
class _Attempt:
    piece: Piece
    future: Any
    worker: str = ""  # who has begun it
    address: str = ""
    counted: int = 0  # what it has told so far of how far it is


class Dispatch:
    """Work in pieces on a cluster.

    ``progress`` gets how many pieces can be done at a time, and how far those under way are; ``heard`` each event of a
    worker, ``tick`` is called a few times a second.
    """

    def __init__(
        self,
        cluster: Cluster,
        journal: Journal,
        *,
        progress: Callable[[int, int], None] = lambda _workers, _counted: None,
        heard: Callable[[Mapping[str, Any]], None] = lambda _event: None,
        tick: Callable[[], None] = lambda: None,
        share: str = "",
        patience: float = _PATIENCE,
    ) -> None:
        self.report = Report()
        self.session = uuid.uuid4().hex[:12]
        self._cluster, self._journal, self._share = cluster, journal, share
        self._progress, self._heard, self._tick, self._patience = progress, heard, tick, patience
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._running: dict[str, _Attempt] = {}  # by key
        self._waiting: deque[Piece] = deque()
        self._attempts: Counter[str] = Counter()
        self._causes: dict[str, str] = {}
        self._without: dict[str, set[str]] = {}  # by piece: workers that cannot do it
        self._unfit: set[str] = set()  # workers that can do none
        self._workers = Workers()
        self._looked = self._able = -1.0
        cluster.client.subscribe_topic(f"{TOPIC}-{self.session}", lambda event: self._news.put(("event", event[1])))

    def run(self, pieces: Iterable[Piece], done: Callable[[Piece, Outcome], None]) -> None:
        """Do all pieces; `done` gets each with its outcome as it comes, when its files are in the journal's folder.

        Raises `ClusterError`, and `KeyboardInterrupt` when the pieces under way have been ended. A piece that cannot be
        done is in the report and costs no other.
        """
        self._waiting = deque()
        for piece in pieces:
            piece = replace(piece, topic=self.session, share=self._share)
            outcome = self._journal.done(piece)
            if outcome is None:
                self._waiting.append(piece)
            else:
                self.report.before += 1
                done(piece, outcome)
        self._able = time.monotonic()
        try:
            while self._waiting or self._running:
                self._tick()
                self._look()
                self._give_out()
                with opened():
                    kind, what = self._next()
                with held():
                    self._take(kind, what, done)
        except BaseException:
            self.cancel()
            raise

    def publish(self, event: Mapping[str, Any]) -> None:
        """Tell something to the programs of all pieces that listen (`conformance.cluster.relay`)."""
        self._cluster.client.log_event(f"{TOPIC}-{self.session}-known", dict(event))

    def stop(self) -> None:
        """Ask the programs under way that listen to end in order, and begin no other piece."""
        self._waiting.clear()
        self.publish({"what": "stop"})

    def cancel(self) -> None:
        """End the pieces under way, and wait until their processes are gone on each worker."""
        futures = [attempt.future for attempt in self._running.values()]
        begun = {attempt.piece.name for attempt in self._running.values() if attempt.worker}
        try:
            self._cluster.client.cancel(futures, force=True)
        except (OSError, TimeoutError, RuntimeError):
            return  # no scheduler, no worker: these end by themselves
        deadline = time.monotonic() + _ENDS_WITHIN
        while begun and time.monotonic() < deadline:
            kind, what = self._next()
            if kind == "event" and what["what"] == "ended":
                begun.discard(what["piece"])
        self.report.left = len(begun)
        self._running.clear()

    # -- out ---------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """See who works, now and then; give up pieces that nobody can do."""
        now = time.monotonic()
        if now - self._looked < _WORKERS:
            return
        if self._cluster.client.status not in ("running", "connecting"):
            raise self._cluster.gone()
        self._workers, self._looked = self._cluster.workers(), now
        self._progress(self._workers.total, sum(attempt.counted for attempt in self._running.values()))
        if self._running or any(self._places(piece) for piece in self._waiting):
            self._able = now
        elif now - self._able > self._patience:
            for piece in self._waiting:
                self.report.lost[piece.name] = self._why_nobody(piece)
            self._waiting.clear()

    def _places(self, piece: Piece) -> list[str]:
        return self._workers.able(piece.needs, self._unfit | self._without.get(piece.name, set()))

    def _why_nobody(self, piece: Piece) -> str:
        if piece.name in self._causes:
            return f"{self._causes[piece.name]}; no other worker can do it"
        if not self._workers.threads:
            return "the cluster has no worker; start some with icetcp cluster worker"
        lacking = " and ".join(piece.needs) or "what it needs"
        return f"no worker has {lacking}; start one where that is, with icetcp cluster worker"

    def _give_out(self) -> None:
        """Keep every worker busy. Pieces that nobody can do now stay where they are."""
        room = self._workers.total + _SPARE - len(self._running)
        kept: deque[Piece] = deque()
        while self._waiting and room > 0:
            piece = self._waiting.popleft()
            places = self._places(piece)
            if not places:
                kept.append(piece)
                continue
            self._submit(piece, places)
            room -= 1
        self._waiting.extendleft(reversed(kept))

    def _submit(self, piece: Piece, places: list[str]) -> None:
        key = f"icetcp-{self.session}-{piece.name}-{uuid.uuid4().hex[:8]}"
        apart = bool(self._unfit or self._without.get(piece.name))
        future = self._cluster.client.submit(
            execute,
            piece.data(),
            key=key,
            pure=False,
            resources=dict.fromkeys(piece.needs, 1) or None,
            workers=places if apart else None,
        )
        self._running[key] = _Attempt(piece, future)
        future.add_done_callback(lambda ended: self._news.put(("future", ended.key)))

    # -- in ----------------------------------------------------------------------------------------------------------

    def _next(self) -> tuple[str, Any]:
        try:
            return self._news.get(timeout=_LOOK)
        except queue.Empty:
            return "nothing", None

    def _take(self, kind: str, what: Any, done: Callable[[Piece, Outcome], None]) -> None:
        if kind == "event":
            self._hear(what)
        elif kind == "future":
            attempt = self._running.pop(what, None)
            if attempt is not None:
                self._settle(attempt, done)

    def _hear(self, event: Mapping[str, Any]) -> None:
        name = event["piece"]
        attempt = next((one for one in self._running.values() if one.piece.name == name), None)
        if attempt is not None and event["what"] == "begun":
            if attempt.worker:  # Dask has given it to another worker
                self.report.repeated[name] = f"{attempt.worker} was lost"
            attempt.worker, attempt.address, attempt.counted = event["worker"], event["address"], 0
        elif attempt is not None and event["what"] == "counted":
            attempt.counted = event["count"]
        self._heard(event)

    def _settle(self, attempt: _Attempt, done: Callable[[Piece, Outcome], None]) -> None:
        piece, future = attempt.piece, attempt.future
        if future.status == "finished":
            outcome = self._gathered(future)
            if outcome is None or outcome.piece != piece.name:
                self._again(attempt, "its outcome was lost with its worker")
                return
            try:
                new = self._journal.add(outcome)
            except ArchiveError as error:
                self._again(attempt, str(error))
                return
            self.report.done += new
            if new:
                done(piece, outcome)
            return
        failure = future.exception() if future.status == "error" else None
        if isinstance(failure, Unfit):
            self._refuse(piece, failure)
        elif isinstance(failure, Stopped) or failure is None:
            self._again(attempt, "the scheduler dropped it")
        elif type(failure).__name__ == "KilledWorker":
            self._causes[piece.name] = f"every worker that did it was lost, the last one {attempt.worker or 'unknown'}"
            self.report.lost[piece.name] = self._causes[piece.name]
        else:
            self._again(attempt, str(failure) or type(failure).__name__)

    def _gathered(self, future: Any) -> Outcome | None:
        """Return an outcome; None: its worker is gone, and Dask may not say so."""
        try:
            return outcome_of(future.result(timeout=60))
        except (OSError, TimeoutError, RuntimeError):
            return None
        finally:
            future.release()

    def _refuse(self, piece: Piece, error: Unfit) -> None:
        """Let others do what a worker cannot."""
        message, address, entirely = error.args
        self._causes[piece.name] = message
        self._without.setdefault(piece.name, set()).add(address)
        if entirely:
            self._unfit.add(address)
            self.report.refused[address] = message
        else:
            self.report.repeated[piece.name] = message
        self._waiting.append(piece)

    def _again(self, attempt: _Attempt, why: str) -> None:
        """Do a piece once more, elsewhere if there is an elsewhere."""
        piece = attempt.piece
        self._attempts[piece.name] += 1
        self._causes[piece.name] = why
        if self._attempts[piece.name] >= ATTEMPTS:
            self.report.lost[piece.name] = f"{why} ({ATTEMPTS} attempts)"
            self.report.repeated.pop(piece.name, None)
            return
        self.report.repeated[piece.name] = why
        if set(self._places(piece)) - {attempt.address}:
            self._without.setdefault(piece.name, set()).add(attempt.address)
        self._waiting.append(piece)

"""What a Dask worker does with a piece: sees that it can, lets a process of its own do it, packs up what came of it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cluster import archive, identity
from conformance.cluster.guarded import Guarded
from conformance.cluster.piece import FOLDER, SPEC, TOPIC, Broken, Outcome, Piece, Stopped, Unfit, piece_of
from conformance.iut.errors import AdapterError, StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOOK = 0.2  # seconds between two looks at whether the piece is still wanted
_TELLS = 1.0  # seconds between two reports of how far a piece is
_LEAST = 4 << 20  # octets that a disk has free which is not full
_WORDS = 600  # characters of what a program says when it fails
_KILLED = 128  # exit statuses above it: by a signal
LOG = "piece.log"


def execute(data: Mapping[str, Any]) -> dict[str, Any]:
    """Do a piece; return its outcome. Dask calls this in a thread of the worker.

    Raises `Unfit`, `Broken` and `Stopped`. What is raised and returned holds nothing but texts, numbers and octets,
    so that a client with another icetcp can read it.
    """
    begun = time.monotonic()
    where = _Where()
    _see_version(data, where)
    piece = piece_of(data)
    where.tell("begun", piece)
    try:
        stacks = _see_stacks(piece, where)
        outcome = _in_folder(piece, where)
        outcome.stacks, outcome.spent = stacks, time.monotonic() - begun
    finally:
        where.tell("ended", piece)
    return {**outcome.data(), "archive": outcome.archive}


class _Where:
    """The worker that this is, or none: then a piece is done as if nobody could want it back."""

    def __init__(self) -> None:
        self._worker: Any = None
        self._key: Any = None
        self.name, self.address = identity.machine(), ""
        try:
            from distributed import get_worker
            from distributed.worker import thread_state

            self._worker = get_worker()
            self._key, self.address = thread_state.key, self._worker.address
            self.name = f"{identity.machine()} ({self.address})"
        except (ImportError, ValueError):  # not in a worker
            pass

    @property
    def scratch(self) -> str | None:
        return getattr(self._worker, "local_directory", None)

    def tell(self, what: str, piece: Piece, **more: Any) -> None:
        if self._worker is not None:
            event = {"what": what, "piece": piece.name, "worker": self.name, "address": self.address, **more}
            self._worker.log_event(f"{TOPIC}-{piece.topic}", event)

    def unfit(self, message: str, *, entirely: bool = True) -> Unfit:
        """Return the error of this worker; `entirely`: it can do no other piece of the same command either."""
        return Unfit(f"{self.name} {message}", self.address, entirely)

    def unwanted(self) -> bool:
        """Whether the piece was cancelled, or the one who wanted it has gone."""
        if self._worker is None:
            return False
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state in ("cancelled", "released", "forgotten")


def _see_version(data: Mapping[str, Any], where: _Where) -> None:
    wanted, own = str(data.get("icetcp", "")), identity.icetcp()
    if wanted != own:
        raise where.unfit(f"has icetcp {own}, and the work is for icetcp {wanted}; install the same on every machine")


def _see_stacks(piece: Piece, where: _Where) -> dict[str, str]:
    """Return the versions of the stacks that a piece is about, all of which must be those that it is for."""
    found = {}
    for spec, wanted in piece.stacks.items():
        try:
            found[spec] = identity.stack(spec)
        except (AdapterError, StackError) as error:
            raise where.unfit(f"does not have {spec}: {error}", entirely=False) from None
        if wanted and found[spec] != wanted:
            message = f"has {spec} in version {found[spec]}, and the work is for version {wanted}"
            raise where.unfit(message, entirely=False)
    return found


def _in_folder(piece: Piece, where: _Where) -> Outcome:
    try:
        folder = Path(tempfile.mkdtemp(prefix="icetcp-piece-", dir=where.scratch))
    except OSError as error:
        raise where.unfit(f"cannot make a folder for a piece: {error.strerror}") from None
    try:
        return _do(piece, folder, where)
    except OSError as error:
        raise where.unfit(f"cannot store what comes of a piece: {error.strerror or error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _do(piece: Piece, folder: Path, where: _Where) -> Outcome:
    own, log = folder / "piece", folder / LOG
    own.mkdir()
    spec = json.dumps(piece.spec).replace(FOLDER, json.dumps(str(own))[1:-1])
    (own / SPEC).write_text(spec, encoding="utf-8")
    for name, octets in piece.files.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_bytes(octets)
    begun = time.monotonic()
    arguments = [word.replace(FOLDER, str(own)) for word in piece.program]
    with log.open("wb") as output:
        watch = _Watch(piece, own, where)
        if piece.relays:
            from conformance.cluster.relay import relayed

            status = relayed(arguments, output, own, piece, where.tell, watch.see)
        else:
            status = _watched(Guarded.start(arguments, output=output), watch.see)
    seconds = time.monotonic() - begun
    if status not in piece.good or (piece.proof and not (own / piece.proof).is_file()):
        if shutil.disk_usage(folder).free < _LEAST:
            raise where.unfit(f"has a full disk at {folder.parent}")
        raise Broken(f"{piece.name} on {where.name}: {_why(status)}: {_last_words(log)}")
    shutil.copyfile(log, own / LOG)
    octets, url = archive.pack(own), ""
    if piece.share:
        octets, url = b"", archive.leave(octets, piece.share, re.sub(r"[^A-Za-z0-9._-]+", "-", piece.name))
    return Outcome(
        piece=piece.name,
        digest=piece.digest,
        status=status,
        worker=where.name,
        seconds=seconds,
        archive=octets,
        url=url,
        folder=str(own),
    )


def _watched(program: Guarded, see: Callable[[], None]) -> int:
    """Wait for the end of a program; `see` raises when it is to be ended before."""
    try:
        while not program.ended(_LOOK):
            see()
    finally:
        status = program.end()
    return status


class _Watch:
    """Looks, while a program runs, whether the piece is still wanted, and tells how far it is."""

    def __init__(self, piece: Piece, folder: Path, where: _Where) -> None:
        self._piece, self._where = piece, where
        self._file = folder / piece.counted if piece.counted else None
        self._begun = self._told = time.monotonic()
        self._count = self._read = 0

    def see(self) -> None:
        """Raise what the program is to be ended for."""
        now = time.monotonic()
        if self._where.unwanted():
            raise Stopped(f"{self._piece.name} was cancelled")
        if now - self._begun > self._piece.limit:
            raise Broken(f"{self._piece.name} on {self._where.name} took more than {self._piece.limit:g} s")
        if self._file is not None and now - self._told > _TELLS:
            self._told = now
            self._tell(self._file)

    def _tell(self, file: Path) -> None:
        if not file.is_file():
            return
        with file.open("rb") as stream:
            stream.seek(self._read)
            octets = stream.read()
        self._read += len(octets)
        lines = octets.count(b"\n")
        if lines:
            self._count += lines
            self._where.tell("counted", self._piece, count=self._count)


def _why(status: int) -> str:
    return f"killed by signal {status - _KILLED}" if status > _KILLED else f"ended with status {status}"


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " ".join(lines[-3:])[-_WORDS:] if lines else "it said nothing"

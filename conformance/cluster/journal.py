"""The pieces that are done, in the folder of a command: what `--resume` does not do again."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING

from conformance.cluster import archive
from conformance.cluster.piece import Outcome, outcome_of

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.cluster.piece import Piece

FOLDER = "pieces"
_NAME = "journal.jsonl"


class Journal:
    """Holds outcomes below a folder: a line of the journal says that a piece's files are there, whole and for good."""

    def __init__(self, out: Path, *, resume: bool) -> None:
        """Open it, without what is there unless `resume`. Raises `OSError`."""
        self._folder = out / FOLDER
        if not resume:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._done: dict[str, Outcome] = {}
        self._read()
        self._file = os.open(self._folder / _NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def _read(self) -> None:
        path = self._folder / _NAME
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        for line in lines[:-1]:  # the last is empty, or was cut off
            try:
                outcome = outcome_of(json.loads(line))
            except (ValueError, TypeError):
                continue
            if self.folder(outcome.piece).is_dir():
                self._done[outcome.piece] = outcome
        if lines and lines[-1]:
            path.write_bytes(b"".join(line + b"\n" for line in lines[:-1]))

    def folder(self, piece: str) -> Path:
        """Return the folder of a piece's files."""
        return self._folder / re.sub(r"[^A-Za-z0-9._-]+", "-", piece)

    def done(self, piece: Piece) -> Outcome | None:
        """Return the outcome of exactly this piece, if it is there."""
        outcome = self._done.get(piece.name)
        return outcome if outcome is not None and outcome.digest == piece.digest else None

    def add(self, outcome: Outcome) -> bool:
        """Put an outcome into the folder; False: it is there already. Raises `OSError` and `ArchiveError`."""
        before = self._done.get(outcome.piece)
        if before is not None and before.digest == outcome.digest:
            return False
        octets = outcome.archive or archive.fetch(outcome.url)
        archive.unpack(octets, self.folder(outcome.piece))
        line = json.dumps(outcome.data()).encode() + b"\n"
        os.write(self._file, line)
        os.fsync(self._file)
        outcome.archive = b""
        self._done[outcome.piece] = outcome
        return True

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def remove(self) -> None:
        """Close it and remove everything: what the pieces came to is in the reports."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

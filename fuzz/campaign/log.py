"""The log of a shard: JSON lines, only ever appended, so that a killed campaign can be taken up where it was."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from fuzz.generate import CASES, PER_STAGE

if TYPE_CHECKING:
    from pathlib import Path

_LINES = 128
_SECONDS = 0.25


class Log:
    """Appends lines. Cases are written in batches, everything else at once; what is written survives our death."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # behind a line that was cut off
        self._lines: list[str] = []
        self._written = time.monotonic()

    def case(self, number: int, stage: int, kind: str, result: str, milliseconds: float) -> None:
        """Note a case. It can be made again from seed, shard, number and the corpus."""
        self._lines.append(f'[{number},{stage},"{kind}","{result}",{milliseconds:.2f}]\n')
        if len(self._lines) >= _LINES or time.monotonic() - self._written > _SECONDS:
            self.flush()

    def event(self, what: str, **more: Any) -> None:
        """Note anything else, now."""
        self._lines.append(json.dumps({"event": what, **more}) + "\n")
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._lines:
            os.write(self._file, "".join(self._lines).encode())
            self._lines.clear()
        self._written = time.monotonic()

    def close(self) -> None:
        """Write what waits, and no more."""
        self.flush()
        os.close(self._file)


class Past:
    """What a log tells of an earlier run."""

    def __init__(self, path: Path) -> None:
        self.cases = 0  # how many were played
        self.left: list[int] = []  # those of the last block that were not: it is not played in order
        self.stages = 0
        self.seconds = 0.0
        self.corpus: list[dict[str, Any]] = []
        self.begun: dict[str, Any] = {}
        self.findings: list[dict[str, Any]] = []
        self.pending: dict[str, Any] | None = None  # a symptom that was being looked into
        self._last, self._block = 0, set[int]()  # the last block, and its numbers that were seen
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    self._take(line)
            self._count()

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return  # the line that a SIGKILL cut off
        if isinstance(entry, list):
            self._saw(entry[0], entry[1])
        elif not isinstance(entry, dict):
            return
        elif entry.get("event") == "new":
            self.corpus.append(entry["case"])
            self._saw(entry["number"], entry["stage"])
        else:
            self._note(entry)

    def _saw(self, number: int, stage: int) -> None:
        self.cases, self.stages = max(self.cases, number + 1), max(self.stages, stage + 1)
        if number // PER_STAGE > self._last:
            self._last = number // PER_STAGE
            self._block.clear()
        if number // PER_STAGE == self._last:
            self._block.add(number)

    def _count(self) -> None:
        """Reckon what is left of the block that was being played."""
        begin = self._last * PER_STAGE
        missing = [number for number in range(begin, begin + CASES) if number not in self._block]
        if self._block and self.cases <= begin + CASES:
            self.left, self.cases = missing, begin + CASES - len(missing)

    def _note(self, entry: dict[str, Any]) -> None:
        what = entry.get("event")
        if what == "begin":
            self.begun = entry
        elif what == "status":
            self.seconds = entry["seconds"]
        elif what == "finding":
            self.findings.append(entry)
        elif what in ("symptom", "settled"):
            self.pending = entry if what == "symptom" else None

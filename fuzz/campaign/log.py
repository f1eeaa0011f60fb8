"""The log of a shard: JSON lines, only ever appended, so that a killed campaign can be taken up where it was."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from fuzz.generate import CASES, PER_BLOCK

if TYPE_CHECKING:
    from pathlib import Path

_LINES = 128
_SECONDS = 0.25


class Log:
    """Appends lines: cases in batches, everything else at once. What is written survives the death of this process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # behind a line that was cut off
        self._lines: list[str] = []
        self._written = time.monotonic()

    def case(self, number: int, session: int, kind: str, result: str, milliseconds: float) -> None:
        """Note a case. It can be made again from seed, shard, number and the corpus."""
        self._lines.append(f'[{number},{session},"{kind}","{result}",{milliseconds:.2f}]\n')
        if len(self._lines) >= _LINES or time.monotonic() - self._written > _SECONDS:
            self.flush()

    def event(self, what: str, **more: Any) -> None:
        """Log anything else at once."""
        self._lines.append(json.dumps({"event": what, **more}) + "\n")
        self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        if self._lines:
            os.write(self._file, "".join(self._lines).encode())
            self._lines.clear()
        self._written = time.monotonic()

    def close(self) -> None:
        """Write what was collected, and close the file."""
        self.flush()
        os.close(self._file)


class Past:
    """What a log says about an earlier run."""

    def __init__(self, path: Path) -> None:
        self.cases = 0  # how many of the seed's were played
        self.dangerous: set[int] = set()  # the numbers of the dangerous cases that were played
        self.left: list[int] = []  # those of the last block that were not: it is not played in order
        self.sessions = 0
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
            self._saw(entry["number"], entry["session"])
        elif entry.get("event") == "shared":
            self.corpus.append(entry["case"])
        else:
            self._note(entry)

    def _saw(self, number: int, session: int) -> None:
        self.sessions = max(self.sessions, session + 1)
        if number < 0:
            self.dangerous.add(number)
            return
        self.cases = max(self.cases, number + 1)
        if number // PER_BLOCK > self._last:
            self._last = number // PER_BLOCK
            self._block.clear()
        if number // PER_BLOCK == self._last:
            self._block.add(number)

    def _count(self) -> None:
        """Compute what is left of the block that was being played."""
        begin = self._last * PER_BLOCK
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

"""The folder that a command writes to: its owner, who is writing to it now, and the files that may be replaced.

A run, a campaign, a matrix or a table marks its folder with a file of its own and holds a lock on it for as long as it
goes on. Only files that an earlier one wrote into a marked folder are replaced, and not before the new one has really
begun.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MARKER = ".icetcp-run"
_LONGEST = 40  # characters of an IUT's name in a folder's


@dataclass(frozen=True, slots=True)
class Contents:
    """What a command writes: files in `folders` (name: pattern), and `reports`, both by patterns; and whole `trees`.

    ``is_ours``: whether a report in a folder without marker is one of ours nevertheless, by an older version.
    """

    folders: Mapping[str, str]
    reports: tuple[str, ...]
    is_ours: Callable[[Path], bool] = lambda _folder: False
    trees: tuple[str, ...] = ()


class FolderError(Exception):
    """The folder cannot be used; the message says why, and what to do."""


class OutputFolder:
    """A folder that this run has claimed. Nothing in it is touched before `clear`."""

    def __init__(self, path: Path, marker: IO[str] | None, made: list[Path], contents: Contents) -> None:
        self.path = path
        self._contents = contents
        self._marker = marker
        self._made = made  # what claiming it has created, the innermost last
        self._begun = False

    @classmethod
    def claim(cls, path: Path, contents: Contents | None = None) -> OutputFolder:
        """Take the folder for this run, and create it if need be; `contents`: what it writes, by default RUN.

        Raises `FolderError` where another run is writing to it, where it holds files that are not a run's, and where
        it cannot be written to.
        """
        made = [folder for folder in reversed([path, *path.parents]) if not folder.exists()]
        try:
            path.mkdir(parents=True, exist_ok=True)
            new = not (path / MARKER).exists()
            marker = (path / MARKER).open("a+", encoding="utf-8")
        except OSError as error:
            _remove(made)
            raise FolderError(
                f"cannot write to the output folder {path}: {error.strerror}; choose another with --out"
            ) from None
        claimed = cls(path, marker, [*made, path / MARKER] if new else made, contents or RUN)
        try:
            claimed._lock()
            claimed._refuse_foreign(new)
        except FolderError:
            claimed.release()
            raise
        return claimed

    @classmethod
    def shared(cls, path: Path) -> OutputFolder:
        """Return the folder that another process, the controller of pytest-xdist, has claimed and cleared."""
        return cls(path, None, [], RUN)

    def clear(self, iut: str = "") -> None:
        """Remove what an earlier run left here, and make room for this one. Raises `FolderError`."""
        self._begun = True
        try:
            if self._marker is not None:
                for folder, pattern in self._contents.folders.items():
                    for file in (self.path / folder).glob(pattern):
                        file.unlink(missing_ok=True)
                for tree in self._contents.trees:
                    if (self.path / tree).is_dir():
                        shutil.rmtree(self.path / tree)
                for report in self._reports():
                    report.unlink(missing_ok=True)
                self._mark(iut)
            for folder in self._contents.folders:
                (self.path / folder).mkdir(exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def go_on(self, iut: str = "") -> None:
        """Keep all that is there: this run goes on where an earlier one stopped. Raises `FolderError`."""
        self._begun = True
        try:
            self._mark(iut)
        except OSError as error:
            raise self._unwritable(error) from None

    def release(self) -> None:
        """Let other runs have the folder; one in which nothing began is left as it was found."""
        marker, self._marker = self._marker, None
        if marker is None:
            return
        if not self._begun:
            _remove(self._made)
        marker.close()

    def _reports(self) -> list[Path]:
        return [file for pattern in self._contents.reports for file in sorted(self.path.glob(pattern))]

    def _unwritable(self, error: OSError) -> FolderError:
        return FolderError(
            f"cannot write to the output folder {self.path}: {error.strerror}; choose another with --out"
        )

    def __enter__(self) -> OutputFolder:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()

    # -- the marker ----------------------------------------------------------------------------------------------

    def _lock(self) -> None:
        assert self._marker is not None
        try:
            fcntl.flock(self._marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._made.clear()  # it is the other run's
            self._marker.seek(0)
            raise FolderError(
                f"another run{_told(self._marker.read())} is writing to {self.path}; "
                "wait for its end, or choose another folder with --out"
            ) from None
        except OSError as error:
            raise FolderError(
                f"the output folder {self.path} cannot be locked: {error.strerror}; choose another with --out"
            ) from None

    def _mark(self, iut: str) -> None:
        assert self._marker is not None
        self._marker.seek(0)
        self._marker.truncate()
        text = {"iut": iut, "process": os.getpid(), "started": time.strftime("%Y-%m-%d %H:%M:%S")}
        self._marker.write(json.dumps(text) + "\n")
        self._marker.flush()

    def _refuse_foreign(self, new: bool) -> None:
        """Raise `FolderError` for files that would be replaced and that no run has written."""
        if not new or self._contents.is_ours(self.path):
            return
        folders = [name for name in (*self._contents.folders, *self._contents.trees) if (self.path / name).is_dir()]
        names = [name for name in folders if any((self.path / name).iterdir())]
        if names:
            raise FolderError(
                f"{self.path / names[0]} holds files that are not an earlier run's; choose another folder with --out"
            )
        reports = self._reports()
        if reports:
            raise FolderError(f"{reports[0]} is not an earlier run's; choose another folder with --out")


def default_folder(iut: str) -> str:
    """Return the folder of an IUT's runs where the user names none: reports/run-libnice."""
    name = iut.removeprefix("exec:").strip()
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name if not iut.startswith("exec:") else _program(name))
    safe = safe.strip("-.") or "iut"
    if safe != iut:
        safe = f"{safe[:_LONGEST]}-{hashlib.sha256(iut.encode()).hexdigest()[:6]}"
    return f"reports/run-{safe}"


def _program(command: str) -> str:
    """Return the last word of a command that is not an option, without folders: usually the adapter."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    names = [Path(word).name for word in words if not word.startswith("-")]
    return (
        names[1] if len(names) > 1 and re.match(r"(python|node|sh|bash|java|ruby|perl)", names[0]) else (*names, "")[0]
    )


def _is_of_a_run(folder: Path) -> bool:
    """Whether a record begins as ours do: runs of older versions have left no marker."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        with (folder / "record.jsonl").open(encoding="utf-8") as file:
            first = json.loads(file.readline())
        return first.get("kind") == "run" and "icetcp_version" in first
    return False


def _has(pattern: str, key: str) -> Callable[[Path], bool]:
    """Return a function that tells whether a folder has a file of ours: its first line, or all of it, has that key."""

    def is_ours(folder: Path) -> bool:
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError, ValueError):
                text = path.read_text(encoding="utf-8")
                report = json.loads(text.partition("\n")[0] if path.suffix == ".jsonl" else text)
                if isinstance(report, dict) and key in report:
                    return True
        return False

    return is_ours


def _any(*those: Callable[[Path], bool]) -> Callable[[Path], bool]:
    return lambda folder: any(is_ours(folder) for is_ours in those)


RUN = Contents(
    {"captures": "*.pcapng", "logs": "*.log"},
    ("record.jsonl", "junit.xml", "report.html", "statement.json", "statement.html"),
    _is_of_a_run,
)
MUTANTS = Contents(
    {"logs": "*.log", "observed": "*.jsonl"},
    ("mutants.json", "mutants.md", "lawful.json", "junit.xml"),
    _any(_has("mutants.json", "healthy"), _has("lawful.json", "seed")),
)
NAT_TABLE = Contents({}, ("nat-table.json", "junit.xml"))
MATRIX = Contents({}, ("matrix.json", "matrix.html"), _has("runs/*/record.jsonl", "icetcp_version"), ("runs",))
INTEROP = Contents(
    {},
    ("interop.json", "interop.txt", "interop.html", "junit.xml"),
    _any(_has("interop.json", "cells"), _has("cells/*/spec.json", "cell")),
    ("cells",),
)
CAMPAIGN = Contents(
    {}, ("log-*.jsonl", "junit.xml", "summary.json"), _has("log-*.jsonl", "shard"), ("findings", "unconfirmed")
)


def _told(marker: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        known = json.loads(marker)
        return f" (process {known['process']}, since {known['started']})"
    return ""


def _remove(made: list[Path]) -> None:
    """Remove what was created, if nothing has come into it."""
    for path in reversed(made):
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()

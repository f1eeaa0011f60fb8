"""A case's hold on an adapter process, and the log of what passed meanwhile."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from typing import TYPE_CHECKING

from conformance.iut.incidents import Incident, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.iut.process import AdapterProcess, Session
    from conformance.iut.said import Line, Said

_LONGEST_NAME = 180  # octets of a file name, which may have 255
_LARGEST = 16 << 20  # characters of one log
_MOST_HELD = 1 << 16  # characters in memory
_NAMED = 8
_OURS = "x-"  # methods that no adapter has: that a case ends before their answer says nothing of the adapter


def log_name(case: str) -> str:
    """Return the name of a case's log file: safe anywhere, different for different cases."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", case)
    if len(safe) > _LONGEST_NAME:
        safe = f"{safe[:_LONGEST_NAME]}-{hashlib.sha256(case.encode()).hexdigest()[:8]}"
    return f"{safe}.log"


class CaseLog:
    """Lines with the seconds since the case began, and what the process said to no case meanwhile.

    They are written when they are many, and at the end. A log that cannot be written stops, and disturbs nothing else.
    """

    def __init__(self, path: Path, said: Said) -> None:
        self._path = path
        self._said = said
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._held = 0  # characters in them
        self._size = 0  # characters written
        self._over = False
        said.listen(self.flush)

    def write(self, channel: str, text: str) -> None:
        """Add a line."""
        with self._lock:
            if self._over:
                return
            self._lines.append((time.monotonic(), channel, text))
            self._held += len(text)
            if self._held > _MOST_HELD:
                self._flush()

    def flush(self) -> None:
        """Write what there is."""
        with self._lock:
            self._flush()

    def close(self, *, keep: bool = True) -> None:
        """Write what there is, unless the log is not to be kept, and nothing more."""
        with self._lock:
            if keep:
                self._flush()
            self._over, self._lines = True, []
        self._said.leave(self.flush)

    def _flush(self) -> None:
        lines = sorted([*self._lines, *self._said.take(self.flush)], key=_time)
        self._lines, self._held = [], 0
        if self._over:
            return
        texts = []
        for when, channel, text in lines:
            self._size += len(text)
            self._over = self._size > _LARGEST
            line = "the log is full" if self._over else text
            texts.append(f"{when - self._begun:9.6f} {channel:<7} {line}\n")
            if self._over:
                break
        try:
            with self._path.open("a", encoding="utf-8", errors="replace") as file:
                file.writelines(texts)
        except OSError:
            self._over = True


def _time(line: Line) -> float:
    return line[0]


class Lease:
    """A case's hold on a process. ``shared_death``: it failed while other cases were using it too, or before.

    ``incidents``: what the process did against the contract meanwhile, complete when the lease has ended.
    """

    def __init__(self, case: str, process: AdapterProcess, log_dir: Path, *, isolated: bool) -> None:
        self.case = case
        self.process = process
        self.log_name = f"{log_dir.name}/{log_name(case)}"
        self.shared_death = False
        self.neighbours: set[str] = set()
        self.predecessor = process.last_user
        self.isolated = isolated
        self.unreadable = False  # whether the case ended because nobody can read what the IUT said
        self.keeps_log = True  # off before the end: nobody will look at it
        self._begun = time.time()
        self._log = CaseLog(log_dir / log_name(case), process.said)
        self._sessions: list[Session] = []
        self._log.write("note", f"{case}, process {process.pid}" + (", alone in it" if isolated else ""))

    @property
    def others(self) -> int:
        """How many cases have used the process meanwhile or right before."""
        return len(self.neighbours | {self.predecessor} - {""})

    def session(self, name: str | None = None) -> Session:
        """Return a new session of the adapter; its name is made up unless given."""
        session = self.process.session(name or secrets.token_hex(6), self._log.write)
        self._sessions.append(session)
        return session

    def log(self, channel: str, text: str) -> None:
        """Write a line into the case's log."""
        self._log.write(channel, text)

    @property
    def incidents(self) -> list[Incident]:
        """What happened to the process while the case was using it, perhaps by another case's doing."""
        mine = (one for one in self.process.incidents.all() if one.process == self.process.pid)
        return [one for one in mine if self.case in one.cases and one.time >= self._begun]

    def close(self) -> None:
        """End the case's sessions and its log; find out whose fault a failure of the process was."""
        process = self.process
        unanswered = [method for session in self._sessions for method in process.forget(session)]
        if unanswered:
            process.retired = True
            self._log.write("note", f"never answered: {', '.join(unanswered)}; no further case uses this process")
        missed = [method for method in unanswered if not method.startswith(_OURS)]
        if missed and process.death is None:
            text = f"the adapter never answered {', '.join(missed)}"
            process.incidents.add(Incident(Kind.HUNG, text, process.pid, (self.case,)))
        if process.death is not None:
            self.shared_death = process.victims != {self.case}
        elif unanswered:
            self.shared_death = bool(self.neighbours)
        if self.neighbours:
            named = sorted(self.neighbours)
            more = " …" if len(named) > _NAMED else ""
            shown = ", ".join(named[:_NAMED]) + more
            self._log.write("note", f"{len(named)} other cases used the process, stderr may be theirs: {shown}")
        self._log.close(keep=self.keeps_log)

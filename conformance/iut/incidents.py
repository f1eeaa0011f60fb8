"""What an adapter did against the contract, kept as evidence: a retry or a new process does not undo it."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass, field

from conformance.iut.errors import AdapterClosed, AdapterDied, AdapterError, AdapterFlooded, AdapterGarbage, AdapterHung


class Kind(enum.StrEnum):
    """What happened. `STRANGE_LINE` alone is put up with: some libraries print on stdout."""

    DIED = "died"  # its process ended, by itself or by a signal
    HUNG = "hung"  # a call was never answered, its input not read, or it stayed when its input had ended
    FLOODED = "flooded"  # a line without end, or more notifications than anybody can read
    CLOSED = "closed stdout"  # and went on running
    WRONG_ID = "wrong id"  # it answered what nobody had asked, or twice
    GARBAGE = "garbage"  # its output is not JSON-RPC 2.0, so that it could not be used any longer
    STRANGE_LINE = "strange line"  # one line that is not JSON-RPC 2.0, among others that are
    FAILED = "failed"  # anything else: it could not be started or greeted, or its output not be taken


_KINDS: tuple[tuple[type[AdapterError], Kind], ...] = (
    (AdapterDied, Kind.DIED),
    (AdapterClosed, Kind.CLOSED),
    (AdapterHung, Kind.HUNG),
    (AdapterFlooded, Kind.FLOODED),
    (AdapterGarbage, Kind.GARBAGE),
)


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that happened to a process. ``cases``: those that were using it; none if it was idle.

    ``after``: the case that had used it last, of an idle one. ``time`` is seconds since the epoch, ``process`` the
    process id (0: none was started).
    """

    kind: Kind
    text: str
    process: int = 0
    cases: tuple[str, ...] = ()
    after: str = ""
    time: float = field(default_factory=time.time)

    @classmethod
    def of(cls, error: AdapterError, process: int, cases: tuple[str, ...], after: str = "") -> Incident:
        """Return what an error stands for."""
        kind = next((kind for type_, kind in _KINDS if isinstance(error, type_)), Kind.FAILED)
        return cls(kind, str(error), process, cases, after)

    @property
    def serious(self) -> bool:
        """Whether nothing that was seen with this process can be green without a word about it."""
        return self.kind is not Kind.STRANGE_LINE


class Incidents:
    """All incidents of a run. Thread-safe. Of one kind, with the same cases and process, only the first is kept."""

    def __init__(self) -> None:
        self._found: list[Incident] = []
        self._known: set[tuple[Kind, int, tuple[str, ...]]] = set()
        self._lock = threading.Lock()

    def add(self, incident: Incident) -> None:
        """Keep one."""
        same = incident.kind, incident.process, incident.cases
        with self._lock:
            if same not in self._known:
                self._known.add(same)
                self._found.append(incident)

    def all(self) -> list[Incident]:
        """Return all so far, in order."""
        with self._lock:
            return list(self._found)

"""The timed history of a session: what was sent, what came, what was called, and when."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

Address = tuple[str, int]

_MOST = 8 << 20  # octets: a case may flood
_SHOWN = 4096  # octets of an entry, as a line of text


class Entry(NamedTuple):
    """One event. ``local`` and ``remote`` are empty for an event that belongs to no connection."""

    time: float  # seconds since the epoch
    what: str  # opened, sent, received, ended (by us), closed (by the IUT), call, case
    local: Address | None
    remote: Address | None
    octets: bytes
    note: str


class Journal:
    """Collects events. When they hold too many octets, the oldest are dropped and counted."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.dropped = 0
        self._held = 0

    def add(
        self,
        what: str,
        local: Address | None = None,
        remote: Address | None = None,
        octets: bytes = b"",
        note: str = "",
    ) -> None:
        """Take an event in."""
        self.entries.append(Entry(time.time(), what, local, remote, octets, note))
        self._held += len(octets) + 64
        while self._held > _MOST:
            self._held -= len(self.entries.popleft().octets) + 64
            self.dropped += 1

    def lines(self) -> list[str]:
        """Return the history as lines of text, with the seconds since its beginning."""
        if not self.entries:
            return []
        begun = self.entries[0].time
        told = [f"({self.dropped} earlier events were dropped)"] if self.dropped else []
        return told + [_line(entry, begun) for entry in self.entries]


def _line(entry: Entry, begun: float) -> str:
    where = ""
    if entry.local is not None and entry.remote is not None:
        arrow = "<-" if entry.what in ("received", "closed") else "->"
        where = f"{entry.local[0]}:{entry.local[1]} {arrow} {entry.remote[0]}:{entry.remote[1]}"
    text = f"{entry.time - begun:11.6f}  {entry.what:<9}{where}"
    if entry.octets:
        cut = "..." if len(entry.octets) > _SHOWN else ""
        text += f"  {len(entry.octets)} octets: {entry.octets[:_SHOWN].hex()}{cut}"
    return f"{text}  {entry.note}".rstrip()

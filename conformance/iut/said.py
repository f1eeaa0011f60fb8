"""What an adapter process says to no session, on stderr above all: kept once, for the logs of all cases that use it.

A process may serve a hundred cases at once. If each line were written into a hundred logs as it comes, this would cost
more than the cases do.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Listener = Callable[[], None]  # takes what there is, when there is much

Line = tuple[float, str, str]  # `time.monotonic` seconds, a channel, a text
_MOST = 2000  # lines until all listeners have to take them


class Said:
    """The lines that some listener has not taken yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._before = 0  # how many came before the first of these
        self._next: dict[Listener, int] = {}  # the number of the line that each takes next

    def add(self, channel: str, text: str) -> None:
        """Keep a line, if anybody listens."""
        with self._lock:
            if not self._next:
                return
            self._lines.append((time.monotonic(), channel, text))
            full = list(self._next) if len(self._lines) > _MOST else []
        for take in full:
            take()

    def listen(self, listener: Listener) -> None:
        """From now on, keep lines for this listener."""
        with self._lock:
            self._next[listener] = self._before + len(self._lines)

    def take(self, listener: Listener) -> list[Line]:
        """Return the lines that have come for a listener since it last took some."""
        with self._lock:
            number = self._next.get(listener)
            if number is None:
                return []
            lines = self._lines[number - self._before :]
            self._next[listener] = self._before + len(self._lines)
            self._forget()
            return lines

    def leave(self, listener: Listener) -> None:
        """Keep nothing more for this listener."""
        with self._lock:
            self._next.pop(listener, None)
            self._forget()

    def _forget(self) -> None:
        """Drop what everybody has taken, not for each line of it alone."""
        taken = min(self._next.values(), default=self._before + len(self._lines)) - self._before
        if taken > _MOST // 4 or not self._next:
            del self._lines[:taken]
            self._before += taken

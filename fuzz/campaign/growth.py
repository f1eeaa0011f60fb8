"""Whether a process holds more and more between sessions: descriptors, threads, memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from fuzz.judging.symptom import Symptom

if TYPE_CHECKING:
    from fuzz.judging.monitors import Usage

Case = dict[str, Any]

_WARM = 12  # sessions before growth counts
_WINDOW = 8  # sessions whose minimum is compared with the baseline, since some things are freed late
_KEPT = 24
_LIMITS = {"descriptors": 4, "threads": 4, "memory": 6 << 20}


class Growth:
    """Watches one process. After each suspicion its limit is doubled."""

    def __init__(self) -> None:
        self._limits = dict(_LIMITS)
        self.restart()

    def restart(self) -> None:
        """Begin with a new process."""
        self._sessions = 0
        self._base: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._window: deque[dict[str, int]] = deque(maxlen=_WINDOW)
        self._rises: deque[tuple[dict[str, int], list[Case]]] = deque(maxlen=_KEPT)

    def see(self, usage: Usage | None, played: list[Case]) -> list[Symptom]:
        """Take in what the process holds after a session; return what has grown above its limit."""
        if usage is None:
            return []
        now = {"descriptors": usage.descriptors, "threads": usage.threads, "memory": usage.memory}
        self._sessions += 1
        if self._last:
            self._rises.append(({name: now[name] - self._last[name] for name in now}, played))
        self._last = now
        self._window.append(now)
        if self._sessions == _WARM:
            self._base = {name: min(one[name] for one in self._window) for name in now}
            return []
        if self._sessions < _WARM + _WINDOW:
            return []
        found = []
        for name, limit in self._limits.items():
            grown = min(one[name] for one in self._window) - self._base[name]
            if grown > limit:
                self._limits[name] = limit * 2
                found.append(Symptom("leak", name, f"{grown} more {name} than at the beginning"))
        return found

    def suspects(self, name: str) -> list[list[Case]]:
        """Return the cases of the sessions with the most growth, largest first."""
        rises = sorted(self._rises, key=lambda rise: -rise[0][name])
        return [played for rise, played in rises if rise[name] > 0][:3]

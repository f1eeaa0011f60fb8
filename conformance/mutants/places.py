"""How many executions there are at once: as many as keep the cores busy.

On a faulty agent one session is over in milliseconds and the next one waits for seconds: no fixed number suits both.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_LOOK = 0.5  # seconds between two looks at the cores
_IDLE, _BUSY = 0.10, 0.03  # shares of idle time: above the one there are more at once, below the other fewer
_STEPS = 8  # from the least number to twice as many
_STAT = Path("/proc/stat")


class Places:
    """Places for executions, from the `least` to the `most`; a context manager for each execution. Thread-safe."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most
        self.limit = least
        self._taken = 0
        self._free = threading.Condition()
        self._looked, self._before = time.monotonic(), _times()

    def __enter__(self) -> None:
        with self._free:
            while self._taken >= self.limit:
                self._free.wait()
            self._taken += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._free:
            self._taken -= 1
            self._look()
            self._free.notify(max(1, self.limit - self._taken))

    def _look(self) -> None:
        """Change the limit by how idle the cores were since the last look."""
        now = time.monotonic()
        if now < self._looked + _LOOK:
            return
        (idle_before, all_before), (idle, every) = self._before, _times()
        self._looked, self._before = now, (idle, every)
        if every > all_before:
            self.adapt((idle - idle_before) / (every - all_before))

    def adapt(self, idle: float) -> None:
        """Change the limit for this share of idle time."""
        step = max(1, self.least // _STEPS)
        if idle > _IDLE:
            self.limit = min(self.most, self.limit + step)
        elif idle < _BUSY:
            self.limit = max(self.least, self.limit - step)


def _times() -> tuple[int, int]:
    """Return the idle and the whole time of this process's cores so far, in ticks; zeros where that is not known."""
    cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    idle = every = 0
    try:
        lines = _STAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0, 0
    for line in lines:
        name, *ticks = line.split()
        if name in cores:
            user, nice, system, unused, waiting, *others = map(int, ticks[:8])
            idle += unused + waiting
            every += user + nice + system + unused + waiting + sum(others)
    return idle, every

"""How long a shard goes on: until its time or its cases are over, or until it is asked to end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.campaign.spec import Spec


class Budget:
    """The time and the cases of a shard."""

    def __init__(self, spec: Spec, stopped: Callable[[], bool]) -> None:
        self._cases, self._seconds, self.stopped = spec.cases, spec.seconds, stopped
        self._begun = time.monotonic()
        self.spent = 0  # cases

    def resume(self, seconds: float, cases: int) -> None:
        """Count what an earlier run of the campaign has used."""
        self._begun -= seconds
        self.spent = cases

    @property
    def elapsed(self) -> float:
        """Seconds since the campaign began, without the time in which it was interrupted."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> int | None:
        """How many cases may still be played; None if only the time counts."""
        return max(0, self._cases - self.spent) if self._cases else None

    @property
    def half_over(self) -> bool:
        """Whether half of the time is over."""
        return self._seconds > 0 and self.elapsed >= self._seconds / 2

    @property
    def over(self) -> bool:
        """Whether to end."""
        return self.stopped() or self.left == 0 or (self._seconds > 0 and self.elapsed >= self._seconds)

"""Whether the reaction to a case is new. Cases with a new reaction join the corpus, from which later cases are made.

A seed must make the same campaign again, so a class of reactions holds nothing that depends on chance: not whether a
check of the IUT came at that moment, no connection without a last answer, and times only by orders of magnitude.
"""

from __future__ import annotations

import math
from typing import Any

_MOST = 400  # a larger corpus steers no better, and memory is to stay flat
_ORDINARY = 0.004  # seconds that any case may take on a busy machine


class Novelty:
    """Keeps the classes seen."""

    def __init__(self, median: float) -> None:
        self._median = max(median, _ORDINARY)
        self._seen: set[str] = set()
        self.count = 0

    def see(self, case: dict[str, Any], result: str, seconds: float, lines: int = 0) -> tuple[str, bool]:
        """Return the class of what became of a case, and whether it is new for this kind, or brought new lines.

        ``result``: the class of what came back; ``seconds``: how long it took.
        """
        if seconds > 64 * self._median and not _takes_time(case):
            result += f" slow{int(math.log(seconds / self._median, 8))}"
        key = kind(case, result)
        if lines == 0 and (key in self._seen or self.count >= _MOST):
            return result, False
        self._seen.add(key)
        self.count += 1
        return result, True

    def share(self, case: dict[str, Any], result: str) -> bool:
        """Take over what was new to another shard; False if it is not new here, or the corpus is large enough."""
        key = kind(case, result)
        if key in self._seen or self.count >= _MOST:
            return False
        self._seen.add(key)
        self.count += 1
        return True


def kind(case: dict[str, Any], result: str) -> str:
    """Return what makes a case as new as another: its class, the kind of its session, and the class of its result."""
    plan = case["plan"]
    return f"{case['class']}|{plan['state']}|{plan['iut']}|{result}"


def _takes_time(case: dict[str, Any]) -> bool:
    """Whether a case itself, not the IUT, decides how long it takes."""
    return any(step["do"] in ("flood", "wait", "hear") for step in case["steps"])

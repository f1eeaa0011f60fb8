"""In which order cases begin: the longest first, so that a run takes little longer than those, and others beside them.

Those that last long wait most of the time. If they had all places, the cores would be idle, and the first verdict
would come when the shortest of them is over. So they have places of their own, where the user has not said how many
cases are executed at once and the IUT bears more.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.run.case import Case


_FIRST = 4  # others begin before the long ones, if there are so many places for them: the first verdict comes sooner


def places_of_long(places: int) -> int:
    """Return how many of the cases that are executed at once may be long ones while others wait."""
    return max(1, places * 3 // 4)


def length_of(case: Case) -> float:
    """Return how many seconds a case takes at least, as far as declared."""
    return case.length


def arranged(cases: Sequence[Case], places: int, length: Callable[[Case], float] = length_of) -> list[Case]:
    """Return the cases in their order where it has to be known before."""
    ordered = sorted(cases, key=lambda case: -length(case))
    long = [case for case in ordered if length(case)]
    others = ordered[len(long) :]
    most = places_of_long(places)
    now = others[: places - most]
    return [*now[:_FIRST], *long[:most], *now[_FIRST:], *long[most:], *others[len(now) :]]


class Waiting:
    """The cases, by number, that have not begun. Its caller makes it safe for threads."""

    def __init__(
        self, cases: Sequence[Case], places: int, length: Callable[[Case], float] = length_of, *, beside: int = 0
    ) -> None:
        """So many `places` there are for cases at once, and `beside` these so many that are for long ones alone.

        Without the latter, long ones have most of the places while others wait.
        """
        self._cases = cases
        lengths = [length(case) for case in cases]
        by_length = sorted(range(len(cases)), key=lambda number: -lengths[number])
        self._long = deque(number for number in by_length if lengths[number])
        self._others = deque(number for number in by_length if not lengths[number])
        self._most = beside or places_of_long(places)
        self._most_others = places if beside else math.inf
        self._first = min(_FIRST, places if beside else places - self._most)
        self._begun: dict[int, float] = {}  # long ones, and when they are over
        self._others_begun: set[int] = set()

    def __len__(self) -> int:
        return len(self._long) + len(self._others)

    def take(self) -> int | None:
        """Return the next one to begin; None if none may begin now. There must be one that waits."""
        if self._first > 0 and self._others:
            self._first -= 1
        elif self._long and (len(self._begun) < self._most or not self._others):
            number = self._long.popleft()
            self._begun[number] = time.monotonic() + self._cases[number].length
            return number
        if len(self._others_begun) >= self._most_others:
            return None
        number = self._others.popleft()
        self._others_begun.add(number)
        return number

    def end(self, number: int) -> None:
        """Note that one is over."""
        self._begun.pop(number, None)
        self._others_begun.discard(number)

    @property
    def left(self) -> float:
        """How many seconds the longest of those that have begun still lasts, as far as declared."""
        return max(0.0, max(self._begun.values(), default=0.0) - time.monotonic())

    def clear(self) -> list[int]:
        """Return all that are left, and forget them."""
        left = [*self._long, *self._others]
        self._long.clear()
        self._others.clear()
        return left

"""The order of the cases of a block: first those that can be in flight together, then the others, or reversed.

In their natural order the two kinds would alternate, and during most flights there would be only one case to judge.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from fuzz.campaign.flight import WIDTH, flies, flight

if TYPE_CHECKING:
    from fuzz.campaign.parts import Parts

Case = dict[str, Any]
Numbered = tuple[Case, int]


class Order:
    """Divides what is left of a block into turns: cases that are played together, or one case."""

    def __init__(self, parts: Parts, plan: dict[str, Any]) -> None:
        self._parts, self._plan = parts, plan
        self._unseen = deque(parts.blocks.left)
        self._kept: deque[Numbered] = deque()
        one_by_one = parts.comparison is not None or parts.lines is not None or plan["state"] == "early"
        self._together = not one_by_one and plan["iut"] == "passive"
        self._flights_first = parts.blocks.session % 2 == 0

    @property
    def _most(self) -> int:
        parts = self._parts
        return WIDTH if self._together and parts.flights.worthwhile and not parts.runner.separate else 1

    def turn(self) -> tuple[list[Numbered], Case] | None:
        """Return the cases of the next turn, and the one case that they are together; None at the end."""
        some = self._seek(self._most) or self._take(1 if self._flights_first else self._most)
        if not some:
            return None
        joint = flight([case for case, _ in some])
        if len(some) > 1 and self._parts.buckets.avoids(joint):
            self._kept.extend(some[1:])
            return some[:1], some[0][0]
        return some, joint

    def _seek(self, most: int) -> list[Numbered]:
        """Make cases until there are enough of the kind that comes first."""
        some: list[Numbered] = []
        while self._unseen and len(some) < (most if self._flights_first else 1):
            number = self._unseen.popleft()
            one = self._parts.blocks.make(number, self._plan), number
            if most == 1 or flies(one[0]) == self._flights_first:
                some.append(one)
            else:
                self._kept.append(one)
        return some

    def _take(self, most: int) -> list[Numbered]:
        return [self._kept.popleft() for _ in range(min(most, len(self._kept)))]

"""In which order a block's cases are played: those that fly together, then those that cannot, or the other way round.

Taken as they come they would take turns, and whoever waits for a flight would have but one case to judge meanwhile.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from fuzz.campaign.flight import WIDTH, flies, flight

if TYPE_CHECKING:
    from fuzz.campaign.shard import Shard

Case = dict[str, Any]
Numbered = tuple[Case, int]


class Order:
    """Makes the turns of a session of what is left of a block."""

    def __init__(self, shard: Shard, plan: dict[str, Any]) -> None:
        self._shard, self._plan = shard, plan
        self._unseen = deque(shard.left)
        self._kept: deque[Numbered] = deque()
        alone = shard.comparison is not None or shard.lines is not None or plan["state"] == "early"
        self._together = not alone and plan["iut"] == "passive"
        self._flights_first = shard.stage % 2 == 0

    @property
    def _most(self) -> int:
        shard = self._shard
        return WIDTH if self._together and shard.flights.worthwhile and not shard.runner.separate else 1

    def turn(self) -> tuple[list[Numbered], Case] | None:
        """Make the next turn: its cases, and what they are together. None if there are no more."""
        some = self._seek(self._most) or self._take(1 if self._flights_first else self._most)
        if not some:
            return None
        joint = flight([case for case, _ in some])
        if len(some) > 1 and self._shard.buckets.avoids(joint):
            self._kept.extend(some[1:])
            return some[:1], some[0][0]
        return some, joint

    def _seek(self, most: int) -> list[Numbered]:
        """Make cases until there are enough of the kind that comes first."""
        some: list[Numbered] = []
        while self._unseen and len(some) < (most if self._flights_first else 1):
            number = self._unseen.popleft()
            one = self._shard.make(number, self._plan), number
            if most == 1 or flies(one[0]) == self._flights_first:
                some.append(one)
            else:
                self._kept.append(one)
        return some

    def _take(self, most: int) -> list[Numbered]:
        return [self._kept.popleft() for _ in range(min(most, len(self._kept)))]

"""Which cases a shard plays, in blocks: first the known dangerous ones, then those that the seed decides.

A block is played in sessions of one plan; a few mutated descriptions follow. Dangerous cases have negative numbers, the
others count from 0. When half of the time is over and dangerous cases are left, the two alternate, so that a slow IUT
gets both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.generate import CASES, PER_BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.campaign.budget import Budget
    from fuzz.campaign.log import Past
    from fuzz.findings import Buckets
    from fuzz.generate import Generator

Case = dict[str, Any]
Numbered = tuple[Case, int]

_ATTEMPTS = 8  # to make a case that does not only find again what is known


class Blocks:
    """Makes the cases of a shard. ``left``: the numbers of the block that were not played yet."""

    def __init__(
        self, generator: Generator, buckets: Buckets, budget: Budget, past: Past, dangerous: Sequence[Case] = ()
    ) -> None:
        self._generator, self._buckets, self._budget = generator, buckets, budget
        self._dangerous = {-1 - place: case for place, case in enumerate(dangerous)}
        self._waiting = [number for number in self._dangerous if number not in past.dangerous]
        self.number = past.cases  # the next one of the seed's
        self.session = past.sessions  # how many sessions were opened
        self.skipped = self._absent = 0
        self._swept = len(past.dangerous)
        most = budget.left
        self.left = past.left if most is None else past.left[:most]

    @property
    def _turn_of_the_dangerous(self) -> bool:
        if not self._waiting or not self._generator.searches:
            return bool(self._waiting)
        return not self._budget.half_over or self.session % 2 == 0

    @property
    def exhausted(self) -> bool:
        """Whether there are no more cases."""
        return not (self.left or self._waiting or self._generator.searches)

    @property
    def describes(self) -> bool:
        """Whether the next case is a description, which needs a session of its own."""
        if self.left:
            return False
        if self._turn_of_the_dangerous:
            return "sdp" in self._dangerous[self._waiting[0]]["plan"]
        return self.number % PER_BLOCK >= CASES

    def begin(self) -> dict[str, Any]:
        """Take the next block, unless one was begun; return the plan of its session."""
        if not self.left:
            self.left = self._next_dangerous() or self._next_block()
        plan = self.plan()
        self.session += 1
        return plan

    def _next_dangerous(self) -> list[int]:
        """Return the dangerous cases that share a plan with the first one that is left."""
        if not self._turn_of_the_dangerous:
            return []
        plan = self._dangerous[self._waiting[0]]["plan"]
        some = [number for number in self._waiting if self._dangerous[number]["plan"] == plan][:CASES]
        self._waiting = [number for number in self._waiting if number not in some]
        return some

    def _next_block(self) -> list[int]:
        end = self.number - self.number % PER_BLOCK + CASES
        most = self._budget.left
        return list(range(self.number, end if most is None else min(end, self.number + most)))

    def plan(self) -> dict[str, Any]:
        """Return the plan of the next session."""
        if self.left and self.left[0] < 0:
            return dict(self._dangerous[self.left[0]]["plan"])
        plan = self._generator.plan(self.session)
        return self.plain if self._buckets.avoids({"plan": plan, "steps": []}) else plan

    @property
    def plain(self) -> dict[str, Any]:
        """The simplest plan."""
        return self._generator.plans[0]

    def make(self, number: int, plan: dict[str, Any]) -> Case:
        """Return the case of a number, or another one if it would only find again what is known."""
        if number < 0:
            case = self._dangerous[number]
            if self._buckets.avoids(case):
                self.skipped += 1
                case = {**case, "steps": []}  # nothing is played
            return case
        case = self._generator.case(number, plan)
        for attempt in range(1, _ATTEMPTS):
            if not self._buckets.avoids(case):
                break
            self.skipped += 1
            case = self._generator.case(number, plan, attempt)
        else:
            case = {"class": "valid", "plan": plan, "steps": []}
        return case

    def description(self) -> Numbered | None:
        """Return the next case whose description is the test; None if it would only find again what is known."""
        if self._turn_of_the_dangerous:
            number = self._waiting.pop(0)
            case = self._dangerous[number]
            self.session += 1
        else:
            number, self.number = self.number, self.number + 1
            case = self._generator.sdp_case(number)
        if (number >= 0 and not self._generator.describes) or self._buckets.avoids(case):
            self.skipped += 1
            self._leave_out(number)
            return None
        self._count([number])
        return case, number

    def _leave_out(self, number: int) -> None:
        """Go on with the next number: there is no case of this one."""
        if number >= 0:
            self._budget.spent += 1
            self._absent += 1

    def _count(self, numbers: list[int]) -> None:
        """Count cases. The dangerous ones come in addition to those that the user asks for."""
        dangerous = sum(number < 0 for number in numbers)
        self._swept += dangerous
        self._budget.spent += len(numbers) - dangerous

    @property
    def cases(self) -> int:
        """How many cases were played."""
        return self._budget.spent - self._absent + self._swept

    @property
    def more(self) -> bool:
        """Whether another case is to be played in this block."""
        return bool(self.left) and not self._budget.over

    def played(self, numbers: list[int]) -> None:
        """Count cases as played: even if their session breaks off, they are not played again."""
        self._count(numbers)
        self.number += sum(number >= 0 for number in numbers)
        self.left = [number for number in self.left if number not in numbers]

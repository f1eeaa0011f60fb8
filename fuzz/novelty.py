"""What is new about what came back, as classes of answers, ends and times: what brings it joins the corpus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz.campaign.player import Link, Outcome

_MOST = 400  # a larger corpus steers no better, and memory is to stay flat


class Novelty:
    """Keeps the classes seen."""

    def __init__(self, median: float) -> None:
        self._median = max(median, 1e-5)
        self._seen: set[str] = set()
        self.count = 0

    def see(self, case: dict[str, Any], outcome: Outcome) -> tuple[str, bool]:
        """Return the class of an outcome, and whether it is new for this kind of case."""
        slow = int(math.log(max(1.0, outcome.seconds / self._median), 8))
        result = " ".join(sorted({self._link(link) for link in outcome.links})) + ("" if slow < 2 else f" slow{slow}")
        plan = case["plan"]
        key = f"{case['class']}|{plan['state']}|{plan['iut']}|{result}"
        if key in self._seen or self.count >= _MOST:
            return result, False
        self._seen.add(key)
        self.count += 1
        return result, True

    @staticmethod
    def _link(link: Link) -> str:
        kinds = {_answer(answers[0]) for answers in link.answers.values()}
        kinds |= {"media"} if link.media else set()
        kinds |= {"check"} if link.requests else set()
        return "+".join(sorted(kinds)) + (f"/{link.closed}" if link.closed else "")


def _answer(octets: bytes) -> str:
    """Return the class of a response; for an error its code."""
    if octets[1] == 0x01:
        return "ok"
    place = octets.find(b"\x00\x09\x00")
    if place < 0 or place + 8 > len(octets):
        return "error"
    return str((octets[place + 6] & 7) * 100 + octets[place + 7])

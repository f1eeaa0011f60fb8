"""The cases of a stage: while the IUT is busy with one, the one before is judged and the next is made."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz.campaign.runner import Memo, Scene
    from fuzz.campaign.shard import Shard
    from fuzz.oracle import Symptom

Case = dict[str, Any]
ROLE = {"do": "role"}


@dataclass(slots=True)
class _Turn:
    """A case that was played and is not judged yet. ``place``: the stage's cases played until then, with it."""

    case: Case
    number: int
    place: int
    memo: Memo
    found: list[Symptom]
    seconds: float
    lines: int  # executed for the first time


class Turns:
    """Plays cases in a scene until its block or the session is over."""

    def __init__(self, shard: Shard, scene: Scene, plan: dict[str, Any], played: list[Case]) -> None:
        self._shard, self._scene, self._plan, self._played = shard, scene, plan, played
        self._last: _Turn | None = None
        self._ahead: tuple[int, Case] | None = None  # how many findings were known then, and the next case
        self._raised: list[tuple[Symptom, int, int]] = []
        scene.asks = scene.asks and shard.comparison is None  # or two IUTs would differ in what is no case's

    def run(self) -> bool:
        """Play them; return whether the process is spoilt."""
        fatal = False
        while not fatal and self._shard.more() and not self._scene.over:
            fatal = self._turn(self._next())
        self._judge()
        return self._suspect() or fatal

    def _next(self) -> Case:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == len(self._shard.buckets.all):
            return ahead[1]
        return self._shard.next(self._plan, 0)

    def _turn(self, case: Case) -> bool:
        shard, scene, stage = self._shard, self._scene, self._scene.stage
        begun = time.perf_counter()
        played = {**case, "steps": [ROLE, *case["steps"]]} if scene.unclear else case
        self._played.append(played)
        stage.meanwhile = self._meanwhile
        found = scene.act(played)
        if stage.meanwhile is not None:
            stage.meanwhile = None
            self._judge()
        fatal, well = bool(found), scene.answered
        if not fatal and not well:
            found = shard.runner.health(scene)
            fatal = bool(found)
        took, lines = time.perf_counter() - begun, shard.lines.fresh() if shard.lines is not None else 0
        self._last = _Turn(case, shard.number, len(self._played), scene.memo(), found, took, lines)
        shard.number += 1
        if fatal or not well or self._raised or shard.comparison is not None:
            self._judge()
        return self._suspect() or fatal

    def _meanwhile(self) -> None:
        if self._shard.more(1):
            self._ahead = len(self._shard.buckets.all), self._shard.next(self._plan, 1)
            self._scene.stage.foresee(self._ahead[1]["steps"])
        self._judge()

    def _judge(self) -> None:
        """Judge the last case, log it, and keep what brought something new."""
        turn, self._last = self._last, None
        if turn is None:
            return
        shard, found = self._shard, turn.found
        if not any(symptom.kind == "death" for symptom in found):
            found = found + self._scene.judge(turn.memo)
        result, new = shard.novelty.see(turn.case, turn.memo[0], turn.lines)
        shard.note(turn.case, turn.number, result, turn.seconds, new and not found)
        if shard.comparison is not None and not turn.found:
            found = found + shard.comparison.play(turn.case, self._scene)
        self._raised += [(symptom, turn.place, turn.number) for symptom in worst(found)]

    def _suspect(self) -> bool:
        """Have what is wrong looked into; return whether the process was used up by that."""
        raised, self._raised = self._raised, []
        used = False
        for symptom, place, number in raised:
            used = self._shard.suspect(symptom, self._played[:place], number) or used
        return used


def worst(found: list[Symptom]) -> list[Symptom]:
    """Return what is to be looked into: beside a death, a hang or an exception everything else follows from it."""
    for kind in ("death", "hang", "exception"):
        first = [symptom for symptom in found if symptom.kind == kind]
        if first:
            return first[:1]
    return found

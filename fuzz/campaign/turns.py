"""The cases of a stage: while the IUT is busy with some, those before are judged and the next are made.

What can be in flight together is played so. Where a flight brings anything to light, each of its cases is played once
more by itself, to be judged as strictly as one alone can be; what none of them shows then is the flight's own.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.campaign.flight import landed, results
from fuzz.campaign.order import Order
from fuzz.novelty import result_of

if TYPE_CHECKING:
    from fuzz.campaign.order import Numbered
    from fuzz.campaign.scene import Memo, Scene
    from fuzz.campaign.shard import Shard
    from fuzz.oracle import Symptom

Case = dict[str, Any]
Raised = tuple["Symptom", list[Case], int]  # with what was played until then, and the case's number
ROLE = {"do": "role"}


@dataclass(slots=True)
class _Turn:
    """Cases that were played and are not judged yet. ``place``: the stage's cases played until then, with them."""

    cases: list[Numbered]
    joint: Case  # what they are together
    place: int
    memo: Memo
    found: list[Symptom]
    well: bool
    seconds: float
    lines: int  # executed for the first time


class Turns:
    """Plays cases in a scene until its block or the session is over."""

    def __init__(self, shard: Shard, scene: Scene, plan: dict[str, Any], played: list[Case]) -> None:
        self._shard, self._scene, self._played = shard, scene, played
        self._order = Order(shard, plan)
        self._ahead: tuple[list[Numbered], Case] | None = None
        self._last: _Turn | None = None
        self._raised: list[Raised] = []
        self._again: deque[Numbered] = deque()  # of flights, to be played once more
        self._held: list[Raised] = []  # what flights brought up, until their cases have been played alone
        self._shown: set[tuple[str, str]] = set()  # what these brought up
        scene.asks = scene.asks and shard.comparison is None  # or two IUTs would differ in what is no case's

    def run(self) -> bool:
        """Play them; return whether the process is spoilt."""
        fatal = False
        while not fatal and not self._scene.over:
            if self._again:
                one = self._again.popleft()
                fatal = self._turn([one], one[0], again=True)
            elif self._shard.more() and (turn := self._next()) is not None:
                fatal = self._turn(*turn)
            else:
                break
        self._judge()
        for case, number in self._again:
            self._shard.note(case, number, "", 0.0, new=False)
        self._again.clear()
        return self._suspect() or fatal

    def _next(self) -> tuple[list[Numbered], Case] | None:
        ahead, self._ahead = self._ahead, None
        return ahead or self._order.turn()

    def _turn(self, cases: list[Numbered], joint: Case, *, again: bool = False) -> bool:
        shard, scene, stage = self._shard, self._scene, self._scene.stage
        begun = time.perf_counter()
        if scene.unclear:
            joint = {**joint, "steps": [ROLE, *joint["steps"]]}
        self._played += [joint] if len(cases) == 1 else [case for case, _ in cases]
        if not again:
            shard.played([number for _, number in cases])
        stage.meanwhile = self._meanwhile
        found = scene.act(joint)
        if stage.meanwhile is not None:
            stage.meanwhile = None
            self._judge()
        fatal, well = bool(found), scene.answered
        if not fatal and not well:
            found = shard.runner.health(scene)
            fatal = bool(found)
        took, lines = time.perf_counter() - begun, shard.lines.fresh() if shard.lines is not None else 0
        self._last = _Turn(cases, joint, len(self._played), scene.memo(), found, well, took, lines)
        if fatal or not well or again or self._again or self._raised or shard.comparison is not None:
            self._judge()
        return self._suspect() or fatal

    def _meanwhile(self) -> None:
        if self._ahead is None and self._shard.more():
            self._ahead = self._order.turn()
            if self._ahead is not None:
                self._scene.stage.foresee(self._ahead[1]["steps"])
        self._judge()

    def _judge(self) -> None:
        """Judge the last turn, log it, and keep what brought something new."""
        turn, self._last = self._last, None
        if turn is None:
            return
        shard, found = self._shard, turn.found
        if not any(symptom.kind == "death" for symptom in found):
            found = found + self._scene.judge(turn.memo)
        if len(turn.cases) > 1:
            self._judge_flight(turn, found)
            return
        case, number = turn.cases[0]
        result, new = shard.novelty.see(case, result_of(turn.memo[0]), turn.memo[0].seconds, turn.lines)
        shard.note(case, number, result, turn.seconds, new=new and not found)
        if shard.comparison is not None and not turn.found:
            found = found + shard.comparison.play(case, self._scene)
        self._raised += self._reports(found, turn)

    def _judge_flight(self, turn: _Turn, found: list[Symptom]) -> None:
        """Log what came back for each; or, if anything about it is odd, have each played alone."""
        shard, outcome = self._shard, turn.memo[0]
        shard.flights.flown += 1
        well = turn.well and not found and landed(outcome)
        if not well:
            shard.flights.failed += 1
            if not turn.found:
                self._again += turn.cases
                self._held += self._reports(found, turn)
                return
            self._raised += self._reports(found, turn)
        share = turn.seconds / len(turn.cases)
        came = results([case for case, _ in turn.cases], outcome)
        for (case, number), result in zip(turn.cases, came, strict=True):
            told, new = shard.novelty.see(case, result, outcome.seconds)
            shard.note(case, number, told, share, new=new and well)

    def _reports(self, found: list[Symptom], turn: _Turn) -> list[Raised]:
        if not found:
            return []
        played = self._played[: turn.place] + ([turn.joint] if len(turn.cases) > 1 else [])
        return [(symptom, played, turn.cases[0][1]) for symptom in worst(found)]

    def _suspect(self) -> bool:
        """Have what is wrong looked into; return whether the process was used up by that."""
        raised, self._raised = self._raised, []
        self._shown |= {(symptom.kind, symptom.cause) for symptom, _, _ in raised}
        if not self._again:
            raised += [one for one in self._held if (one[0].kind, one[0].cause) not in self._shown]
            self._held, self._shown = [], set()
        used = False
        for symptom, played, number in raised:
            used = self._shard.suspect(symptom, played, number) or used
        return used


def worst(found: list[Symptom]) -> list[Symptom]:
    """Return what is to be looked into: beside a death, a hang or an exception everything else follows from it."""
    for kind in ("death", "hang", "exception"):
        first = [symptom for symptom in found if symptom.kind == kind]
        if first:
            return first[:1]
    return found

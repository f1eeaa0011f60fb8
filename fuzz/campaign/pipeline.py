"""The cases of a session: while the IUT is busy with some, those before are judged and the next ones are made.

Cases that can be in flight together are played so. If a flight shows anything, each of its cases is played once more
alone, to be judged as strictly as a single case can be. What none of them shows alone is put down to the flight.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuzz.campaign.flight import landed, results
from fuzz.campaign.order import Order
from fuzz.judging.answers import result_of
from fuzz.judging.session import ASK_ROLE
from fuzz.judging.symptom import CERTAIN, FATAL, Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz.campaign.order import Numbered
    from fuzz.campaign.parts import Parts
    from fuzz.judging.session import JudgedSession, Memo
    from fuzz.judging.symptom import Symptom

Case = dict[str, Any]
# A symptom, what was played until then, the number of the case, and what returns the evidence.
Raised = tuple["Symptom", list[Case], int, "Callable[[], Evidence]"]


@dataclass(slots=True)
class _Turn:
    """Cases that were played and are not judged yet. ``place``: how many cases the session had played by then."""

    cases: list[Numbered]
    joint: Case  # what they are together
    place: int
    memo: Memo
    found: list[Symptom]
    well: bool
    seconds: float
    lines: int  # executed for the first time


class Pipeline:
    """Plays cases in a session until the block or the session is over."""

    def __init__(self, parts: Parts, session: JudgedSession, plan: dict[str, Any], played: list[Case]) -> None:
        self._parts, self._session, self._played = parts, session, played
        self._order = Order(parts, plan)
        self._ahead: tuple[list[Numbered], Case] | None = None
        self._last: _Turn | None = None
        self._raised: list[Raised] = []
        self._repeats: deque[Numbered] = deque()  # cases of flights, to be played alone
        self._held: list[Raised] = []  # what flights showed, until their cases have been played alone
        self._shown: set[tuple[str, str]] = set()  # what these cases showed
        if parts.comparison is not None:
            session.asks = False  # the two IUTs would differ in an answer that belongs to no case

    def run(self) -> bool:
        """Play the cases; return whether the process must be replaced."""
        fatal = False
        while not fatal and not self._session.over:
            if self._repeats:
                one = self._repeats.popleft()
                fatal = self._turn([one], one[0], repeat=True)
            elif self._parts.blocks.more and (turn := self._next()) is not None:
                fatal = self._turn(*turn)
            else:
                break
        self._judge()
        for case, number in self._repeats:
            self._parts.notes.note(case, number, "", 0.0, new=False)
        self._repeats.clear()
        return self._suspect() or fatal

    def late(self) -> bool:
        """Judge what came after the last case; return whether the process must be replaced."""
        session = self._session
        found = session.late()
        number = self._parts.blocks.number
        self._raised = [(one, list(self._played), number, session.evidence) for one in worst(found)]
        return self._suspect() or any(symptom.kind in FATAL for symptom in found)

    def _next(self) -> tuple[list[Numbered], Case] | None:
        ahead, self._ahead = self._ahead, None
        return ahead or self._order.turn()

    def _turn(self, cases: list[Numbered], joint: Case, *, repeat: bool = False) -> bool:
        parts, session, player = self._parts, self._session, self._session.player
        begun = time.perf_counter()
        if session.unclear:
            joint = {**joint, "steps": [ASK_ROLE, *joint["steps"]]}
        self._played += [joint] if len(cases) == 1 else [case for case, _ in cases]
        if not repeat:
            parts.blocks.played([number for _, number in cases])
        player.meanwhile = self._meanwhile
        player.journal.add("case", note=", ".join(f"{case['class']} {number}" for case, number in cases))
        found = session.act(joint)
        if player.meanwhile is not None:
            player.meanwhile = None
            self._judge()
        fatal, well = bool(found), session.answered
        if not fatal and not well:
            found = parts.runner.health(session)
            fatal = bool(found)
        took, lines = time.perf_counter() - begun, parts.lines.fresh() if parts.lines is not None else 0
        self._last = _Turn(cases, joint, len(self._played), session.memo(), found, well, took, lines)
        if fatal or not well or repeat or self._repeats or self._raised or parts.comparison is not None:
            self._judge()
        return self._suspect() or fatal

    def _meanwhile(self) -> None:
        if self._ahead is None and self._parts.blocks.more:
            self._ahead = self._order.turn()
            if self._ahead is not None:
                self._session.player.foresee(self._ahead[1]["steps"])
        self._judge()

    def _judge(self) -> None:
        """Judge the last turn, log it, and keep cases that brought something new."""
        turn, self._last = self._last, None
        if turn is None:
            return
        parts, found = self._parts, turn.found
        if not any(symptom.kind == "death" for symptom in found):
            found = found + self._session.judge(turn.memo)
        if len(turn.cases) > 1:
            self._judge_flight(turn, found)
            return
        case, number = turn.cases[0]
        result, new = parts.novelty.see(case, result_of(turn.memo[0]), turn.memo[0].seconds, turn.lines)
        parts.notes.note(case, number, result, turn.seconds, new=new and not found)
        if parts.comparison is not None and not turn.found:
            found = found + parts.comparison.play(case, self._session)
        self._raised += self._reports(found, turn)

    def _judge_flight(self, turn: _Turn, found: list[Symptom]) -> None:
        """Log what came back for each case; if anything is odd about it, have each one played alone."""
        parts, outcome = self._parts, turn.memo[0]
        parts.flights.flown += 1
        well = turn.well and not found and landed(outcome)
        if not well:
            parts.flights.failed += 1
            if not turn.found:
                self._repeats += turn.cases
                self._held += self._reports(found, turn)
                return
            self._raised += self._reports(found, turn)
        share = turn.seconds / len(turn.cases)
        came = results([case for case, _ in turn.cases], outcome)
        for (case, number), result in zip(turn.cases, came, strict=True):
            told, new = parts.novelty.see(case, result, outcome.seconds)
            parts.notes.note(case, number, told, share, new=new and well)

    def _reports(self, found: list[Symptom], turn: _Turn) -> list[Raised]:
        if not found:
            return []
        played = self._played[: turn.place] + ([turn.joint] if len(turn.cases) > 1 else [])
        certain = any(symptom.kind in (*CERTAIN, *FATAL) for symptom in found)
        evidence = self._session.evidence if certain else Evidence
        return [(symptom, played, turn.cases[0][1], evidence) for symptom in worst(found)]

    def _suspect(self) -> bool:
        """Have what is wrong investigated; return whether that used up the process."""
        raised, self._raised = self._raised, []
        self._shown |= {(one[0].kind, one[0].cause) for one in raised}
        if not self._repeats:
            raised += [one for one in self._held if (one[0].kind, one[0].cause) not in self._shown]
            self._held, self._shown = [], set()
        used = died = False
        for symptom, played, number, evidence in raised:
            if symptom.kind == "death":
                if died:  # a process dies once, though a case and the one before it may both be judged after that
                    continue
                died = True
            used = self._parts.suspicions.suspect(symptom, played, number, evidence) or used
        return used


def worst(found: list[Symptom]) -> list[Symptom]:
    """Return what is to be investigated: everything else may follow from a death, an exception or a hang."""
    ends = [symptom for symptom in found if symptom.kind in FATAL][:1]
    if ends and ends[0].kind == "death":
        return ends  # its cause names the last exception
    return [symptom for symptom in found if symptom.kind == "exception"] + ends or found

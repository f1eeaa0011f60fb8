"""A session in which cases are played and judged."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fuzz.judging import monitors, oracle
from fuzz.judging.expect import View
from fuzz.judging.symptom import AT_END, Evidence, Symptom
from fuzz.player.outcome import Outcome, SessionFailed
from fuzz.player.steps import Player

if TYPE_CHECKING:
    from fuzz.judging.subject import Subject, UpperSession

Memo = tuple[Outcome, int, int]  # an outcome, and how many lines of stderr and notifications had come by then

ASK_ROLE = {"do": "role"}
_CLOSING = 0.04  # seconds in which a process ends whose sockets are closed already


class JudgedSession:
    """A player's session, and what the oracle knows of it."""

    def __init__(self, iut: Subject, plan: dict[str, Any], within: float) -> None:
        self.iut, self.plan = iut, plan
        self.upper: UpperSession = iut.session()
        self.player = Player(self.upper, plan, within)
        self.view = View(
            peer=self.player.env.ufrag,
            early=plan["state"] == "early",
            concluded=plan["state"] in ("checked", "completed"),
        )
        self.outcome = Outcome()
        self.asks = plan["state"] != "early"  # whether to ask for the IUT's role after a case that may have changed it
        self.lost = False  # the session answers nothing any more, though the process does
        self._told_role = False
        self._told = 0
        self._causes: set[str] = set()  # of complaints after which the process lived on

    def open(self) -> None:
        """Open the session. Raises `SessionFailed`."""
        self.player.open()
        env, view = self.player.env, self.view
        view.ufrag, view.key = env.iut_ufrag, env.key
        view.iut_controlling = not env.controlling
        self._told = self.upper.told

    def begin(self) -> None:
        """Make the calls of `open`, without waiting for their results."""
        self.upper.begin(self.player.prepare())

    def play(self, case: dict[str, Any]) -> list[Symptom]:
        """Play a case; return what is wrong, except for deaths and hangs, which `Runner.health` finds."""
        return self.act(case) or self.judge(self.memo())

    def act(self, case: dict[str, Any]) -> list[Symptom]:
        """Play a case; return what ended the process, if it ended. `judge` returns the rest."""
        steps = case["steps"]
        if any(step["do"] in ("restart", "accept", "call", "trickle") for step in steps):
            self.view.unsure = True  # we cannot know which credentials hold at each moment
        self.iut.begun.append(self.iut.heard)
        outcome = self.outcome = self.player.play(steps)
        self.view.ended = self.view.ended or any(step["do"] == "end" and step["on"] == 0 for step in steps)
        if steps and steps[0]["do"] == ASK_ROLE["do"]:
            self._told_role = self.asks = outcome.controlling is not None
        if self.answered and not self.upper.ended and not outcome.hung:
            return []
        if not self.answered and any(connection.closed for connection in outcome.connections):
            self.iut.dies(_CLOSING)
        return self.fatal() or ([Symptom("hang", "process", outcome.hung)] if outcome.hung else [])

    def memo(self) -> Memo:
        """Return what there is to judge at this moment."""
        return self.outcome, self.iut.heard, self.upper.told

    def judge(self, memo: Memo) -> list[Symptom]:
        """Return what is wrong with the answers, and with what stderr and the application told until then."""
        outcome, heard, told = memo
        if outcome.asked:
            self._told_role = False
        return oracle.judge(outcome, self.view) + self._notices(heard, told)

    def notices(self) -> list[Symptom]:
        """Return what stderr and the application have told since the last case."""
        return self._notices(*self.memo()[1:])

    def _notices(self, heard: int, told: int) -> list[Symptom]:
        since = self.iut.judged
        found = complaints(self.iut, heard)
        if not self._causes.issuperset(symptom.cause for symptom in found):
            # An exception may be its last words: the process writes them some time before it is gone.
            if self.iut.dies(_CLOSING):
                return fatal(self.iut, since)
            self._causes.update(symptom.cause for symptom in found)
        if told > self._told and self.plan["media"] == "rtp":
            found += oracle.judge_media(self.upper.data(self._told, told), self.view)
            self._told = told
        return found

    def fatal(self) -> list[Symptom]:
        """Return how the process ended, or why it cannot be used any more."""
        return fatal(self.iut)

    def late(self) -> list[Symptom]:
        """Return what has become of the process since the last case was judged."""
        return late(self.iut) + self.notices()

    def evidence(self) -> Evidence:
        """Return what was recorded so far."""
        return Evidence(self.iut.last_words(), self.player.journal.lines())

    @property
    def answered(self) -> bool:
        """Whether the case itself has shown that the IUT lives: its last check was answered."""
        probes = self.outcome.probes
        return bool(probes) and probes[-1][2]

    @property
    def unclear(self) -> bool:
        """Whether we must ask which role the IUT has, before much can be judged."""
        return not self.view.roles_clear and not self._told_role

    @property
    def over(self) -> bool:
        """Whether little can still be judged in this session."""
        gone = 0 not in self.player.connections and (self.plan["iut"] != "passive" or self.unclear)
        ended = self.view.unsure or self.view.ended
        return self.lost or ended or gone or (self.unclear and not self.asks)

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(SessionFailed):
            self.player.close()


def complaints(iut: Subject, until: int | None = None) -> list[Symptom]:
    """Return the exceptions on stderr that were not judged yet, up to so many lines."""
    heard = iut.heard if until is None else until
    if heard <= iut.judged:
        return []
    since, iut.judged = iut.judged, heard
    return monitors.complaints(iut.last_words(since)[: heard - since])


def late(iut: Subject) -> list[Symptom]:
    """Return how a process ended, or what it wrote on stderr. An exception may be its last words."""
    since, found = iut.judged, complaints(iut)
    if found:
        iut.dies(_CLOSING)
    return fatal(iut, since) or found


def at_end(iut: Subject) -> list[Symptom]:
    """End a process by the end of its input; return what shows only then: leaks that a sanitizer tells, crashes.

    Nothing for a process that has ended before, and for one that stays.
    """
    if not iut.usable:
        return []
    heard = iut.heard
    how = iut.ended_by()
    said = iut.last_words(heard)
    found = [monitors.death(how, said)] if how else monitors.complaints(said)
    return [replace(symptom, cause=symptom.cause + AT_END) for symptom in found]


def fatal(iut: Subject, since: int | None = None) -> list[Symptom]:
    """Return how a process ended by itself, or why it cannot be used; nothing for one that works or that we ended.

    ``since``: the line on stderr from which on a complaint can be the cause, if it is earlier than the last two cases.
    """
    if iut.usable:
        return []
    if iut.death:
        first = min([iut.judged, *iut.begun] + ([] if since is None else [since]))
        return [monitors.death(iut.death, iut.last_words(first))]
    if iut.failure:
        return [Symptom("garbage" if iut.garbled else "hang", "process", iut.failure)]
    return []

"""A stage and what the oracle knows of it: plays a case, and says what is wrong with what came back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from fuzz import monitors, oracle
from fuzz.campaign.player import Outcome, Player, StageFailed
from fuzz.expect import View
from fuzz.oracle import Symptom

if TYPE_CHECKING:
    from fuzz.campaign.iut import Iut

Memo = tuple[Outcome, int, int]  # what came back, and how much stderr and the application had told by then


class Scene:
    """A stage, and what the oracle knows of it."""

    def __init__(self, iut: Iut, plan: dict[str, Any], within: float) -> None:
        self.iut, self.plan = iut, plan
        self.stage = Player(iut.session(), plan, within)
        self.view = View(
            peer=self.stage.env.ufrag,
            early=plan["state"] == "early",
            concluded=plan["state"] in ("checked", "completed"),
        )
        self.outcome = Outcome()
        self.asks = plan["state"] != "early"  # for the IUT's role, when a case may have changed it
        self._told_role = False
        self.lost = False  # the session answers nothing any more, though the process does
        self._heard = iut.heard
        self._told = 0

    def open(self) -> None:
        """Open the session. Raises `StageFailed`."""
        self.stage.open()
        env, view = self.stage.env, self.view
        view.ufrag, view.key = env.iut_ufrag, env.key
        view.iut_controlling = not env.controlling
        self._told = self.stage.upper.told  # type: ignore[attr-defined]

    def begin(self) -> None:
        """Do of `open` what needs no waiting."""
        self.stage.upper.begin(self.stage.prepare())  # type: ignore[attr-defined]

    def play(self, case: dict[str, Any]) -> list[Symptom]:
        """Play a case; return what is wrong, deaths and hangs of the whole process left to `health`."""
        return self.act(case) or self.judge(self.memo())

    def act(self, case: dict[str, Any]) -> list[Symptom]:
        """Play a case; return what ended the process, if it did. The rest is for `judge`."""
        steps = case["steps"]
        if any(step["do"] in ("restart", "accept", "call", "trickle") for step in steps):
            self.view.unsure = True  # which credentials hold just then is nothing we judge
        outcome = self.outcome = self.stage.play(steps)
        if steps and steps[0]["do"] == "role":
            self._told_role = self.asks = outcome.controlling is not None
        if self.answered and not self.stage.upper.ended and not outcome.hung:  # type: ignore[attr-defined]
            return []
        if not self.answered and any(link.closed for link in outcome.links):
            self.iut.dies(0.04)
        if self.stage.upper.death() and self.iut.process.death is not None:
            return [self.iut_death()]
        return [Symptom("hang", "process", outcome.hung)] if outcome.hung else []

    def memo(self) -> Memo:
        """Return what there is to judge just now."""
        return self.outcome, self.iut.heard, self.stage.upper.told  # type: ignore[attr-defined]

    def judge(self, memo: Memo) -> list[Symptom]:
        """Return what is wrong with what came back, and what stderr and the application told until then."""
        outcome, heard, told = memo
        if outcome.asked:
            self._told_role = False
        return oracle.judge(outcome, self.view) + self._notices(heard, told)

    def notices(self) -> list[Symptom]:
        """Return what stderr and the application tell in the meantime."""
        return self._notices(*self.memo()[1:])

    def _notices(self, heard: int, told: int) -> list[Symptom]:
        found: list[Symptom] = []
        if heard > self._heard:
            found += monitors.complaints(self.iut.last_words(self._heard)[: heard - self._heard])
            self._heard = heard
        if told > self._told and self.plan["media"] == "rtp":
            delivered = self.stage.upper.data(self._told, told)  # type: ignore[attr-defined]
            found += oracle.judge_media(delivered, self.view)
            self._told = told
        return found

    def iut_death(self) -> Symptom:
        """Return how the process ended, by what it said since the last case."""
        return monitors.death(self.iut.death, self.iut.last_words(self._heard))

    @property
    def answered(self) -> bool:
        """Whether the case itself has shown that the IUT lives: its last check was answered."""
        probes = self.outcome.probes
        return bool(probes) and probes[-1][2]

    @property
    def unclear(self) -> bool:
        """Whether which role the IUT has must be asked for, or else little can be judged."""
        return not self.view.roles_clear and not self._told_role

    @property
    def over(self) -> bool:
        """Whether not much can be judged in this session any more."""
        gone = 0 not in self.stage.links and (self.plan["iut"] != "passive" or self.unclear)
        return self.lost or self.view.unsure or gone or (self.unclear and not self.asks)

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(StageFailed):
            self.stage.close()

"""The same case on a second IUT: if the two answer differently, one of them may be wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from conformance.iut import stacks
from conformance.iut.errors import AdapterError
from fuzz.campaign.iut import starter
from fuzz.judging.replay import answers
from fuzz.judging.runner import Runner
from fuzz.judging.symptom import Symptom
from fuzz.player.outcome import SessionFailed

if TYPE_CHECKING:
    from fuzz.judging.session import JudgedSession


class Comparison:
    """A second IUT. Only its answers count: its deaths are not findings about the first one, but they are told."""

    def __init__(self, spec: str, plain: dict[str, Any]) -> None:
        """Start it. Raises `AdapterError` if it cannot be used."""
        try:
            self._runner = Runner(starter(stacks.resolve(spec)))
        except AdapterError as error:
            raise AdapterError(f"the second IUT: {error}") from None
        try:
            self._runner.calibrate(plain)
        except SessionFailed as error:
            self._runner.close()
            raise AdapterError(f"the second IUT does not do the simplest thing: {error}") from None
        self._session: JudgedSession | None = None
        self.ends: Counter[str] = Counter()  # why its process could not be used any more, and how often

    def begin(self, plan: dict[str, Any]) -> None:
        """Open a session of the same plan."""
        try:
            if not self._runner.iut.usable:
                self._note_end()
                self._runner.fresh()
            self._session = self._runner.session(plan)
        except SessionFailed:
            self._session = None

    def play(self, case: dict[str, Any], session: JudgedSession) -> list[Symptom]:
        """Play the same case; return a difference in the answers, if both IUTs have finished with the case."""
        other = self._session
        if other is None or other.over:
            return []
        other.play(case)
        if not (session.answered and other.answered):
            return []
        mine, theirs = answers(session.outcome), answers(other.outcome)
        if mine == theirs:
            return []
        return [Symptom("disagreement", f"{mine} / {theirs}", f"this IUT: {mine}; the other: {theirs}")]

    def end(self) -> None:
        """Close that session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def close(self) -> None:
        """End the other IUT."""
        self._note_end()
        self._runner.close()

    def _note_end(self) -> None:
        iut = self._runner.iut
        if why := iut.death or iut.failure:
            self.ends[why] += 1

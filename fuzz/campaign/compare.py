"""The same case on a second IUT: where the two answer differently, one of them may be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.iut import stacks
from fuzz.campaign.player import StageFailed
from fuzz.campaign.runner import Runner
from fuzz.novelty import answers_of
from fuzz.oracle import Symptom

if TYPE_CHECKING:
    from fuzz.campaign.player import Outcome
    from fuzz.campaign.scene import Scene


class Comparison:
    """Another IUT beside the one that is judged."""

    def __init__(self, spec: str, plain: dict[str, Any]) -> None:
        self._runner = Runner(stacks.resolve(spec))
        self._runner.calibrate(plain)
        self._scene: Scene | None = None

    def begin(self, plan: dict[str, Any]) -> None:
        """Open the like session."""
        try:
            if self._runner.iut.death:
                self._runner.fresh()
            self._scene = self._runner.scene(plan)
        except StageFailed:
            self._scene = None

    def play(self, case: dict[str, Any], scene: Scene) -> list[Symptom]:
        """Play the same case; return where answers differ, if the case is one that both must have finished with."""
        other = self._scene
        if other is None or other.over:
            return []
        other.play(case)
        if not (scene.answered and other.answered):
            return []
        mine, theirs = _answers(scene.outcome), _answers(other.outcome)
        if mine == theirs:
            return []
        return [Symptom("disagreement", f"{mine} / {theirs}", f"this IUT: {mine}; the other: {theirs}")]

    def end(self) -> None:
        """Close that session."""
        if self._scene is not None:
            self._scene.close()
            self._scene = None

    def close(self) -> None:
        """End the other IUT."""
        self._runner.close()


def _answers(outcome: Outcome) -> str:
    """Return what came back as a class: what was answered and how, but not how long it took."""
    return " ".join(sorted({answers_of(link) for link in outcome.links}))

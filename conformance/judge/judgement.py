"""The outcome of a rule over one exchange or many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from conformance.judge.model import HELD, RULES, Exchange, Observation, Rule
from conformance.verdict import Verdict

_KEPT = 20  # observations of each kind; the others are counted
_WITH_CONNECTION = 3


@dataclass(slots=True)
class Judgement:
    """One rule's observations: how often it held, where it was broken, what was unclear, which readings it met."""

    rule: Rule
    held: int = 0
    breaches: int = 0
    doubts: int = 0
    broken: list[Observation] = field(default_factory=list)
    unclear: list[Observation] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """The worst of what was seen; NONE where there was nothing to judge."""
        if self.breaches:
            return Verdict.FAIL
        if self.doubts:
            return Verdict.INCONC
        return Verdict.PASS if self.held else Verdict.NONE

    @property
    def saw_something(self) -> bool:
        """Whether there was anything to judge."""
        return self.held > 0 or self.breaches > 0 or self.doubts > 0

    def take(self, seen: Iterable[Observation]) -> None:
        """Count observations."""
        held = 0
        for observation in seen:
            if observation is HELD:  # nearly always
                held += 1
            elif observation.verdict is Verdict.FAIL:
                self.breaches += 1
                _keep(self.broken, observation)
            elif observation.verdict is Verdict.INCONC:
                self.doubts += 1
                _keep(self.unclear, observation)
            else:
                held += 1
                if observation.reason and observation.reason not in self.readings:
                    self.readings.append(observation.reason)
        self.held += held

    def add(self, other: Judgement) -> None:
        """Take over what the same rule came to elsewhere."""
        self.held += other.held
        if other.breaches:
            self.breaches += other.breaches
            self.broken += other.broken[: _KEPT - len(self.broken)]
        if other.doubts:
            self.doubts += other.doubts
            self.unclear += other.unclear[: _KEPT - len(self.unclear)]
        if other.readings:
            self.readings += [text for text in other.readings if text not in self.readings]


def _keep(kept: list[Observation], observation: Observation) -> None:
    """Keep the first few; of those only the very first with their connections, which may be large."""
    if len(kept) < _KEPT:
        kept.append(observation if len(kept) < _WITH_CONNECTION else replace(observation, connection=None))


def judge(exchange: Exchange, rules: Sequence[Rule] = RULES) -> list[Judgement]:
    """Hold the rules against an exchange."""
    found = []
    for rule in rules:
        judgement = Judgement(rule)
        judgement.take(rule.look(exchange))
        found.append(judgement)
    return found

"""Counts over the verdicts of a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.verdict import Level, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Summary:
    """How many results there are of each verdict, in all, per section and per level."""

    total: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    sections: dict[str, Counter[Verdict]] = field(default_factory=dict)
    levels: dict[Level, Counter[Verdict]] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Iterable[Result]) -> Summary:
        """Count."""
        summary = cls()
        for result in results:
            summary.total += 1
            summary.verdicts[result.verdict] += 1
            summary.sections.setdefault(result.section, Counter())[result.verdict] += 1
            summary.levels.setdefault(result.level, Counter())[result.verdict] += 1
        return summary

"""The parts of a shard that playing a session needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fuzz.campaign.flight import Tally

if TYPE_CHECKING:
    from fuzz.campaign.blocks import Blocks
    from fuzz.campaign.comparison import Comparison
    from fuzz.campaign.line_coverage import Lines
    from fuzz.campaign.notes import Notes
    from fuzz.campaign.suspicions import Suspicions
    from fuzz.findings import Buckets
    from fuzz.judging.runner import Runner
    from fuzz.novelty import Novelty


@dataclass(slots=True)
class Parts:
    """What the sessions of a shard have in common."""

    runner: Runner
    blocks: Blocks
    notes: Notes
    novelty: Novelty
    buckets: Buckets
    suspicions: Suspicions
    comparison: Comparison | None = None
    lines: Lines | None = None
    flights: Tally = field(default_factory=Tally)

"""What a shard of a campaign has to do, and what it reports."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

Case = dict[str, Any]


@dataclass(slots=True)
class Spec:
    """What a shard has to do. Its cases depend on seed, shard and corpus only."""

    iut: str
    out: str
    seed: int = 0
    shard: int = 0
    cases: int = 0
    seconds: float = 0.0
    against: str = ""
    resume: bool = False
    classes: list[str] = field(default_factory=list)  # of input; empty: all
    connections: str = "mixed"
    lines: bool = False  # the IUT is in Python, and its lines count as novelty
    corpus: list[Case] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # a dictionary's entries, in hexadecimal
    shared: bool = False  # lines on standard input tell what other shards have found


def identity(spec: Spec) -> dict[str, Any]:
    """Return what decides the cases of a shard."""
    return {
        "spec": spec.iut,
        "seed": spec.seed,
        "shard": spec.shard,
        "classes": spec.classes,
        "connections": spec.connections,
        "lines": spec.lines,
        "corpus": _digest(spec.corpus),
        "dictionary": _digest(spec.words),
    }


def _digest(some: list[Any]) -> str:
    return hashlib.sha256(json.dumps(some, sort_keys=True).encode()).hexdigest()[:16] if some else ""


@dataclass(slots=True)
class Status:
    """How a shard goes: for the live view and the report."""

    cases: int = 0
    sessions: int = 0
    seconds: float = 0.0
    restarts: int = 0
    new: int = 0
    found: list[dict[str, Any]] = field(default_factory=list)
    coverage: dict[str, int] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)  # of the coverage: kinds of session that the IUT allows
    unconfirmed: dict[str, int] = field(default_factory=dict)
    last_new: float = 0.0
    skipped: int = 0
    lines: int = 0
    done: bool = False
    problem: str = ""
    others_ends: dict[str, int] = field(default_factory=dict)  # why the second IUT could not be used any more

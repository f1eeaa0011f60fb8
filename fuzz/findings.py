"""Findings: one bucket per cause, and the folder that hands one over."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from fuzz.describe import summary, words
from fuzz.judging.symptom import MEASURED

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.judging.symptom import Symptom

_TOLERATED = 3  # findings of one kind and cause; further ones count as the same
_TOLD_APART = ("death", "hang", "spin", "leak")  # kinds of which each bucket is reported
_AVOIDED = ("death", "hang", "spin", "deaf")  # kinds that cost a process, a session or a deadline each time
_STRUCTURE = ("connections", "part ", "end ", "cut", "patch", "coalesced")  # words about how octets are sent
LEVELS = {"disagreement": "note"}


@dataclass(slots=True)
class Finding:
    """Something wrong, with the smallest case that shows it.

    ``rate``: how often it came in how many trials; ``hits``: how often it came in the campaign. A finding that was not
    reproduced has the case of its whole session.
    """

    kind: str
    cause: str
    text: str
    words: list[str]
    case: dict[str, Any]
    number: int = 0
    seconds: float = 0.0
    shard: int = 0
    seed: int = 0
    rate: str = "1/1"
    reproduced: bool = True
    hits: int = 1
    repeat: int = 1
    stderr: list[str] = field(default_factory=list)
    original: dict[str, Any] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        """The name of the bucket: kind and cause, and what is unusual about the case if the cause says too little."""
        parts = [self.kind, self.cause]
        if not _telling(self.cause):
            parts.append(summary(self.words) if self.reproduced else "not reproduced")
        text = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-").lower() for part in parts)
        digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:6]
        return f"{text[:70].strip('-')}-{digest}"

    @property
    def octets(self) -> int:
        """How large the minimal case is, as it is written down."""
        return len(json.dumps(self.case["steps"]))

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"bucket": self.bucket, **asdict(self)}


def confirmed(finding: dict[str, Any]) -> bool:
    """Whether a finding, as data, counts as one: a symptom that depends on time and load must have come again."""
    return bool(finding["reproduced"]) or finding["kind"] not in MEASURED


def _telling(cause: str) -> bool:
    """Whether a cause names a place in the code of the IUT, or has a message of its own."""
    return " in " in cause or "panic" in cause or "Assertion" in cause or "***" in cause or cause.startswith("Rust")


def _specific(kind: str, way: frozenset[str]) -> bool:
    """Whether what is unusual about a case is special enough to avoid all cases like it.

    Cut frames, ends and several connections are half of all framing: to avoid them after a death would hide other bugs.
    """
    return kind != "death" or not all(word.startswith(_STRUCTURE) for word in way)


def load(path: Path) -> Finding:
    """Return a finding from its file or folder."""
    file = path / "finding.json" if path.is_dir() else path
    return from_data(json.loads(file.read_text(encoding="utf-8")))


def from_data(table: dict[str, Any]) -> Finding:
    """Return a finding from what `Finding.data` said of it."""
    names = Finding.__dataclass_fields__
    return Finding(**{name: value for name, value in table.items() if name in names})


class Buckets:
    """The findings so far."""

    def __init__(self) -> None:
        self.all: dict[str, Finding] = {}
        self._seen: Counter[tuple[str, str]] = Counter()
        self._ways: dict[str, set[frozenset[str]]] = {}  # by bucket: what was unusual about its cases

    def add(self, finding: Finding) -> bool:
        """Take a finding in; False if its bucket is there already. A reproduced one replaces one that was not."""
        known = self.all.get(finding.bucket)
        self._seen[finding.kind, finding.cause] += 1
        ways: tuple[frozenset[str] | None, ...] = ()
        if finding.reproduced:
            ways = (frozenset(finding.words), words(finding.original) if finding.original else None)
        self._ways.setdefault(finding.bucket, set()).update(
            filter(None, ways)
        )  # a case without anything unusual says nothing
        if known is not None and (known.reproduced or not finding.reproduced):
            known.hits += 1
            return False
        finding.hits += known.hits if known is not None else 0
        self.all[finding.bucket] = finding
        return True

    def seen(self, symptom: Symptom) -> bool:
        """Whether there is a finding of this kind and cause."""
        return bool(self._alike(symptom))

    def known(self, symptom: Symptom, case: dict[str, Any]) -> Finding | None:
        """Return the finding that a symptom clearly belongs to."""
        seen = words(case)
        same = self._alike(symptom)
        for finding in same:
            if finding.reproduced and (_telling(finding.cause) or self._comes_to(seen, finding)):
                finding.hits += 1
                return finding
        if symptom.kind not in _TOLD_APART and self._seen[symptom.kind, symptom.cause] >= _TOLERATED:
            return same[0] if same else None
        return None

    def avoids(self, case: dict[str, Any]) -> bool:
        """Whether a case would only find again what is known."""
        seen: frozenset[str] | None = None
        for finding in self.all.values():
            if finding.kind in _AVOIDED:
                seen = words(case) if seen is None else seen
                if any(seen >= way for way in self._ways[finding.bucket] if _specific(finding.kind, way)):
                    return True
        return False

    def slips(self, symptom: Symptom, case: dict[str, Any]) -> bool:
        """Whether a case leads to a finding that only its case distinguishes from a symptom."""
        same = self._alike(symptom)
        seen = words(case) if same and not _telling(symptom.cause) else frozenset()
        return bool(seen) and any(self._comes_to(seen, finding) for finding in same)

    def _alike(self, symptom: Symptom) -> list[Finding]:
        return [one for one in self.all.values() if (one.kind, one.cause) == (symptom.kind, symptom.cause)]

    def _comes_to(self, seen: frozenset[str], finding: Finding) -> bool:
        """Whether a case has all that is unusual about a case of a finding."""
        return any(seen >= way for way in self._ways[finding.bucket])

"""The PICS proforma of an implementation (ISO/IEC 9646-7), filled in as far as its answers and the scan tell.

Three parts: who made what (to be filled in by the supplier), the capabilities, and every requirement with its status (m
mandatory, o optional, c conditional) and whether it is supported. What nobody has said stays empty: "?" is not "no".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MANDATORY = ("must", "stated")
YES, NO, UNKNOWN, NOT_APPLICABLE = "yes", "no", "?", "n/a"
SUPPLIER = (
    "Supplier", "Contact", "Implementation", "Version", "Operating system and hardware", "Date of the statement",
    "All mandatory capabilities are implemented (yes or no)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capability:
    """A row of the second part. ``said``: the IUT declared it; else the value is the contract's default."""

    item: str
    key: str
    meaning: str
    allowed: str
    value: str
    said: bool
    scan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the third part. ``status``: m, o, or with a condition c.m, c.o; ``support``: yes, no, n/a or ?."""

    item: str
    requirement: str
    reference: str
    level: str
    title: str
    status: str
    condition: str
    support: str


@dataclass(slots=True)
class Proforma:
    """The whole document."""

    iut: str
    version: str
    icetcp: str
    supplier: dict[str, str] = field(default_factory=dict)
    capabilities: list[Capability] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    scan: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)  # what the adapter did against the contract when it was asked

    def data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def capabilities(
    known: Iterable[tuple[str, str, Sequence[str], object, str]], pics: Mapping[str, object], scan: Sequence[str]
) -> list[Capability]:
    """Return the second part. `known` are key, kind, values, default and meaning of each capability."""
    rows = []
    for number, (key, kind, values, default, meaning) in enumerate(known, start=1):
        allowed = ", ".join(values) or {"flag": "yes or no", "count": "a number"}.get(kind, "")
        remarks = tuple(text for text in scan if f"declare {key} " in text or f"; {key} says" in text)
        rows.append(
            Capability(f"C.{number}", key, meaning, allowed, _said(pics.get(key, default)), key in pics, remarks)
        )
    return rows


def support(verdicts: Iterable[str], *, applies: bool) -> str:
    """Return whether a requirement is supported, by the verdicts of a run that cite it; ? where it was not judged."""
    if not applies:
        return NOT_APPLICABLE
    found = set(verdicts)
    return NO if found & {"fail", "known"} else YES if "pass" in found else UNKNOWN


def status(level: str, condition: str) -> str:
    """Return how a requirement binds."""
    kind = "m" if level in _MANDATORY else "o"
    return f"c.{kind}" if condition else kind


def _said(value: object) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)

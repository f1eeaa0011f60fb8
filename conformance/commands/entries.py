"""What `icetcp list` lists: cases, variants and requirements, as rows of a table and as JSON."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.catalogue import REQUIREMENTS
from conformance.commands.terminal import counted
from conformance.run.selection import in_section, nearest, shown
from conformance.verdict import Level, case_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.catalogue import Requirement
    from conformance.run.discovery import Found
    from conformance.run.engine import Case

_LEVELS = list(Level)


@dataclass(slots=True)
class Listed:
    """Entries in both forms. `fields`: so many of the columns stand on a terminal, 0 for all."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    data: list[dict[str, Any]]
    fields: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which requirements are wanted: in these sections, this strong or stronger, with all the words in their text."""

    sections: Sequence[str] = ()
    level: str | None = None
    words: str = ""
    only: Sequence[str] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Filter:
        """Return the filter that a command's options make."""
        return cls(
            sections=options["sections"],
            level=options["level"],
            words=options["expression"],
            only=options["requirements"],
        )

    def holds(self, requirement: Requirement) -> bool:
        """Whether a requirement is wanted."""
        weakest = _LEVELS.index(Level(self.level)) if self.level else len(_LEVELS)
        section = f"{requirement.rfc}-{requirement.section}"
        text = f"{requirement.id} {requirement.title} {requirement.text}".lower()
        return (
            _LEVELS.index(requirement.level) <= weakest
            and (not self.only or requirement.id in self.only)
            and (not self.sections or any(in_section(section, asked) for asked in self.sections))
            and all(word in text for word in self.words.lower().split())
        )


def unknown_filters(sections: Sequence[str], requirements: Sequence[str]) -> list[str]:
    """Return what is wrong with filters of requirements that match nothing, and which names come nearest."""
    known = dict.fromkeys(f"{r.rfc}-{r.section}" for r in REQUIREMENTS.values())
    lost = [
        ("--section", asked, known) for asked in sections if not any(in_section(section, asked) for section in known)
    ]
    lost += [
        ("--requirement", asked, dict.fromkeys(REQUIREMENTS)) for asked in requirements if asked not in REQUIREMENTS
    ]
    problems = []
    for option, asked, names in lost:
        near = nearest(asked, names)
        hint = f"nearest: {', '.join(near)}" if near else "see icetcp list --requirements"
        problems.append(f"{option} {shown(asked)} matches nothing; {hint}")
    return problems


def by_case(variants: Iterable[Case]) -> dict[str, list[Case]]:
    """Return variants by the id of their case."""
    groups: dict[str, list[Case]] = {}
    for variant in variants:
        groups.setdefault(case_name(variant.id), []).append(variant)
    return groups


def of_cases(variants: Sequence[Case]) -> Listed:
    """List cases, each with its number of variants."""
    data = [_case(name, group) for name, group in by_case(variants).items()]
    rows = [
        (entry["id"], entry["level"], ", ".join(entry["requirements"]), str(len(entry["variants"])), entry["title"])
        for entry in data
    ]
    # A case's title says what its id says: on a terminal the id is enough.
    return Listed(("case", "level", "requirements", "variants", "title"), rows, data, fields=4)


def of_variants(variants: Sequence[Case]) -> Listed:
    """List variants, each on a line of its own."""
    data = [{"id": v.id, "case": case_name(v.id), **_common(v), **_variant(v)} for v in variants]
    rows = [(v.id, v.level.value, ", ".join(v.requirements), v.title) for v in variants]
    return Listed(("variant", "level", "requirements", "title"), rows, data, fields=3)


def of_requirements(found: Found, wanted: Filter) -> Listed:
    """List requirements, each with the number of cases that test it."""
    tested = found.by_requirement()
    chosen = [requirement for requirement in REQUIREMENTS.values() if wanted.holds(requirement)]
    rows = [(r.id, r.level.value, status_of(r, tested), r.title) for r in chosen]
    return Listed(("requirement", "level", "status", "title"), rows, [_requirement(r, tested) for r in chosen])


def status_of(requirement: Requirement, tested: Mapping[str, Sequence[Case]]) -> str:
    """Say by how many cases a requirement is tested, or why it is not."""
    variants = tested.get(requirement.id, ())
    if variants:
        return f"tested by {counted(len(by_case(variants)), 'case')}"
    return f"untestable: {requirement.untestable}" if requirement.untestable else "pending"


def purpose(case: Case) -> str:
    """Return a case's purpose with its lines aligned, as the function's docstring has them."""
    first, _, rest = case.purpose.partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}".strip()


def _case(name: str, variants: Sequence[Case]) -> dict[str, Any]:
    first = variants[0]
    common = _common(first)
    common["level"] = min((v.level for v in variants), key=_LEVELS.index).value
    common["requirements"] = list(dict.fromkeys(r for v in variants for r in v.requirements))
    needs = [atom for atom in first.needs if all(atom in v.needs for v in variants)]
    title = name.partition("/")[2].replace("_", " ")
    return {
        "id": name,
        **common,
        "title": title,
        "needs": needs,
        "variants": [_variant(v, whole=True) for v in variants],
    }


def _common(variant: Case) -> dict[str, Any]:
    return {
        "title": variant.title,
        "purpose": purpose(variant),
        "section": variant.section,
        "level": variant.level.value,
        "requirements": list(variant.requirements),
    }


def _variant(variant: Case, *, whole: bool = False) -> dict[str, Any]:
    parameters = {name: str(value) for name, value in variant.parameters.items()}
    own = {"needs": list(variant.needs), "parameters": parameters}
    return {"id": variant.id, **own} if whole else own


def _requirement(requirement: Requirement, tested: Mapping[str, Sequence[Case]]) -> dict[str, Any]:
    variants = tested.get(requirement.id, ())
    return {
        "id": requirement.id,
        "level": requirement.level.value,
        "status": "tested" if variants else "untestable" if requirement.untestable else "pending",
        "title": requirement.title,
        "text": requirement.text,
        "binds": requirement.binds,
        "pics": list(requirement.pics),
        "predecessor": requirement.predecessor,
        "successor": requirement.successor,
        "note": requirement.note,
        "untestable": requirement.untestable,
        "repeats": list(requirement.repeats),
        "cases": list(by_case(variants)),
        "variants": len(variants),
    }

"""Cases and requirements for a person to read: what `icetcp list` and `icetcp show` print."""

from __future__ import annotations

import difflib
import shlex
import textwrap
from typing import TYPE_CHECKING, Any

from conformance.catalogue import REQUIREMENTS
from conformance.run.collect import in_section
from conformance.suites.dimensions import case_name
from conformance.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.catalogue import Requirement
    from conformance.run.discovery import Found
    from conformance.run.engine import Case

_LEVELS = list(Level)


# -- filters --------------------------------------------------------------------------------------------


def requirements(
    sections: Sequence[str] = (), level: str | None = None, words: str = "", only: Sequence[str] = ()
) -> list[Requirement]:
    """Return the requirements in these sections, this strong or stronger, whose text holds all the words.

    `only`: of these ids.
    """
    weakest = _LEVELS.index(Level(level)) if level else len(_LEVELS)
    return [
        requirement
        for requirement in _all_requirements()
        if _LEVELS.index(requirement.level) <= weakest
        and (not only or requirement.id in only)
        and (not sections or any(in_section(f"{requirement.rfc}-{requirement.section}", asked) for asked in sections))
        and all(
            word in f"{requirement.id} {requirement.title} {requirement.text}".lower() for word in words.lower().split()
        )
    ]


def _all_requirements() -> Iterable[Requirement]:
    return REQUIREMENTS.values()


def status_of(requirement: Requirement, tested: Mapping[str, Sequence[Case]]) -> str:
    """Say by how many cases a requirement is tested, or why by none."""
    cases = tested.get(requirement.id, ())
    if cases:
        return f"tested by {len(cases)} case{'' if len(cases) == 1 else 's'}"
    return f"untestable: {requirement.untestable}" if requirement.untestable else "pending"


# -- as data --------------------------------------------------------------------------------------------


def case_data(case: Case) -> dict[str, Any]:
    """Return a case for JSON."""
    return {
        "id": case.id,
        "title": case.title,
        "purpose": purpose(case),
        "section": case.section,
        "level": case.level.value,
        "requirements": list(case.requirements),
        "needs": list(case.needs),
        "parameters": {name: str(value) for name, value in case.parameters.items()},
    }


def requirement_data(requirement: Requirement, tested: Mapping[str, Sequence[Case]]) -> dict[str, Any]:
    """Return a requirement for JSON."""
    cases = tested.get(requirement.id, ())
    return {
        "id": requirement.id,
        "level": requirement.level.value,
        "status": "tested" if cases else "untestable" if requirement.untestable else "pending",
        "title": requirement.title,
        "text": requirement.text,
        "binds": requirement.binds,
        "pics": list(requirement.pics),
        "successor": requirement.successor,
        "note": requirement.note,
        "untestable": requirement.untestable,
        "cases": [case.id for case in cases],
    }


def purpose(case: Case) -> str:
    """Return a case's purpose with its lines aligned, as the function's docstring has them."""
    first, _, rest = case.purpose.partition("\n")
    return f"{first}\n{textwrap.dedent(rest)}".strip()


# -- for one of them ------------------------------------------------------------------------------------


def show(wanted: str, found: Found) -> list[str] | None:
    """Return the lines that tell of a case or requirement; None if there is none of that name.

    A case is known by its id, with or without the parameters in brackets, or by its function's name.
    """
    requirement = REQUIREMENTS.get(_as_identifier(wanted))
    if requirement is not None:
        return _requirement_lines(requirement, found)
    cases = [case for case in found.every if wanted in _names(case)]
    return _case_lines(cases, found) if cases else None


def nearest(wanted: str, found: Found) -> list[str]:
    """Return the ids that look most like what was asked for."""
    known = {name.lower(): name for case in found.every for name in (case.id, case_name(case.id))}
    known |= {identifier.lower(): identifier for identifier in REQUIREMENTS}
    asked = wanted.lower()
    holding = [name for name in known if asked in name]
    matches = holding[:5] or difflib.get_close_matches(asked, list(known), 5, 0.5)
    return [known[match] for match in matches]


def _as_identifier(text: str) -> str:
    """Return "RFC6544-7.2-s01" of "rfc6544-7.2-S01"."""
    head, dash, ordinal = text.strip().upper().rpartition("-")
    return f"{head}{dash}{ordinal.lower()}"


def _name(identifier: str) -> str:
    return identifier.partition("/")[2]


def _names(case: Case) -> set[str]:
    name = _name(case.id)
    return {form for full in (case.id, name, f"test_{name}") for form in (full, case_name(full))}


def _case_lines(cases: Sequence[Case], found: Found) -> list[str]:
    first = cases[0]
    exact = len(cases) == 1
    lines = [first.id if exact else case_name(first.id), ""]
    lines += [f"  {line}" for line in purpose(first).splitlines()]
    lines += ["", f"level         {first.level.value.upper()}"]
    if first.needs:
        lines.append(f"PICS          {', '.join(first.needs)}")
    if exact and first.parameters:
        lines.append(f"parameters    {', '.join(f'{k}={v}' for k, v in first.parameters.items())}")
    lines += ["", "requirements"]
    for identifier in first.requirements:
        lines += _paragraph(identifier, REQUIREMENTS[identifier])
    if not exact:
        lines += ["", "cases", *(f"  {case.id}" for case in cases)]
    alone = first.id if exact else case_name(first.id)
    return [*lines, "", "run it alone", f"  icetcp run --case {shlex.quote(alone)}"]


def _paragraph(identifier: str, requirement: Requirement) -> list[str]:
    text = f"{requirement.level.value.upper()}: {requirement.text}"
    lines = [f"  {identifier}", *_wrapped(text)]
    if requirement.successor:
        lines += _wrapped(f"Today: {requirement.successor}")
    if requirement.note:
        lines += _wrapped(f"Note: {requirement.note}")
    return lines


def _requirement_lines(requirement: Requirement, found: Found) -> list[str]:
    tested = found.by_requirement()
    lines = [
        f"{requirement.id}: {requirement.title}",
        "",
        *(line[2:] for line in _wrapped(requirement.text)),
        "",
    ]
    lines += [
        f"{label:<13} {value}"
        for label, value in (
            ("level", requirement.level.value.upper()),
            ("binds", requirement.binds),
            ("PICS", ", ".join(requirement.pics)),
            ("today", requirement.successor),
            ("note", requirement.note),
            ("status", status_of(requirement, tested)),
        )
        if value
    ]
    cases = tested.get(requirement.id, ())
    if cases:
        lines += ["", "cases", *(f"  {case.id}" for case in cases)]
        lines += ["", "run them alone", f"  icetcp run --requirement {requirement.id}"]
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)

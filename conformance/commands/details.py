"""What `icetcp show` prints: one case with its variants, or one requirement with its cases."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING

from conformance.catalogue import REQUIREMENTS, exclusions
from conformance.commands.entries import by_case, purpose, status_of
from conformance.commands.terminal import counted
from conformance.judge import RULES, rule_of
from conformance.run.selection import nearest
from conformance.verdict import case_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.catalogue import Requirement
    from conformance.judge import Rule
    from conformance.run.discovery import Found
    from conformance.run.engine import Case


def of_name(wanted: str, found: Found) -> list[str] | None:
    """Return the lines about a case, a variant, a requirement or a section; None if nothing has that name."""
    requirement = REQUIREMENTS.get(_as_identifier(wanted))
    if requirement is not None:
        return _requirement_lines(requirement, found)
    section = _section_lines(wanted.strip().upper(), found)
    if section:
        return section
    variants = [variant for variant in found.every if wanted in _names(variant)]
    if not variants:
        rule = rule_of(wanted)
        return None if rule is None else _rule_lines(rule)
    exact = "[" in wanted or variants[0].id == case_name(variants[0].id)
    return _variant_lines(variants[0]) if exact else _case_lines(variants)


def nearest_names(wanted: str, found: Found) -> list[str]:
    """Return the ids of cases, variants and requirements that look most like what was asked for."""
    names = dict.fromkeys(name for case in found.every for name in (case_name(case.id), case.id))
    return nearest(wanted, [*names, *(rule.id for rule in RULES), *REQUIREMENTS])


def _as_identifier(text: str) -> str:
    """Return "RFC6544-7.2-s01" of "rfc6544-7.2-S01"."""
    head, dash, ordinal = text.strip().upper().rpartition("-")
    return f"{head}{dash}{ordinal.lower()}"


def _names(variant: Case) -> set[str]:
    """Return the names by which a variant is known: with its section, without it, and as a function of pytest."""
    name = variant.id.partition("/")[2]
    return {form for full in (variant.id, name, f"test_{name}") for form in (full, case_name(full))}


def _case_lines(variants: Sequence[Case]) -> list[str]:
    name = case_name(variants[0].id)
    listed = ["", counted(len(variants), "variant"), *(f"  {variant.id}" for variant in variants)]
    shared = [atom for atom in variants[0].needs if all(atom in variant.needs for variant in variants)]
    return [*_head(name, variants[0], shared), *_asked(variants), *listed, *_command("run it alone", f"--case {name}")]


def _variant_lines(variant: Case) -> list[str]:
    lines = _head(variant.id, variant, variant.needs)
    if variant.parameters:
        lines.append(f"parameters    {', '.join(f'{k}={v}' for k, v in variant.parameters.items())}")
    return [*lines, *_asked([variant]), *_command("run it alone", f"--case {shlex.quote(variant.id)}")]


def _rule_lines(rule: Rule) -> list[str]:
    """Return what a rule of the judge holds captures against."""
    lines = [rule.id, "", f"  {rule.title}", *_wrapped(" ".join((rule.look.__doc__ or "").split()))]
    lines += ["", f"level         {REQUIREMENTS[rule.requirement].level.value.upper()}", "", "requirements"]
    for identifier in rule.requirements:
        lines += _paragraph(identifier, REQUIREMENTS[identifier])
    held = "A rule of the judge: it is held against every capture of a run, and by icetcp judge against any capture."
    return [*lines, "", *_wrapped(held), *_command("judge all captures of a run", f"--case {rule.id}")]


def _head(name: str, case: Case, needs: Sequence[str]) -> list[str]:
    lines = [name, "", *(f"  {line}" for line in purpose(case).splitlines())]
    lines += ["", f"level         {case.level.value.upper()}"]
    return [*lines, f"PICS          {', '.join(needs)}"] if needs else lines


def _asked(variants: Sequence[Case]) -> list[str]:
    lines = ["", "requirements"]
    for identifier in dict.fromkeys(identifier for variant in variants for identifier in variant.requirements):
        lines += _paragraph(identifier, REQUIREMENTS[identifier])
    return lines


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
            ("before", requirement.predecessor),
            ("today", requirement.successor),
            ("note", requirement.note),
            ("repeats", ", ".join(requirement.repeats)),
            ("status", status_of(requirement, tested)),
        )
        if value
    ]
    cases = by_case(tested.get(requirement.id, ()))
    if cases:
        widest = max(map(len, cases))
        lines += ["", "cases", *(f"  {name:<{widest}}  {counted(len(v), 'variant')}" for name, v in cases.items())]
        lines += _command("run them alone", f"--requirement {requirement.id}")
    return lines


def _section_lines(section: str, found: Found) -> list[str]:
    """Return the requirements of a section such as "RFC8489-9.2", and the sentences of it that are none."""
    rfc, _, number = section.partition("-")
    tested = found.by_requirement()
    rows = [r for r in REQUIREMENTS.values() if (r.rfc, r.section) == (rfc, number)]
    widest = max((len(r.id) for r in rows), default=0)
    lines = [f"  {r.id:<{widest}}  {r.level.value.upper():<6}  {r.title} ({status_of(r, tested)})" for r in rows]
    left_out = [f"  {which}: {reason}" for which, reason in exclusions(rfc, number)]
    if not lines and not left_out:
        return []
    return [
        section,
        *(["", "requirements", *lines] if lines else []),
        *(["", "left out", *left_out] if left_out else []),
    ]


def _command(heading: str, options: str) -> list[str]:
    return ["", heading, f"  icetcp run {options}"]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)

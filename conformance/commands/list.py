"""`icetcp list`: the cases, their variants, or the requirements."""

from __future__ import annotations

import json
from typing import Any

import click

from conformance.commands.options import broken_session, complain, filters, nothing_matches, private_cases, selection
from conformance.commands.terminal import table
from conformance.verdict import ExitStatus


@click.command(name="list")
@filters
@private_cases
@click.option(
    "--requirements",
    "of_requirements",
    is_flag=True,
    help="List requirements and the cases that test them; -k then takes words of their text.",
)
@click.option("--variants", "of_variants", is_flag=True, help="List every variant of the cases, one line each.")
@click.option("--iut", metavar="NAME|exec:COMMAND", help="The variants for this IUT, which is started and asked.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(of_requirements: bool, of_variants: bool, iut: str | None, as_json: bool, **options: Any) -> int:
    """List the cases: level, requirements that they test, number of variants."""
    from conformance.commands import entries
    from conformance.run.discovery import discover

    asked = [] if iut is None else [f"--iut={iut}"]
    found = discover(asked if of_requirements else [*asked, *selection(**options)], options["cases_from"])
    broken = broken_session(found.outcome)
    if broken is not None:
        return broken
    if of_requirements:
        problems = entries.unknown_filters(options["sections"], options["requirements"])
        if problems:
            return complain("; ".join(problems), ExitStatus.USAGE)
        listed = entries.of_requirements(found, entries.Filter.of(options))
    else:
        listed = entries.of_variants(found.selected) if of_variants else entries.of_cases(found.selected)
    if not listed.data:
        return complain(nothing_matches("requirement" if of_requirements else "case", options), ExitStatus.USAGE)
    if as_json:
        click.echo(json.dumps(listed.data, indent=2, ensure_ascii=False))
    else:
        table(listed.header, listed.rows, fields=listed.fields)
    return 0

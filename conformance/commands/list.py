"""`icetcp list`: the cases, or the requirements."""

from __future__ import annotations

import json
from typing import Any

import click

from conformance.commands.options import broken_session, complain, filters, nothing_matches, selection
from conformance.commands.terminal import table
from conformance.verdict import ExitStatus


@click.command(name="list")
@filters
@click.option(
    "--requirements",
    "of_requirements",
    is_flag=True,
    help="List requirements and by what they are tested; -k then takes words that their text holds.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(of_requirements: bool, as_json: bool, **options: Any) -> int:
    """List the cases with the requirements that they test."""
    from conformance.commands import listing
    from conformance.run.discovery import discover

    found = discover([] if of_requirements else selection(**options))
    broken = broken_session(found.outcome)
    if broken is not None:
        return broken
    if of_requirements:
        tested = found.by_requirement()
        chosen = listing.requirements(
            options["sections"], options["level"], options["expression"], options["requirements"]
        )
        data = [listing.requirement_data(requirement, tested) for requirement in chosen]
        rows = [(r.id, r.level.value, listing.status_of(r, tested), r.title) for r in chosen]
        header = ("requirement", "level", "status", "title")
    else:
        data = [listing.case_data(case) for case in found.selected]
        rows = [(c.id, c.level.value, ", ".join(c.requirements), c.title) for c in found.selected]
        header = ("case", "level", "requirements", "title")
    if not data:
        return complain(nothing_matches("requirement" if of_requirements else "case", options), ExitStatus.USAGE)
    if as_json:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        table(header, rows, fields=0 if of_requirements else 3)  # a case's title says what its id says
    return 0

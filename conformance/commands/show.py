"""`icetcp show`: one case, one requirement or one section."""

from __future__ import annotations

import click

from conformance.commands.options import broken_session, complain, private_cases
from conformance.commands.terminal import one_line
from conformance.verdict import ExitStatus


@click.command()
@private_cases
@click.argument("name", metavar="CASE|REQUIREMENT|SECTION")
def show(name: str, cases_from: tuple[str, ...]) -> int:
    """Print what a case does, what a requirement asks and which cases test it, or what a section holds.

    SECTION is such as RFC8489-9.2.4: its requirements, and the reasons why its other sentences are none.

    CASE is an id with or without a variant in brackets, or the name of the case's function.
    """
    from conformance.commands import details
    from conformance.run.discovery import discover

    found = discover(private=cases_from)
    broken = broken_session(found.outcome)
    if broken is not None:
        return broken
    lines = details.of_name(name, found)
    if lines is None:
        near = details.nearest_names(name, found)
        hint = f"; nearest: {', '.join(near)}" if near else "; see icetcp list and icetcp list --requirements"
        return complain(f"no case, requirement or section is called {one_line(name, 100)}{hint}", ExitStatus.USAGE)
    click.echo("\n".join(lines))
    return 0

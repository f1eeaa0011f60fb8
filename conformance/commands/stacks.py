"""`icetcp stacks`: the implementations that icetcp can start."""

from __future__ import annotations

import json

import click

from conformance.commands.options import complain
from conformance.commands.terminal import table
from conformance.verdict import ExitStatus


@click.group()
def stacks() -> None:
    """List and build the implementations that icetcp knows how to start."""


@stacks.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_stacks(as_json: bool) -> int:
    """List the stacks: name, whether ready to run, licence, what it is, what builds it.

    A toolchain is needed only for the stacks that are built with it.
    """
    from conformance.iut import stacks as registry
    from conformance.iut.stacks.build import built
    from conformance.iut.stacks.toolchains import built_with

    known = [registry.description(name) for name in registry.names()]
    rows = [
        (
            s.name,
            "ready" if not s.source or built(s) else f"to build: icetcp stacks build {s.name}",
            s.licence,
            s.title,
            built_with(s) or "-",
        )
        for s in known
    ]
    if as_json:
        names = ("name", "state", "licence", "title", "built_with", "homepage")
        values = [(*row, s.homepage) for row, s in zip(rows, known, strict=True)]
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in values], indent=2))
    else:
        table(("stack", "state", "licence", "title", "built with"), rows)
    return 0


@stacks.command(name="build")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every stack that must be built; what cannot be is told.")
@click.option("--install", is_flag=True, help="Install missing Debian packages first (root or sudo).")
def build_stacks(names: tuple[str, ...], everything: bool, install: bool) -> int:
    """Build the adapters of stacks into the cache folder.

    Exit status: 0 all are built, 2 usage, 3 one could not be built: what is missing is said, with the command that
    mends it.
    """
    from conformance.iut import stacks as registry
    from conformance.iut.stacks.build import build

    if everything == bool(names):
        return complain("name the stacks, or say --all", ExitStatus.USAGE)
    known = registry.names()
    for name in names:
        if name not in known:
            return complain(f"no stack is called {name}; known: {', '.join(known)}", ExitStatus.USAGE)
    wanted = [registry.description(name) for name in names or known]
    status = 0
    for stack in wanted:
        if everything and not stack.source:
            continue
        try:
            build(stack, click.echo, install=install)
        except registry.StackError as error:
            status = complain(str(error), ExitStatus.COULD_NOT_JUDGE)
    return status


@stacks.command(name="outdated")
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def outdated(names: tuple[str, ...], as_json: bool) -> int:
    """Ask the registries for newer versions of what the stacks are made of.

    The package managers ask: go, npm, pip, cargo, mvn; for Debian's packages the lists of the last apt-get update. Exit
    status: 0 all are the newest, 1 some are not, 3 some could not be asked.
    """
    from conformance.iut import stacks as registry
    from conformance.iut.stacks.outdated import standings

    known = registry.names()
    for name in names:
        if name not in known:
            return complain(f"no stack is called {name}; known: {', '.join(known)}", ExitStatus.USAGE)
    found = [(name, s) for name in names or known for s in standings(registry.description(name))]
    rows = [(name, s.package, s.present, s.newest or f"not known: {s.problem}") for name, s in found]
    if as_json:
        keys = ("stack", "package", "version", "newest", "problem")
        values = [(name, s.package, s.present, s.newest, s.problem) for name, s in found]
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in values], indent=2))
    else:
        table(("stack", "package", "version", "newest"), rows)
    if any(s.outdated for _, s in found):
        return int(ExitStatus.DOES_NOT_CONFORM)
    return int(ExitStatus.COULD_NOT_JUDGE if any(s.problem for _, s in found) else ExitStatus.CONFORMS)


@stacks.command(name="document")
@click.option("--write", "file", type=click.Path(dir_okay=False), help="Put the list into this document.")
def document_stacks(file: str | None) -> int:
    """Print, as Markdown, what the stacks do otherwise than the RFCs ask, with the command that shows each again."""
    from pathlib import Path

    from conformance.commands.stacks_document import document, written

    if file is None:
        click.echo(document(), nl=False)
        return 0
    path = Path(file)
    try:
        path.write_text(written(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
    except OSError as error:
        return complain(f"cannot write {file}: {error.strerror}", ExitStatus.USAGE)
    return 0

"""A command is imported when it is called; where all are meant, all are there."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from conformance.commands.cli import cli

_ONE = """
import sys, click
from conformance.commands.cli import cli
assert cli.get_command(click.Context(cli), {name!r}).name == {name!r}
print(*sorted(name for name in sys.modules if name.startswith("conformance.commands.")))
"""


@pytest.mark.parametrize("name", ["run", "nat-table"])
def test_one_is_imported_without_the_others(name: str) -> None:
    command = [sys.executable, "-c", _ONE.format(name=name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert f"conformance.commands.{name.replace('-', '_')}" in loaded
    assert not loaded & {f"conformance.commands.{other}" for other in ("matrix", "judge", "mutants", "stacks")}


def test_each_is_listed_by_its_own_name() -> None:
    context = click.Context(cli)
    names = cli.list_commands(context)
    assert {"run", "doctor", "list", "nat-table", "fuzz"} <= set(names)
    for name in names:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_a_mistyped_one_is_recognised() -> None:
    with pytest.raises(click.UsageError) as refused:
        cli.resolve_command(click.Context(cli), ["mutnats"])
    assert "'mutants'" in refused.value.format_message()

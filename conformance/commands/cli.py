"""The command line: one command per module, and `fuzz` and `replay` of the fuzzer.

Only click is imported here; each command imports what it needs, so that the first verdict comes soon.
Exit status: 0 conforms (or done), 1 does not conform, 2 usage, 3 could not judge.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from conformance.commands import configuration
from conformance.commands.cluster import cluster
from conformance.commands.compare import compare
from conformance.commands.doctor import examine
from conformance.commands.gate import gate
from conformance.commands.interop import interop
from conformance.commands.judge import judge
from conformance.commands.list import list_
from conformance.commands.matrix import matrix
from conformance.commands.mutants import mutants
from conformance.commands.nat_table import nat_table
from conformance.commands.options import complain
from conformance.commands.pics import pics
from conformance.commands.report import report
from conformance.commands.run import run
from conformance.commands.show import show
from conformance.commands.stacks import stacks
from conformance.commands.statement import statement
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="icetcp", prog_name="icetcp")
def cli() -> None:
    """Judge ICE agents that speak TCP against RFC 6544 and the RFCs that it is based on."""


for _command in (run, gate, compare, matrix, interop, judge, list_, show, mutants, nat_table):
    cli.add_command(_command)
for _command in (report, statement, pics, examine, stacks, cluster):
    cli.add_command(_command)


# -- fuzz and replay: commands of a room that only those who fuzz need --------------------------------------


def _of_fuzz(name: str, summary: str) -> None:
    """Register a command of `fuzz.command`, which is imported when it is called."""

    def call(arguments: tuple[str, ...]) -> int:
        from fuzz import command

        wanted: click.Command = getattr(command, name)
        status = wanted.main(
            list(arguments),
            prog_name=f"icetcp {name}",
            standalone_mode=False,
            auto_envvar_prefix=f"{configuration.PREFIX}_{name.upper()}",
            default_map=configuration.read_for(wanted, name),
        )
        return int(status or 0)

    plain = {"ignore_unknown_options": True, "help_option_names": []}
    arguments = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
    cli.add_command(click.Command(name, callback=call, params=[arguments], help=summary, context_settings=plain))


_of_fuzz("fuzz", "Look for inputs that crash, hang, leak, desynchronise or mislead an agent.")
_of_fuzz("replay", "Repeat a finding of the fuzzer.")


# -- entry ----------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status; no exception comes out but `SystemExit`."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # not every replacement has it
    status = _guarded(arguments)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.exit(status)


def _guarded(arguments: Sequence[str] | None) -> int:
    """Return the exit status in every case."""
    try:
        Path.cwd()
    except OSError as error:
        return complain(f"the current folder cannot be used ({error.strerror}); cd elsewhere", ExitStatus.USAGE)
    try:
        values = configuration.prepare(cli)
        status = cli.main(args=arguments, prog_name="icetcp", standalone_mode=False, default_map=values)
        sys.stdout.flush()
    except click.ClickException as error:
        return _usage(error)
    except (click.Abort, KeyboardInterrupt):
        return complain("interrupted", ExitStatus.COULD_NOT_JUDGE)
    except BrokenPipeError:  # the reader went away: `icetcp list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        from conformance.run.session import os_error

        return complain(os_error(error), ExitStatus.COULD_NOT_JUDGE)
    except Exception as error:  # (a traceback is for a file, a line for the user)
        from conformance.run.session import save_traceback

        saved = save_traceback(traceback.format_exc())
        text = f"internal error: {type(error).__name__}: {error} (traceback: {saved})"
        return complain(" ".join(text.split()), ExitStatus.COULD_NOT_JUDGE)
    return int(status or 0)


def _usage(error: click.ClickException) -> int:
    """Say in one line what is wrong with the command, and where help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "icetcp"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
    else:
        click.echo(f"{path}: {error.format_message()} See {path} --help.", err=True)
    return int(ExitStatus.USAGE)

"""The command line: one command per module, and `fuzz` and `replay` of the fuzzer.

Only click is imported here, the module of a command when it is called, and what it needs by itself, so that the first
verdict comes soon.
Exit status: 0 conforms (or done), 1 does not conform, 2 usage, 3 could not judge.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from conformance.commands import configuration
from conformance.commands.options import complain
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


_MODULES = {  # of each command, and what it is called there
    "run": "run",
    "gate": "gate",
    "compare": "compare",
    "matrix": "matrix",
    "interop": "interop",
    "judge": "judge",
    "list": "list_",
    "show": "show",
    "mutants": "mutants",
    "nat-table": "nat_table",
    "report": "report",
    "statement": "statement",
    "pics": "pics",
    "doctor": "examine",
    "stacks": "stacks",
    "cluster": "cluster",
}


class _Commands(click.Group):
    """The commands, of which one is imported when it is called, and all where they are listed."""

    def every(self) -> dict[str, click.Command]:
        """Return all of them by their names."""
        for name in _MODULES:
            self._load(name)
        return dict(self.commands)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they are listed."""
        self.every()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the one of this name, with its variables and `--print-config`."""
        self._load(cmd_name)
        command = super().get_command(ctx, cmd_name)
        if command is None:
            self.every()  # of which the user may have meant one
        else:
            configuration.equip(command, cmd_name)
        return command

    def _load(self, name: str) -> None:
        if name in _MODULES and name not in self.commands:
            module = import_module(f"conformance.commands.{name.replace('-', '_')}")
            self.add_command(getattr(module, _MODULES[name]), name)


@click.group(cls=_Commands, context_settings=_CONTEXT)
@click.version_option(package_name="icetcp", prog_name="icetcp")
def cli() -> None:
    """Judge ICE agents that speak TCP against RFC 6544 and the RFCs that it is based on."""


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
        values = configuration.values_of(cli.every)
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

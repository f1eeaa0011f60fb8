"""The command line: `icetcp run`, `judge`, `list`, `show`, `mutants`, `nat-table`, `doctor`, `stacks`.

Only click is imported here; each command imports what it needs, so that the first verdict comes soon.
Exit status: 0 conforms (or done), 1 does not conform, 2 usage, 3 could not judge.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from conformance.judge_command import judge
from conformance.mutants.command import mutants
from conformance.nattable.command import nat_table
from conformance.options import complain, filters, selection
from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.display import Display
    from conformance.doctor import Finding
    from conformance.invoke import Outcome

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="icetcp", prog_name="icetcp")
def cli() -> None:
    """Judge ICE agents that speak TCP against RFC 6544 and what it stands on."""


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("that is no number of seconds.")
    return value


# -- run ------------------------------------------------------------------------------------------------


@cli.command()
@click.option("--iut", default="reference", show_default=True, metavar="NAME|exec:COMMAND", help="What to judge.")
@filters
@click.option(
    "--variants",
    type=click.Choice(["all", "usual", "one"]),
    default="all",
    show_default=True,
    help="Of each case: all variants, the usual one on each side, or one in all.",
)
@click.option("--quick", is_flag=True, help="The same as --variants one: seconds.")
@click.option("-j", "--jobs", type=click.IntRange(1, 4096), help="Cases at once; 1 for debugging.")
@click.option("--out", default="reports/run", show_default=True, type=click.Path(), help="Folder of the reports.")
@click.option(
    "--fail-on",
    type=click.Choice(["must", "should"]),
    default="must",
    show_default=True,
    help="Weakest level at which a failure fails the run.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the tester's choices.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="Deadline of a response; the other deadlines scale with it.",
)
@click.option(
    "--link",
    type=click.Choice(["auto", "lab", "sockets"]),
    default="auto",
    show_default=True,
    help="auto: a network of the run's own where the kernel allows it; lab: nothing else will do.",
)
@click.option("-x", "--exitfirst", is_flag=True, help="Stop at the first case that does not pass.")
def run(iut: str, **options: Any) -> int:
    """Run the cases against an implementation and write reports.

    Exit status: 0 conforms, 1 does not conform, 2 usage, 3 could not be judged.
    """
    from conformance import display, invoke

    shown = display.make(Level(options["fail_on"]), options["out"])
    try:
        outcome = invoke.run_pytest(_run_arguments(iut, options), [shown])
    except KeyboardInterrupt:
        outcome = invoke.Outcome(interrupted=True)
    except OSError as error:
        outcome = invoke.Outcome(fatal=invoke.os_error(error))
    except Exception as error:  # (whatever broke, the finished cases are worth their summary)
        outcome = invoke.Outcome(crash="".join(traceback.format_exception(error)))
    finally:
        shown.close()
    if outcome.interrupted or outcome.fatal or outcome.crash:
        invoke.end_descendants()
    status = _end_of_run(shown, outcome, _nothing("case", options))
    if outcome.interrupted:
        _leave(status)  # who interrupts does not want to wait a second for the interpreter to tidy up
    return status


def _run_arguments(iut: str, options: dict[str, Any]) -> list[str]:
    arguments = [
        f"--iut={iut}",
        f"--icetcp-out={options['out']}",
        f"--icetcp-fail-on={options['fail_on']}",
        f"--icetcp-seed={options['seed']}",
        f"--icetcp-link={options['link']}",
        f"--icetcp-variants={'one' if options['quick'] else options['variants']}",
        *selection(**options),
    ]
    if options["jobs"] is not None:
        arguments.append(f"--icetcp-jobs={options['jobs']}")
    if options["timeout"] is not None:
        arguments.append(f"--icetcp-timeout={options['timeout']}")
    if options["exitfirst"]:
        arguments.append("-x")
    return arguments


def _nothing(what: str, options: dict[str, Any]) -> str:
    """Say that nothing matches the filters, and where to look for what would."""
    asked = [f"--section {section}" for section in options["sections"]]
    asked += [f"--level {options['level']}"] if options["level"] else []
    asked += [f"--case {identifier}" for identifier in options["cases"]]
    asked += [f"--requirement {identifier}" for identifier in options["requirements"]]
    asked += [f"-k {options['expression']!r}"] if options["expression"].strip() else []
    where = "icetcp list --requirements" if what == "requirement" else "icetcp list"
    return f"no {what} matches {' with '.join(asked) or 'nothing at all'}; see {where}"


def _end_of_run(shown: Display, outcome: Outcome, nothing: str) -> int:
    """Print the summary and what went wrong (`nothing`: if no case was selected); return the exit status."""
    if outcome.usage:
        return complain(outcome.usage, ExitStatus.USAGE)
    shown.summary(outcome)
    broken = _broken(outcome)
    if broken is not None:
        return broken
    if shown.run is None:
        return complain(nothing, ExitStatus.USAGE)
    return int(shown.status())


def _broken(outcome: Outcome) -> int | None:
    """Say what broke a pytest session off; None if nothing did."""
    from conformance.invoke import save_traceback

    if outcome.usage:
        return complain(outcome.usage, ExitStatus.USAGE)
    if outcome.crash:
        saved = save_traceback(outcome.crash)
        last = outcome.crash.strip().splitlines()[-1]
        return complain(f"internal error: {last} (traceback: {saved})", ExitStatus.COULD_NOT_JUDGE)
    if outcome.fatal:
        return complain(outcome.fatal, ExitStatus.COULD_NOT_JUDGE)
    return complain("interrupted", ExitStatus.COULD_NOT_JUDGE) if outcome.interrupted else None


# -- list and show --------------------------------------------------------------------------------------


@cli.command(name="list")
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
    from conformance import display, listing

    found = listing.discover([] if of_requirements else selection(**options))
    broken = _broken(found.outcome)
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
        return complain(_nothing("requirement" if of_requirements else "case", options), ExitStatus.USAGE)
    if as_json:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        display.table(header, rows, fields=0 if of_requirements else 3)  # a case's title says what its id says
    return 0


@cli.command()
@click.argument("name", metavar="CASE|REQUIREMENT")
def show(name: str) -> int:
    """Tell what a case does, or what a requirement asks and by which cases it is tested."""
    from conformance import display, listing

    found = listing.discover()
    broken = _broken(found.outcome)
    if broken is not None:
        return broken
    lines = listing.show(name, found)
    if lines is None:
        near = listing.nearest(name, found)
        hint = f"; nearest: {', '.join(near)}" if near else "; see icetcp list and icetcp list --requirements"
        return complain(f"no case or requirement is called {display.one_line(name, 100)}{hint}", ExitStatus.USAGE)
    click.echo("\n".join(lines))
    return 0


# -- doctor ---------------------------------------------------------------------------------------------


@cli.command(name="doctor")
@click.option("--mend", "mending", is_flag=True, help="Install the Debian packages that are missing (root or sudo).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def examine(mending: bool, as_json: bool) -> int:
    """Tell what this environment can do, what it lacks, and the command that mends it.

    Exit status: 0 a run is possible, 3 something essential is missing.
    """
    from conformance import doctor

    findings = doctor.examine()
    packages = doctor.packages_to_install(findings)
    if mending and packages:
        doctor.mend(packages, lambda text: click.echo(text, err=as_json))
        findings = doctor.examine()
    if as_json:
        click.echo(json.dumps([doctor.finding_data(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _print_finding(finding)
        packages = doctor.packages_to_install(findings)
        if packages and not mending:
            click.echo("\n`icetcp doctor --mend` installs what is missing, or, by hand:")
            click.echo(f"    {doctor.install_command(packages)}")
    missing = any(finding.essential and not finding.ok for finding in findings)
    return int(ExitStatus.COULD_NOT_JUDGE if missing else ExitStatus.CONFORMS)


def _print_finding(finding: Finding) -> None:
    colour = {"ok": "green", "lacking": "yellow", "missing": "red"}[finding.state]
    click.echo(f"{click.style(f'{finding.state:<8}', fg=colour)} {finding.name:<16} {finding.detail}")
    if not finding.ok:
        for label, text in (("without it", finding.costs), ("to mend it", finding.mend)):
            if text:
                click.echo(f"{'':9}{label}: {text}")


# -- stacks ---------------------------------------------------------------------------------------------


@cli.group()
def stacks() -> None:
    """List and build the implementations that icetcp knows how to start."""


@stacks.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_stacks(as_json: bool) -> int:
    """List the stacks: name, whether ready to run, licence, what it is."""
    from conformance import display
    from conformance.iut import stacks as registry
    from conformance.iut.stacks.build import built

    known = [registry.description(name) for name in registry.names()]
    rows = [
        (
            s.name,
            "ready" if not s.source or built(s) else f"to build: icetcp stacks build {s.name}",
            s.licence,
            s.title,
        )
        for s in known
    ]
    if as_json:
        names = ("name", "state", "licence", "title")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
    else:
        display.table(("stack", "state", "licence", "title"), rows)
    return 0


@stacks.command(name="build")
@click.argument("name")
@click.option("--install", is_flag=True, help="Install missing Debian packages first (root or sudo).")
def build_stack(name: str, install: bool) -> int:
    """Build a stack's adapter into the cache folder."""
    from conformance.iut import stacks as registry
    from conformance.iut.stacks.build import build

    known = registry.names()
    if name not in known:
        return complain(f"no stack is called {name}; known: {', '.join(known)}", ExitStatus.USAGE)
    try:
        build(registry.description(name), click.echo, install=install)
    except registry.StackError as error:
        return complain(str(error), ExitStatus.COULD_NOT_JUDGE)
    return 0


cli.add_command(judge)
cli.add_command(mutants)
cli.add_command(nat_table)


# -- fuzz and replay: commands of a room that only those who fuzz need --------------------------------------


def _of_fuzz(name: str, summary: str) -> None:
    """Register a command of `fuzz.command`, which is imported when it is called."""

    def call(arguments: tuple[str, ...]) -> int:
        from fuzz import command

        wanted: click.Command = getattr(command, name)
        status = wanted.main(list(arguments), prog_name=f"icetcp {name}", standalone_mode=False)
        return int(status or 0)

    plain = {"ignore_unknown_options": True, "help_option_names": []}
    arguments = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
    cli.add_command(click.Command(name, callback=call, params=[arguments], help=summary, context_settings=plain))


_of_fuzz("fuzz", "Look for inputs that crash, hang, leak, desynchronise or mislead an agent.")
_of_fuzz("replay", "Repeat a finding of the fuzzer.")


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


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
    """Return the exit status, whatever happens."""
    try:
        Path.cwd()
    except OSError as error:
        return complain(f"the current folder cannot be used ({error.strerror}); cd elsewhere", ExitStatus.USAGE)
    try:
        status = cli.main(args=arguments, prog_name="icetcp", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _usage(error)
    except (click.Abort, KeyboardInterrupt):
        return complain("interrupted", ExitStatus.COULD_NOT_JUDGE)
    except BrokenPipeError:  # the reader went away: `icetcp list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        from conformance.invoke import os_error

        return complain(os_error(error), ExitStatus.COULD_NOT_JUDGE)
    except Exception as error:  # (a traceback is for a file, a line for the user)
        from conformance.invoke import save_traceback

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

"""`icetcp run`: judge an implementation."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import click

from conformance.cluster.options import on_cluster, resumable
from conformance.commands.options import (
    attachments,
    broken_session,
    complain,
    fail_on,
    filters,
    nothing_matches,
    private_cases,
    selection,
    variants,
)
from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from conformance.commands.display import Display
    from conformance.run.session import Outcome


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("that is not a number of seconds.")
    return value


def _percent(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        number = float(value.strip().removesuffix("%"))
    except ValueError:
        number = math.nan
    if not 0 <= number <= 100:
        raise click.BadParameter(f"{value!r} is not a percentage from 0% to 100%.")
    return number


_IUT = (
    "What to judge: a stack's name, exec:COMMAND, tcp:HOST:PORT, 'ssh:HOST COMMAND', whip:URL, whep:URL or manual; "
    "see conformance/iut/README.md."
)


@click.command()
@click.option("--iut", default="reference", show_default=True, metavar="IUT", help=_IUT)
@filters
@private_cases
@variants
@click.option("--quick", is_flag=True, help="The same as --variants one: seconds; no long clocks.")
@click.option(
    "--repeat",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Execute each variant this many times. A variant with different verdicts is flaky and does not pass.",
)
@click.option("-j", "--jobs", type=click.IntRange(1, 4096), help="Variants in parallel; 1 for a debugger.")
@click.option("--testers", type=click.IntRange(1, 256), help="Tester processes [default: one a core with work].")
@click.option("--out", type=click.Path(), help="Folder of the reports [default: reports/run-NAME, after the IUT].")
@fail_on()
@click.option("--expect", metavar="FILE", type=click.Path(dir_okay=False), help="File of known failures.")
@click.option("--write-expect", is_flag=True, help="Write the run's failures to that file; comments stay.")
@click.option("--ratchet", is_flag=True, help="Remove from that file what no longer fails; add nothing.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Choice(["sarif", "tap", "github"]),
    help="Write another report as well: report.sarif, report.tap, or annotations on GitHub Actions; repeatable.",
)
@attachments
@click.option("-q", "--quiet", is_flag=True, help="Print only what did not pass, the counts and the verdict.")
@click.option(
    "--require-reach",
    callback=_percent,
    metavar="PERCENT",
    help="Part of the requirements with cases that must be judged, else exit status 3: 80%.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the tester's choices.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="Deadline for a response; the other deadlines scale with it.",
)
@click.option(
    "--decides",
    type=click.FloatRange(0, 3600, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="How long the IUT may take to nominate; default: what its pics say, or 39.5.",
)
@click.option(
    "--link",
    type=click.Choice(["auto", "lab", "sockets"]),
    default="auto",
    show_default=True,
    help="auto: a network of the run's own where the kernel allows it; lab: require one; sockets: use none.",
)
@click.option(
    "--iut-address",
    multiple=True,
    metavar="ADDRESS",
    help="Where the IUT is, if it is not on this machine; once for each address family.",
)
@click.option(
    "--tester-address",
    multiple=True,
    metavar="ADDRESS",
    help="The tester's address towards such an IUT, if not the one that the routes give.",
)
@on_cluster
@resumable
@click.option("-x", "--exitfirst", is_flag=True, help="Stop at the first variant that does not pass.")
def run(iut: str, **options: Any) -> int:
    """Run the cases against an implementation and write reports.

    With --cluster each of the --repeat repetitions is done by a Dask worker, and the reports tell of them all.

    Exit status: 0 conforms, 1 does not conform, 2 usage, 3 could not be judged.
    """
    from conformance.commands import display
    from conformance.run.interrupts import end_descendants, hold, interruptible
    from reports.folder import default_folder

    options["out"] = options["out"] or default_folder(iut)
    refused = _unusable(iut, options)
    if refused is not None:
        return refused
    shown = display.make(
        Level(options["fail_on"]), options["out"], progress=not iut.startswith("manual"), quiet=options["quiet"]
    )
    with interruptible():
        outcome = _outcome(shown, iut, options)
        if outcome.interrupted or outcome.fatal or outcome.crash:
            end_descendants()
        hold()  # all reports are written
        status = _end_of_run(shown, outcome, nothing_matches("case", options))
        if "github" in options["reports"] or os.environ.get("GITHUB_ACTIONS") == "true":
            _tell_github(shown, Level(options["fail_on"]))
        hold(False)
    if outcome.interrupted:
        _leave(status)  # the user does not want to wait a second for the interpreter to tidy up
    return status


def _unusable(iut: str, options: dict[str, Any]) -> int | None:
    if not (options["cluster"] or options["resume"]):
        return None
    from conformance.commands.run_on_cluster import unusable

    return unusable(iut, options)


def _outcome(shown: Display, iut: str, options: dict[str, Any]) -> Outcome:
    """Return how the session went, even if it broke off."""
    from conformance.run import session

    try:
        if options["cluster"]:
            from conformance.commands.run_on_cluster import execute

            return execute(shown, iut, options)
        outcome = session.run_pytest(_run_arguments(iut, options), [shown], private=options["cases_from"])
    except KeyboardInterrupt:
        outcome = session.Outcome(interrupted=True)
    except OSError as error:
        outcome = session.Outcome(fatal=session.os_error(error))
    except Exception as error:  # (the finished variants get their summary in any case)
        outcome = session.Outcome(crash="".join(traceback.format_exception(error)))
    finally:
        shown.close()
    return outcome


def _run_arguments(iut: str, options: dict[str, Any]) -> list[str]:
    arguments = [
        f"--iut={iut}",
        f"--icetcp-out={options['out']}",
        f"--icetcp-fail-on={options['fail_on']}",
        f"--icetcp-seed={options['seed']}",
        f"--icetcp-link={options['link']}",
        f"--icetcp-attachments={options['attachments']}",
        f"--icetcp-repeat={options['repeat']}",
        *(f"--icetcp-report={name}" for name in options["reports"]),
        f"--icetcp-variants={'one' if options['quick'] else options['variants']}",
        *selection(**options),
    ]
    for name in ("iut-address", "tester-address"):
        arguments += [f"--icetcp-{name}={address}" for address in options[name.replace("-", "_")]]
    if options["jobs"] is not None:
        arguments.append(f"--icetcp-jobs={options['jobs']}")
    if options["testers"] is not None:
        arguments.append(f"--icetcp-testers={options['testers']}")
    if options["timeout"] is not None:
        arguments.append(f"--icetcp-timeout={options['timeout']}")
    if options["decides"] is not None:
        arguments.append(f"--icetcp-decides={options['decides']}")
    if options["expect"]:
        arguments.append(f"--icetcp-expect={options['expect']}")
    arguments += [f"--icetcp-{name}" for name in ("write-expect", "ratchet") if options[name.replace("-", "_")]]
    if options["require_reach"] is not None:
        arguments.append(f"--icetcp-require-reach={options['require_reach']}")
    if options["exitfirst"]:
        arguments.append("-x")
    return arguments


def _end_of_run(shown: Display, outcome: Outcome, nothing: str) -> int:
    """Print the summary and what went wrong (`nothing`: if no case was selected); return the exit status."""
    if outcome.usage:
        return complain(outcome.usage, ExitStatus.USAGE)
    shown.summary(outcome)
    broken = broken_session(outcome)
    if broken is not None:
        return broken
    if shown.run is None:
        return complain(nothing, ExitStatus.USAGE)
    return int(shown.status())


def _tell_github(shown: Display, fail_on: Level) -> None:
    """Print annotations, and append to the summary of the job."""
    from reports import github, outputs

    if shown.run is None:
        return
    for line in github.commands(shown.finished, shown.run, fail_on):
        click.echo(line)
    outputs.write_job_summary(shown.finished, shown.run)


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)

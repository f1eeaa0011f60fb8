"""`icetcp report`: make report.html of a run again, or another report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.options import attachments, broken_session, complain, fail_on, private_cases
from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from conformance.verdict import Result
    from reports.record import RunInfo


@click.command()
@click.argument("run", type=click.Path())
@click.option("--against", metavar="RUN", type=click.Path(), help="Mark how verdicts changed since this other run.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "junit", "sarif", "tap", "github"]),
    default="html",
    show_default=True,
    help="html: a page; junit, sarif (2.1.0), tap (14): files for programs; github: annotations on standard output.",
)
@attachments
@private_cases
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: report.html, ... in the run's folder].")
@click.option("--whole", is_flag=True, help="Pack captures and logs of variants that passed too; the file grows.")
@fail_on()
def report(
    run: str,
    form: str,
    attachments: str,
    cases_from: tuple[str, ...],
    against: str | None,
    out: str | None,
    whole: bool,
    fail_on: str,
) -> int:
    """Make a report of RUN, the folder of a run; by default report.html, with everything in one file.

    Exit status: 0 written, 2 usage.
    """
    if form != "html":
        return _for_programs(run, form, attachments, out, Level(fail_on))
    from conformance.run.discovery import discover
    from conformance.run.pages import mark_changes, of_folder
    from reports.html.report import write
    from reports.record import ReportError, cannot_write

    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    path = Path(out) if out else folder / "report.html"
    found = discover(private=cases_from)
    broken = broken_session(found.outcome)
    if broken is not None:
        return broken
    try:
        info, results = _read(run)
        contents = of_folder(folder, info, results, Level(fail_on), every=found.every, whole=whole)
        if against:
            mark_changes(contents, _read(against)[1], against)
        write(contents, path)
    except ReportError as error:
        return complain(str(error), ExitStatus.USAGE)
    except OSError as error:
        return complain(str(cannot_write(path, error)), ExitStatus.USAGE)
    click.echo(f"written: {path}")
    return 0


def _for_programs(run: str, form: str, attachments: str, out: str | None, fail_on: Level) -> int:
    """Write one of the reports that programs read."""
    from conformance.run.outputs import rules
    from conformance.run.pages import restore
    from reports import outputs
    from reports.record import ReportError, write_whole

    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    try:
        info, results = _read(run)
        restore(info)
        octets = outputs.document(form, results, info, rules(), fail_on, outputs.prefix(folder, attachments))
        if form == "github" and not out:
            click.echo(octets.decode(), nl=False)
            outputs.write_job_summary(results, info)
            return 0
        path = write_whole(Path(out) if out else folder / outputs.NAMES[form], octets)
    except ReportError as error:
        return complain(str(error), ExitStatus.USAGE)
    click.echo(f"written: {path}")
    return 0


def _read(run: str) -> tuple[RunInfo, list[Result]]:
    from reports.record import read

    return read(Path(run) / "record.jsonl" if Path(run).is_dir() else Path(run))

"""`icetcp report`: make report.html of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.options import complain
from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from conformance.verdict import Result
    from reports.record import RunInfo


@click.command()
@click.argument("run", type=click.Path())
@click.option("--against", metavar="RUN", type=click.Path(), help="Mark how verdicts changed since this other run.")
@click.option("--out", type=click.Path(dir_okay=False), help="File [default: report.html in the run's folder].")
@click.option("--whole", is_flag=True, help="Pack captures and logs of variants that passed too; the file grows.")
@click.option(
    "--fail-on",
    type=click.Choice(["must", "should"]),
    default="must",
    show_default=True,
    help="The weakest level at which a failure fails the run.",
)
def report(run: str, against: str | None, out: str | None, whole: bool, fail_on: str) -> int:
    """Make report.html of RUN, the folder of a run: its causes, requirements, variants and exchanges in one file.

    Exit status: 0 written, 2 usage.
    """
    from conformance.run.discovery import discover
    from conformance.run.pages import mark_changes, of_folder
    from reports.html.report import write
    from reports.record import ReportError, cannot_write

    folder = Path(run) if Path(run).is_dir() else Path(run).parent
    path = Path(out) if out else folder / "report.html"
    try:
        info, results = _read(run)
        contents = of_folder(folder, info, results, Level(fail_on), every=discover().every, whole=whole)
        if against:
            mark_changes(contents, _read(against)[1], against)
        write(contents, path)
    except ReportError as error:
        return complain(str(error), ExitStatus.USAGE)
    except OSError as error:
        return complain(str(cannot_write(path, error)), ExitStatus.USAGE)
    click.echo(f"written: {path}")
    return 0


def _read(run: str) -> tuple[RunInfo, list[Result]]:
    from reports.record import read

    return read(Path(run) / "record.jsonl" if Path(run).is_dir() else Path(run))

"""`icetcp gate`: hold the record of a run against a file of known failures."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.options import complain, fail_on
from conformance.commands.terminal import one_line
from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from conformance.verdict import Result


@click.command()
@click.argument("run", type=click.Path())
@click.option("--expect", "file", required=True, type=click.Path(dir_okay=False), help="File of known failures.")
@click.option("--write-expect", "writing", is_flag=True, help="Write the run's failures to the file; comments stay.")
@click.option("--ratchet", "shrinking", is_flag=True, help="Remove from the file what no longer fails; add nothing.")
@fail_on("The weakest level at which a failure that is not known fails the gate.")
def gate(run: str, file: str, writing: bool, shrinking: bool, fail_on: str) -> int:
    """Hold RUN, the folder of a run or its record.jsonl, against a file of known failures.

    Exit status: 0 every failure is known, 1 not so (a new one, an unexpected pass, one that has expired or vanished),
    2 usage, 3 the run could not be judged or did not come to its end.
    """
    from conformance.run.known import forms, update
    from reports import causes
    from reports.expectations import ExpectationError, Expectations, read
    from reports.record import ReportError, end_of
    from reports.record import read as read_record

    path = Path(run) / "record.jsonl" if Path(run).is_dir() else Path(run)
    today = datetime.datetime.now(datetime.UTC).date()
    try:
        info, results = read_record(path)
        end = end_of(path)
        results = [result for result in results if result.section != "expectations"]
        known = Expectations([], forms) if writing and not Path(file).exists() else read(Path(file))
        known.forms = forms
        if (writing or shrinking) and end is not None and not end["interrupted"]:
            update(Path(file), known, results, shrink=shrinking, partial=info.partial, today=today)
            known = Expectations(read(Path(file)).entries, forms)
    except (ReportError, ExpectationError) as error:
        return complain(str(error), ExitStatus.USAGE)
    for result in results:
        result.known = result.note = ""
        known.mark(result, today)
    results += [*known.verdicts(results, partial=info.partial), *known.other_causes(results, causes.each(results))]
    _tell(results)
    status = _status(results, Level(fail_on))
    if end is None or end["interrupted"]:
        return complain(f"{path} is of a run that did not come to its end", ExitStatus.COULD_NOT_JUDGE)
    return int(status)


def _tell(results: list[Result]) -> None:
    from conformance.verdict import Verdict
    from reports.expectations import counts, in_words

    for result in sorted(results, key=lambda result: result.case):
        if result.known or result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            continue
        name = result.case.removeprefix("expectations/")
        note = f" ({one_line(result.note)})" if result.note else ""
        word = result.verdict.value if result.section != "expectations" else "gate"
        click.echo(f"{word:<6}  {name}  {one_line(result.reason)}{note}")
    click.echo(in_words(counts(results)))


def _status(results: list[Result], fail_on: Level) -> ExitStatus:
    from conformance.verdict import exit_status

    status = exit_status(results, fail_on)
    words = {
        ExitStatus.CONFORMS: "gate passed: every failure is known",
        ExitStatus.DOES_NOT_CONFORM: "gate not passed",
    }
    click.echo(words.get(status, "not judged: some cases came to no verdict on the IUT"))
    return status

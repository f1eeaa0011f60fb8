"""`icetcp compare`: what changed between two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.options import complain, fail_on
from conformance.commands.terminal import counted, one_line
from conformance.verdict import ExitStatus, Level

if TYPE_CHECKING:
    from conformance.verdict import Result
    from reports.compare import Comparison, Difference
    from reports.record import RunInfo

_EXAMPLES = """
\b
Examples:
  icetcp compare reports/run-mine-1.0 reports/run-mine-1.1
  icetcp compare reports/run-pion reports/run-pion4 --json > changes.json
"""


@click.command(epilog=_EXAMPLES)
@click.argument("before", metavar="RUN", type=click.Path())
@click.argument("after", metavar="RUN", type=click.Path())
@fail_on("The weakest level at which a new failure counts.")
@click.option("--new-cases", is_flag=True, help="Failures of cases that only the later run's suite has count as well.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def compare(before: str, after: str, fail_on: str, new_cases: bool, as_json: bool) -> int:
    """Compare two runs, the earlier one first: folders of runs, or their record.jsonl.

    They may be of two versions of a stack, of two machines, or of two stacks. Printed are new failures, what new cases
    of the suite say, failures that are gone, failures with another reason, and what only one of the runs could judge,
    by requirement and case.

    A case is new if no variant of it is in the earlier run. Its failure is not counted as new, since the earlier run
    would have failed as well for all that is known: a newer suite alone does not fail a comparison of the same stack.
    With --new-cases it counts. A further variant of a case that the earlier run has is never a new case.

    Exit status: 0 no new failure, 1 a new failure (one that --expect of the later run knows does not count), 2 usage,
    3 could not be compared: a run was interrupted, both judged nothing in common, or cases that the earlier run judged
    came to inconc or error in the later one.
    """
    from conformance.suites.former_ids import today
    from reports import compare as comparing
    from reports.record import ReportError

    try:
        first, second = _read(before), _read(after)
    except ReportError as error:
        return complain(str(error), ExitStatus.USAGE)
    partial = first[0].partial or second[0].partial
    found = comparing.compare(first[1], second[1], partial=partial, unfinished=not first[2], renamed=today)
    status = found.status(Level(fail_on), new_cases=new_cases)
    unfinished = [path for path, (_, _, whole) in ((before, first), (after, second)) if not whole]
    if unfinished and status is ExitStatus.CONFORMS:
        status = ExitStatus.COULD_NOT_JUDGE
    if as_json:
        runs = [(before, first[0]), (after, second[0])]
        click.echo(json.dumps({**comparing.data(found, runs, status), "unfinished": unfinished}, indent=2))
        return int(status)
    for letter, path, (run, _, _) in (("A", before, first), ("B", after, second)):
        click.echo(f"{letter}: {_name(run)} ({path})")
    _notes(first[0], second[0], unfinished)
    _tell(found)
    click.echo(_WORDS[status])
    return int(status)


_WORDS = {
    ExitStatus.CONFORMS: "no new failure",
    ExitStatus.DOES_NOT_CONFORM: "new failures",
    ExitStatus.COULD_NOT_JUDGE: "not comparable: see what was not judged",
}


def _read(name: str) -> tuple[RunInfo, list[Result], bool]:
    """Return a run, its verdicts, and whether it came to its end. Raises `ReportError`."""
    from reports.record import end_of, read

    path = Path(name) / "record.jsonl" if Path(name).is_dir() else Path(name)
    run, results = read(path)
    end = end_of(path)
    return run, results, end is not None and not end["interrupted"]


def _name(run: RunInfo) -> str:
    return one_line(f"{run.iut} {run.iut_version}".strip())


def _notes(first: RunInfo, second: RunInfo, unfinished: list[str]) -> None:
    """Say what makes the runs differ apart from the IUT."""
    if first.icetcp_version != second.icetcp_version:
        click.echo(f"note: by icetcp {first.icetcp_version} and {second.icetcp_version}: the cases may differ")
    if first.partial or second.partial:
        click.echo("note: only a part of the suite was selected; only the variants of both runs are compared")
    if first.link != second.link:
        click.echo(f"note: over different links: {first.link} and {second.link}")
    for path in unfinished:
        click.echo(f"note: {path} is of a run that did not come to its end")


def _tell(found: Comparison) -> None:
    from conformance.verdict import Verdict
    from reports.compare import Change, by_requirement

    titles = {
        Change.NEW_FAILURE: "new failures",
        Change.NEW_CASE: "new cases",
        Change.GONE_FAILURE: "gone failures",
        Change.OTHER_FAILURE: "failures with another reason",
        Change.NEWLY_JUDGED: "newly judged",
        Change.NO_LONGER_JUDGED: "no longer judged",
    }
    for change, title in titles.items():
        differences = found.of(change)
        failing = sum(difference.after == Verdict.FAIL for difference in differences)
        which = f", of which {failing} fail" if change is Change.NEW_CASE and failing else ""
        click.echo(f"\n{title}: {counted(len(differences), 'variant')}{which}")
        for requirement, cases in by_requirement(differences).items():
            click.echo(f"  {_requirement(requirement, cases)}")
            for case, variants in cases.items():
                _tell_case(case, variants)
    click.echo(f"\nalike in both: {counted(found.unchanged, 'variant')}, of which {found.failing} fail")
    if any(found.only):
        click.echo(f"selected in A only: {found.only[0]}, in B only: {found.only[1]}")
    for word, requirements in (("newly", found.newly_judged), ("no longer", found.no_longer_judged)):
        if requirements:
            click.echo(f"requirements {word} judged: {', '.join(requirements)}")


def _requirement(identifier: str, cases: dict[str, list[Difference]]) -> str:
    from conformance.catalogue import REQUIREMENTS

    level = next(iter(cases.values()))[0].level
    known = REQUIREMENTS.get(identifier)
    title = f"  {known.title}" if known is not None else ""
    return f"{identifier or 'no requirement'} ({level.value.upper()}){title}"


def _tell_case(case: str, variants: list[Difference]) -> None:
    """Print a case and the first of its variants; the others are alike as a rule, and counted."""
    first = variants[0]
    known = f" (known: {one_line(first.known)})" if first.known else ""
    click.echo(f"    {case}: {first.before} -> {first.after}, {counted(len(variants), 'variant')}{known}")
    if first.reason:
        click.echo(f"      {first.variant}: {one_line(first.reason)}")

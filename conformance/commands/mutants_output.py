"""What `icetcp mutants` prints: progress while it lasts, the matrix, what is wrong with it, and where it is written."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from conformance.commands.terminal import is_terminal, one_line, table
from conformance.mutants.matrix import Standing
from conformance.mutants.reports import cell, sections
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.mutants.lawful import Lawful
    from conformance.mutants.matrix import Row
    from conformance.mutants.reports import Judged

_MOST_FOREIGN = 10  # cases listed that fail for faults of other requirements


def matrix(judged: Judged, written: Sequence[Path]) -> None:
    """Print the matrix, then what is wrong, the counts, the judgement and the paths."""
    columns = sections(judged.rows)
    if is_terminal(sys.stdout):
        names = [name.removeprefix("RFC6544-").removeprefix("RFC") for name in columns]
        rows = [[*_head(row), *(cell(row, section) for section in columns)] for row in judged.rows]
        table(("fault", "requirement", "standing", *names), rows)
    else:
        for row in judged.rows:
            cells = ((section, cell(row, section)) for section in columns)
            click.echo("\t".join([*_head(row), " ".join(f"{section}:{text}" for section, text in cells if text)]))
    _problems(judged)
    click.echo("")
    click.echo(_counts(judged))
    for line in _naming(judged):
        click.echo(line)
    click.echo(_judgement(judged))
    click.echo("written:")
    for path in written:
        click.echo(f"  {path}")


def _problems(judged: Judged) -> None:
    for row in judged.rows:
        for result in row.accidents:
            _wrong(f"{row.fault.name} fails {result.case} by accident: {one_line(result.reason, 160)}")
    for row in judged.rows:
        if row.standing in (Standing.SURVIVED, Standing.NO_CASE):
            _wrong(f"{row.fault.name} is not killed: {_why(row)}")
    for result in judged.matrix.unhealthy():
        _wrong(f"the healthy agent: {result.case}: {result.verdict.value}: {one_line(result.reason, 160)}")
    for text in judged.incidents:
        _wrong(one_line(text, 180))
    for fault, result in judged.matrix.errors():
        _wrong(f"error of the test system: {fault}, {result.case}: {one_line(result.reason, 160)}")


def _head(row: Row) -> list[str]:
    return [row.fault.name, row.fault.requirement, row.standing.value]


def _why(row: Row) -> str:
    requirement = row.fault.requirement
    if row.standing is Standing.NO_CASE:
        return f"no case cites {requirement}"
    return f"{row.cases} case{'' if row.cases == 1 else 's'} of {requirement} did not fail"


def _wrong(text: str) -> None:
    click.echo(click.style(text, fg="red") if is_terminal(sys.stdout) else text)


def _counts(judged: Judged) -> str:
    standings = Counter(row.standing for row in judged.rows)
    parts = [f"{count} {standing.value}" for standing, count in standings.items()]
    healthy = len(judged.matrix.healthy())
    again = f", {judged.again} of them twice" if judged.again else ""
    skipped = len(judged.matrix.skipped)
    left_out = f", {skipped} skipped because the fault could not change them" if skipped else ""
    return (
        f"{len(judged.rows)} faults, {judged.matrix.executions} executions{again}{left_out} in "
        f"{judged.duration:.1f} s: "
        f"{', '.join(parts) or 'none'}; healthy agent: {healthy - len(judged.matrix.unhealthy())} of {healthy} passed"
    )


def _naming(judged: Judged) -> list[str]:
    """Return how many failing verdicts name what is broken, and which cases fail most for other reasons."""
    if judged.quick:
        return []  # every case executed is one of the fault's own requirement
    naming = judged.matrix.naming(row.fault for row in judged.rows)
    lines = [
        f"{naming.own} of {naming.total} failing verdicts stand under the broken requirement ({naming.share:.0%}), "
        f"{naming.also} under others that the same deed breaks: {naming.true:.0%} name what is broken"
    ]
    if naming.foreign:
        lines.append("cases that fail most often for what others are about:")
        lines += [f"  {count:4}  {case}" for case, count in naming.foreign.most_common(_MOST_FOREIGN)]
    return lines


def _judgement(judged: Judged) -> str:
    if judged.interrupted:
        return "interrupted: the matrix holds what was done"
    texts = {
        ExitStatus.CONFORMS: "every fault is killed, none by accident",
        ExitStatus.DOES_NOT_CONFORM: "the suite does not bite as it should",
    }
    return texts.get(judged.status(), "not judged: some executions came to no verdict")


def lawful(found: Lawful, written: Sequence[Path], duration: float) -> None:
    """Print what lawful variations failed, the count, the judgement and the paths."""
    for finding in found.findings:
        result = finding.result
        _wrong(f"{finding.case}: {result.verdict.value}: {one_line(result.reason, 160)}")
        click.echo(f"  variation: {json.dumps(finding.variation)}")
        click.echo(f"  repeat:    {finding.repeat}")
    for text in found.incidents:
        _wrong(one_line(text, 180))
    click.echo(
        f"{found.executed} executions in {duration:.1f} s, seed {found.seed}: {len(found.findings)} that failed or "
        f"came to no verdict, {found.weaker} failures below MUST"
    )
    if found.interrupted:
        click.echo("interrupted: this is what was done")
    elif found.status() is ExitStatus.CONFORMS:
        click.echo("no lawful variation fails")
    click.echo("written:")
    for path in written:
        click.echo(f"  {path}")

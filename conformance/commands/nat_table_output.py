"""What `icetcp nat-table` prints: progress while it lasts, the table, what is not as expected, the count."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from conformance import verdict
from conformance.commands.reference_run import IUT, run_info
from conformance.commands.terminal import is_terminal, one_line, table
from conformance.nattable.model import name_of
from conformance.verdict import ExitStatus
from reports import junit
from reports.record import cannot_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.nattable.execution import Result
    from conformance.nattable.model import Row
    from conformance.nattable.path.nat import Behaviour

_HEADER = ("", "offerer's NAT", "answerer's NAT", "and", "expected", "seen", "s", "why")
_WIDEST_SEEN = 160


@dataclass(slots=True)
class Table:
    """The rows, and what came of them by now. ``begun`` is seconds since the epoch."""

    rows: Sequence[Row]
    begun: float
    results: list[Result] = field(default_factory=list)
    interrupted: bool = False
    incidents: list[str] = field(default_factory=list)  # what the agents did against the adapter contract

    def sort(self) -> None:
        """Put the results in the order of the rows."""
        order = {row: number for number, row in enumerate(self.rows)}
        self.results.sort(key=lambda result: order[result.row])

    def status(self) -> ExitStatus:
        """Return 3 for what was broken off or is not sure; else 1 for a row that is not as expected, or 0."""
        if self.interrupted or self.incidents:
            return ExitStatus.COULD_NOT_JUDGE
        return ExitStatus.CONFORMS if all(result.ok for result in self.results) else ExitStatus.DOES_NOT_CONFORM


def results(given: Table, *, why: bool) -> None:
    """Print the rows in their order, then what is not as expected with the agents' own words, then the count."""
    found = given.results
    table(_HEADER, [_cells(result) for result in found], fields=0 if why else len(_HEADER) - 1)
    for result in [result for result in found if not result.ok]:
        text = f"{result.row.name}: expected {result.expected.by}, seen {one_line(result.seen, _WIDEST_SEEN)}"
        if result.expected.meets and not result.met:
            text += "; the kernels did not meet in a simultaneous open"
        click.echo(click.style(text, fg="red") if is_terminal(sys.stdout) else text, err=not is_terminal(sys.stdout))
        for line in result.log:
            click.echo(f"    {one_line(line, _WIDEST_SEEN)}", err=not is_terminal(sys.stdout))
    click.echo(_count(found, len(given.rows), time.time() - given.begun), err=not is_terminal(sys.stdout))


def _cells(result: Result) -> list[str]:
    row = result.row
    return [
        "ok" if result.ok else "WRONG",
        name_of(row.offerer),
        name_of(row.answerer),
        ", ".join(row.circumstances),
        result.expected.by,
        one_line(result.seen, _WIDEST_SEEN),
        f"{result.seconds:.1f}",
        result.expected.reason,
    ]


def _count(found: Sequence[Result], wanted: int, duration: float) -> str:
    kinds = Counter(result.seen for result in found if result.ok)
    parts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    held = sum(result.ok for result in found)
    rest = f"; {wanted - len(found)} not executed" if wanted > len(found) else ""
    return f"{held} of {len(found)} rows as expected in {duration:.1f} s{f': {parts}' if parts else ''}{rest}"


def as_json(found: Sequence[Result]) -> str:
    """Return the rows for machines."""
    return json.dumps([_data(result) for result in found], indent=2)


def _data(result: Result) -> dict[str, object]:
    row = result.row
    return {
        "row": row.name,
        "offerer": _behaviour(row.offerer),
        "answerer": _behaviour(row.answerer),
        "timing": row.timing,
        "relay": row.relay,
        "simultaneous": row.simultaneous,
        "expected": result.expected.by,
        "reason": result.expected.reason,
        "possible": result.expected.possible,
        "meets": result.expected.meets,
        "seen": result.seen,
        "met": result.met,
        "ok": result.ok,
        "seconds": round(result.seconds, 3),
        "log": result.log,
    }


def write(out: Path, given: Table) -> list[Path]:
    """Write nat-table.json and junit.xml; return their paths. Raises `ReportError`."""
    path = out / "nat-table.json"
    try:
        path.write_text(as_json(given.results) + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from None
    run = run_info(given.begun, "NATs", interrupted=given.interrupted, incidents=given.incidents)
    junit.write(out / "junit.xml", [_verdict(result) for result in given.results], run)
    return [path, out / "junit.xml"]


def _verdict(result: Result) -> verdict.Result:
    """Return a row as JUnit has it."""
    return verdict.Result(
        case=f"nat-table/{result.row.name}",
        title=result.expected.reason,
        section="nat-table",
        requirements=(),
        level=verdict.Level.MUST,
        verdict=verdict.Verdict.PASS if result.ok else verdict.Verdict.FAIL,
        reason="" if result.ok else f"seen {result.seen}",
        expected=result.expected.by,
        actual=result.seen,
        iut=IUT,
        duration=result.seconds,
    )


def _behaviour(behaviour: Behaviour | None) -> dict[str, object] | None:
    if behaviour is None:
        return None
    return {
        "mapping": behaviour.mapping,
        "filtering": behaviour.filtering,
        "unsolicited": behaviour.unsolicited,
    }

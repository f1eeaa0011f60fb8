"""What `icetcp nat-table` prints: progress while it lasts, the table, what is not as expected, the count."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from conformance.commands.terminal import is_terminal, one_line, table
from conformance.nattable.model import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.nattable.execution import Result
    from conformance.nattable.path.nat import Behaviour

_HEADER = ("", "offerer's NAT", "answerer's NAT", "and", "expected", "seen", "s", "why")
_WIDEST_SEEN = 160


def results(found: Sequence[Result], *, wanted: int, duration: float, why: bool) -> None:
    """Print the rows in their order, then what is not as expected with the agents' own words, then the count."""
    table(_HEADER, [_cells(result) for result in found], fields=0 if why else len(_HEADER) - 1)
    for result in [result for result in found if not result.ok]:
        text = f"{result.row.name}: expected {result.expected.by}, seen {one_line(result.seen, _WIDEST_SEEN)}"
        if result.expected.meets and not result.met:
            text += "; the kernels did not meet in a simultaneous open"
        click.echo(click.style(text, fg="red") if is_terminal(sys.stdout) else text, err=not is_terminal(sys.stdout))
        for line in result.log:
            click.echo(f"    {one_line(line, _WIDEST_SEEN)}", err=not is_terminal(sys.stdout))
    click.echo(_count(found, wanted, duration), err=not is_terminal(sys.stdout))


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


def _behaviour(behaviour: Behaviour | None) -> dict[str, object] | None:
    if behaviour is None:
        return None
    return {
        "mapping": behaviour.mapping,
        "filtering": behaviour.filtering,
        "unsolicited": behaviour.unsolicited,
    }

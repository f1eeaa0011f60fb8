"""matrix.html: requirements by implementation, with the cases, exchanges and captures behind each cell, in one file.

The table is plain HTML. What belongs to a cell is packed, a block for each implementation, and unpacked when somebody
opens a cell of it.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from conformance.verdict import case_name
from reports import html
from reports.html.report import link
from reports.matrix import ASK, State, counts, failing_everywhere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.matrix import Row, Run

NAME = "matrix.html"
# By state: the class, what a cell says, and what it says where there are many columns.
MARKS = {
    State.MUST: ("fail", "MUST", "M"),
    State.SHOULD: ("known", "SHOULD", "S"),
    State.PASS: ("pass", "pass", "\u2713"),
    State.CHOICE: ("choice", "choice", "c"),
    State.NOT_JUDGED: ("n_a", "-", "-"),
    State.NOT_RUN: ("none", "not run", "\u00b7"),
}
MANY = 10  # columns: more do not fit a screen unless they are narrow


def page(
    runs: Sequence[Run],
    rows: Sequence[Row],
    titles: Mapping[str, tuple[str, str]],
    evidence: Mapping[str, Mapping[str, Mapping[str, Any]]],
    version: str,
) -> str:
    """Return the page.

    `titles` are level and title by requirement; `evidence` is by implementation and variant: what the page shows of a
    variant, with its exchange as JSON octets and its capture as octets.
    """
    return html.render(
        "matrix.html.j2",
        ("exchange.js", "matrix.js"),
        runs=runs,
        version=version,
        ask=ASK,
        everywhere=failing_everywhere(runs),
        cited={case_name(each.case): each.requirements[0] for run in runs for each in run.results if each.requirements},
        counts={run.name: counts(run.name, rows) for run in runs},
        states=list(State),
        marks=MARKS,
        many=len(runs) > MANY,
        rows=[_row(row, titles) for row in rows],
        sections=sorted({row.requirement.partition("-")[0] for row in rows}),
        blocks=[_packed(run, rows, evidence.get(run.name, {})) for run in runs],
    )


def _row(row: Row, titles: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    level, title = titles[row.requirement]
    states = dict.fromkeys(cell.state.value.replace(" ", "_") for cell in row.cells.values())
    return {
        "id": row.requirement,
        "level": level,
        "title": title,
        "link": link(row.requirement.rpartition("-")[0]),
        "rfc": row.requirement.partition("-")[0],
        "ask": row.ask,
        "states": " ".join([*states, *(["ask_the_oracle"] if row.ask else [])]),
        "cells": row.cells,
    }


def _packed(run: Run, rows: Sequence[Row], evidence: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an implementation's cells and the evidence of its variants: JSON, deflated, in base64."""
    cells = {row.requirement: _shown(row.cells[run.name].data()) for row in rows}
    variants = {variant: _detail(found) for variant, found in evidence.items()}
    octets = msgspec.json.encode({"cells": cells, "variants": variants})
    return base64.b64encode(zlib.compress(octets)).decode()


def _detail(found: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: _shown(value) for name, value in found.items() if name not in ("exchange", "capture")}
    exchange = found.get("exchange") or b"null"
    return {**shown, "exchange": msgspec.Raw(exchange), "capture": (found.get("capture") or b"").hex()}


def _shown(value: Any) -> Any:
    """Return a value whose texts show every character of theirs."""
    if isinstance(value, dict):
        return {html.shown(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return html.shown(value)

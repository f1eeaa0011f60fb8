"""What a table is handed out as: a table of text, JSON, and JUnit with a test case for each cell."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from conformance.interop.model import OFFERER, SIDES, Kind
from conformance.run.version import own_version
from conformance.verdict import ExitStatus, Level, Result, Verdict
from reports import html, junit
from reports.record import RunInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from conformance.interop.model import Breach, Outcome
    from conformance.interop.plan import Contestant

JSON, JUNIT, TABLE = "interop.json", "junit.xml", "interop.txt"
LEGEND = (
    "ok: they work together; n of m: in so many of their cells; offerer, answerer, both: who broke a requirement, so "
    "that they do not; lawful: they do not, and neither broke anything; ?: undecided; -: not played"
)
_VERDICTS = {
    Kind.WORKS: Verdict.PASS,
    Kind.BROKE: Verdict.FAIL,
    Kind.LAWFUL: Verdict.NOT_APPLICABLE,
    Kind.UNDECIDED: Verdict.INCONC,
}


def word(outcomes: Sequence[Outcome]) -> str:
    """Return what stands in a pair's field of the table: the worst of its cells."""
    if not outcomes:
        return "-"
    working = sum(outcome.ok for outcome in outcomes)
    if working == len(outcomes):
        return "ok"
    found = [_word(outcome) for outcome in outcomes if not outcome.ok]
    blamed = {name for name in found if name in (*SIDES, "both")}
    worst = blamed.pop() if len(blamed) == 1 else "both" if blamed else "?" if "?" in found else "lawful"
    return f"{worst}, {working} of {len(outcomes)}" if working else worst


def _word(outcome: Outcome) -> str:
    if outcome.kind is Kind.BROKE:
        return outcome.blamed[0] if len(outcome.blamed) == 1 else "both"
    return {Kind.LAWFUL: "lawful", Kind.UNDECIDED: "?"}[outcome.kind]


def by_pair(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], list[Outcome]]:
    """Return the outcomes of each ordered pair."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.cell.offerer, outcome.cell.answerer), []).append(outcome)
    return found


def text(outcomes: Sequence[Outcome], names: Sequence[str]) -> str:
    """Return the table, offerers downwards and answerers across, and a line for each cell that does not work."""
    pairs = by_pair(outcomes)
    rows = [["offerer \\ answerer", *names]]
    rows += [[one, *(word(pairs.get((one, other), [])) for other in names)] for one in names]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names) + 1)]
    lines = ["  ".join(field.ljust(width) for field, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += ["", LEGEND, ""]
    lines += [f"{outcome.cell.id}: {outcome.sentence}" for outcome in outcomes if not outcome.ok]
    return "\n".join(lines)


def data(outcomes: Sequence[Outcome], stacks: Mapping[str, Contestant], *, interrupted: bool) -> dict[str, Any]:
    """Return the table for JSON."""
    return {
        "icetcp": own_version(),
        "interrupted": interrupted,
        "stacks": {
            name: {"spec": stack.spec, "version": stack.version, "pics": stack.pics, "trouble": stack.trouble}
            for name, stack in stacks.items()
        },
        "counts": {kind.value: sum(outcome.kind is kind for outcome in outcomes) for kind in Kind},
        "cells": [outcome.data() for outcome in outcomes],
    }


def write(
    folder: Path, outcomes: Sequence[Outcome], stacks: Mapping[str, Contestant], command: str, *, interrupted: bool
) -> None:
    """Write JSON, JUnit, the table as text and the page. Raises `OSError` and `ReportError`."""
    from conformance.interop import page  # it imports this module

    (folder / TABLE).write_text(f"{text(outcomes, list(stacks))}\n", encoding="utf-8")
    html.write(folder / page.NAME, page.page(outcomes, stacks, folder, own_version()))
    found = data(outcomes, stacks, interrupted=interrupted)
    (folder / JSON).write_text(json.dumps(found, indent=1), encoding="utf-8")
    info = RunInfo.here(
        "interop",
        icetcp_version=own_version(),
        link="lab",
        started=time.time(),
        command_line=command,
        interrupted=interrupted,
        incidents=tuple(f"{outcome.cell.id}: {text}" for outcome in outcomes for text in outcome.incidents),
    )
    junit.write(folder / JUNIT, [_result(outcome) for outcome in outcomes], info, Level.SHOULD)


def _result(outcome: Outcome) -> Result:
    blocking = [breach for breach in outcome.breaches if breach.blocks]
    others = [breach for breach in outcome.breaches if not breach.blocks]
    notes = dict.fromkeys(f"{outcome.name(b.side)} also broke {b.requirement}: {b.text}{_times(b)}" for b in others)
    return Result(
        case=outcome.cell.id,
        title=outcome.sentence,
        section=f"interop.{outcome.cell.offerer}",
        requirements=tuple(dict.fromkeys(breach.requirement for breach in blocking)),
        level=Level(blocking[0].level) if blocking else Level.MUST,
        verdict=_VERDICTS[outcome.kind],
        reason=outcome.sentence,
        expected=f"they come to {outcome.facts.goal.label}" if not outcome.ok else "",
        actual=f"they came to {outcome.stage.label}" if not outcome.ok else "",
        started=time.time() - outcome.facts.seconds,
        duration=outcome.facts.seconds,
        note="; ".join(notes),
        ladder=outcome.ladder,
        capture=f"{outcome.folder}/capture.pcapng" if outcome.folder else "",
        log=f"{outcome.folder}/{OFFERER}.log" if outcome.folder else "",
        repeat=again(outcome),
    )


def _times(breach: Breach) -> str:
    return f" ({breach.times} times)" if breach.times > 1 else ""


def again(outcome: Outcome) -> str:
    """Return the command that judges a cell's capture anew."""
    if not outcome.folder:
        return ""
    where = outcome.folder
    return f"icetcp judge {where}/capture.pcapng --offer {where}/offer.sdp --answer {where}/answer.sdp"


def status(outcomes: Sequence[Outcome], *, survey: bool = False) -> ExitStatus:
    """Return the exit status of a table: that somebody broke something is certain, whatever is undecided.

    In a `survey` it is a result like any.
    """
    kinds = {outcome.kind for outcome in outcomes}
    if Kind.BROKE in kinds and not survey:
        return ExitStatus.DOES_NOT_CONFORM
    if Kind.UNDECIDED in kinds or Kind.WORKS not in kinds:
        return ExitStatus.COULD_NOT_JUDGE
    return ExitStatus.CONFORMS

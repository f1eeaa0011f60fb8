"""mutants.json, mutants.md and junit.xml: the kill matrix for programs, people and CI."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from conformance.catalogue import REQUIREMENTS
from conformance.mutants.matrix import Standing
from conformance.mutants.reach import reason
from conformance.verdict import ExitStatus, Result, Verdict
from reports import junit
from reports.record import cannot_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from conformance.mutants.matrix import KillMatrix, Row
    from reports.record import RunInfo


@dataclass(slots=True)
class Judged:
    """A matrix and what it came to. ``interrupted``: not everything was executed."""

    matrix: KillMatrix
    rows: Sequence[Row]
    quick: bool
    interrupted: bool = False
    again: int = 0
    duration: float = 0.0
    incidents: list[str] = field(default_factory=list)  # what the agent did against the adapter contract

    def status(self) -> ExitStatus:
        """Return 0 if every fault is killed and none by accident, 1 if not, 3 if that could not be found out."""
        wrong = (Standing.SURVIVED, Standing.NO_CASE, Standing.ACCIDENT)
        failed = any(result.verdict is Verdict.FAIL for result in self.matrix.unhealthy())
        if failed or (not self.interrupted and any(row.standing in wrong for row in self.rows)):
            return ExitStatus.DOES_NOT_CONFORM
        open_ = self.matrix.unhealthy() or self.matrix.errors() or self.incidents or not self.rows
        if self.interrupted or open_ or any(row.standing is Standing.NOT_RUN for row in self.rows):
            return ExitStatus.COULD_NOT_JUDGE
        return ExitStatus.CONFORMS


def write(out: Path, judged: Judged, info: RunInfo) -> list[Path]:
    """Write all three; return their paths. Raises `ReportError`."""
    texts = {
        out / "mutants.json": msgspec.json.format(msgspec.json.encode(data(judged)), indent=1) + b"\n",
        out / "mutants.md": markdown(judged).encode(),
    }
    for path, octets in texts.items():
        try:
            path.write_bytes(octets)
        except OSError as error:
            raise cannot_write(path, error) from None
    junit.write(out / "junit.xml", results(judged), info)
    return [*texts, out / "junit.xml"]


# -- as data --------------------------------------------------------------------------------------------


def data(judged: Judged) -> dict[str, Any]:
    """Return the matrix: for each fault its row, and the verdict of every case that it met."""
    matrix = judged.matrix
    met = {name: {result.case: result.verdict.value for result in matrix.of(name)} for name in matrix.results}
    naming = matrix.naming(row.fault for row in judged.rows)
    skipped = Counter(fault for fault, _ in matrix.skipped)
    return {
        "quick": judged.quick,
        "interrupted": judged.interrupted,
        "incidents": judged.incidents,
        "duration": round(judged.duration, 1),
        "looked_at_twice": judged.again,
        "skipped": len(judged.matrix.skipped),
        "failing_verdicts": {"own": naming.own, "also": naming.also, "foreign": dict(naming.foreign.most_common())},
        "healthy": met.pop("", {}),
        "faults": [_row_data(row, met.get(row.fault.name, {}), skipped[row.fault.name]) for row in judged.rows],
    }


def _row_data(row: Row, met: dict[str, str], skipped: int) -> dict[str, Any]:
    return {
        "fault": row.fault.name,
        "requirement": row.fault.requirement,
        "summary": row.fault.summary,
        "standing": row.standing.value,
        "killed_by": [result.case for result in row.killers],
        "also_fails": {r.case: reason(row.fault, r.requirements) for r in row.explained},
        "by_accident": {result.case: result.reason for result in row.accidents},
        "skipped": skipped,
        "verdicts": met,
    }


# -- as a page ------------------------------------------------------------------------------------------


def sections(rows: Iterable[Row]) -> list[str]:
    """Return the sections in which faults fail cases, in the order of their numbers."""
    found = {result.section for row in rows for result in (*row.killers, *row.explained, *row.accidents)}
    return sorted(found, key=lambda name: (name.partition("-")[0], _numbers(name.partition("-")[2])))


def _numbers(section: str) -> list[int]:
    return [int(part) for part in section.split(".") if part.isdigit()]


def cell(row: Row, section: str) -> str:
    """Return how many cases of a section a fault fails: "2", "2+5" with others' that are explained, "2!1" with not."""
    own, explained, accidents = (
        sum(result.section == section for result in some) for some in (row.killers, row.explained, row.accidents)
    )
    return (str(own) if own else "") + (f"+{explained}" if explained else "") + (f"!{accidents}" if accidents else "")


def markdown(judged: Judged) -> str:
    """Return the page: the matrix by section, then each fault with the cases that it fails."""
    columns = sections(judged.rows)
    lines = [
        "# The kill matrix",
        "",
        "Cases that each fault of the reference agent fails, by section: those of the fault's requirement, `+` others",
        "for a reason that is given below, `!` others by accident.",
        "",
        f"{judged.matrix.executions} executions. {len(judged.matrix.skipped)} more were skipped: in their sessions",
        "the agent decides alike with the fault and without.",
        "",
        _line("fault", "requirement", "standing", *columns),
        _line(*["---"] * (3 + len(columns))),
    ]
    for row in judged.rows:
        cells = (cell(row, section) for section in columns)
        lines.append(_line(f"`{row.fault.name}`", row.fault.requirement, row.standing.value, *cells))
    unhealthy = judged.matrix.unhealthy()
    if unhealthy:
        lines += ["", "## The healthy agent", ""]
        lines += [f"- {r.case}: {r.verdict.value}: {r.reason}" for r in unhealthy]
    if judged.incidents:
        lines += ["", "## What the agent did against the adapter contract", ""]
        lines += [f"- {text}" for text in judged.incidents]
    lines += ["", "## The faults", ""]
    for row in judged.rows:
        lines += _paragraph(row)
    return "\n".join(lines) + "\n"


def _paragraph(row: Row) -> list[str]:
    killers = ", ".join(f"`{result.case}`" for result in row.killers) or "none"
    lines = [
        f"### {row.fault.name}",
        "",
        f"It {row.fault.summary}: {row.fault.requirement}, {REQUIREMENTS[row.fault.requirement].title}.",
        "",
        f"- {row.standing.value}, by {len(row.killers)} of {row.cases}: {killers}",
    ]
    because: defaultdict[str, list[str]] = defaultdict(list)
    for result in row.explained:
        because[reason(row.fault, result.requirements)].append(f"`{result.case}`")
    lines += [f"- also, for {text}: {', '.join(cases)}" for text, cases in because.items()]
    lines += [f"- by accident: `{result.case}`: {result.reason}" for result in row.accidents]
    return [*lines, ""]


def _line(*cells: str) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


# -- for CI ---------------------------------------------------------------------------------------------


def results(judged: Judged) -> list[Result]:
    """Return a result for each fault, and those of the healthy agent that are no pass."""
    found = [_result(row) for row in judged.rows]
    for result in judged.matrix.unhealthy():
        result.case = f"{result.section}/healthy: {result.case.partition('/')[2]}"
        found.append(result)
    return found


def _result(row: Row) -> Result:
    requirement = REQUIREMENTS[row.fault.requirement]
    verdicts = {Standing.KILLED: Verdict.PASS, Standing.NOT_RUN: Verdict.INCONC}
    verdict = verdicts.get(row.standing, Verdict.FAIL)
    others = "; ".join(f"{result.case}: {result.reason}" for result in row.accidents)
    return Result(
        case=f"{requirement.rfc}-{requirement.section}/{row.fault.name}",
        title=row.fault.summary,
        section=f"{requirement.rfc}-{requirement.section}",
        requirements=(row.fault.requirement,),
        level=requirement.level,
        verdict=verdict,
        reason="" if verdict is Verdict.PASS else row.standing.value + (f": {others}" if others else ""),
        iut="reference",
        started=time.time(),
        repeat=f"icetcp mutants --fault {row.fault.name}",
    )

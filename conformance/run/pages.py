"""report.html of a run: at its end from what the run still holds, or later from the folder that it wrote."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Any

from conformance.catalogue import REQUIREMENTS, Requirement, add
from conformance.run.drawing import drawn
from conformance.verdict import ExitStatus, Level, Verdict, case_name
from pcaps.pcapng import CaptureError, names_in, read_stream
from pcaps.reading import read_packets
from reports import causes, reach
from reports.compare import compare
from reports.html.report import Asked, Contents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from conformance.run.engine import Case
    from conformance.verdict import Result
    from pcaps.connections import Connection
    from pcaps.flows import Flow
    from reports.record import RunInfo


def restore(run: RunInfo) -> None:
    """Add the private requirements of a record to the catalogue, except those that are known."""
    for entry in run.private:
        words: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()
        }
        if words["id"] not in REQUIREMENTS:
            add(Requirement(**words))


def asked(tested: Collection[str]) -> list[Asked]:
    """Return the catalogue for a page; `tested` are requirements that have cases."""
    found = []
    for entry in REQUIREMENTS.values():
        status = "tested" if entry.id in tested else "untestable" if entry.untestable else "pending"
        found.append(Asked(entry.id, entry.level.value, entry.title, entry.text, entry.note, entry.untestable, status))
    return found


def purposes(cases: Iterable[Case]) -> dict[str, str]:
    """Return what each case is for."""
    found: dict[str, str] = {}
    for case in cases:
        name = case_name(case.id)
        if name not in found:
            first, _, rest = case.purpose.partition("\n")
            found[name] = f"{first}\n{textwrap.dedent(rest)}".strip()
    return found


def judgement(results: list[Result], run: RunInfo, fail_on: Level) -> str:
    """Return in words what a run came to."""
    status = reach.status(results, run, fail_on)
    told = reach.told(run)
    much = f" {told}." if told else ""
    texts = {
        ExitStatus.CONFORMS: f"Conforms: every requirement that was judged is met.{much}",
        ExitStatus.DOES_NOT_CONFORM: f"Does not conform.{much}",
    }
    return texts.get(status, f"Not judged: some cases came to no verdict on the implementation.{much}")


def of_folder(
    folder: Path,
    run: RunInfo,
    results: list[Result],
    fail_on: Level,
    *,
    every: Collection[Case] = (),
    whole: bool = False,
) -> Contents:
    """Return the contents of a page from a run's folder; the captures are read once more for their drawings.

    `every` are all cases of the suite; of others a requirement counts as tested if a result names it.
    """
    restore(run)
    found = causes.of_data(run.causes) or causes.find(results, REQUIREMENTS)
    causes.tell(results, found)
    tested = {requirement for case in every for requirement in case.requirements}
    tested |= {requirement for result in results for requirement in result.requirements}
    return Contents(
        run=run,
        results=results,
        causes=found,
        requirements=asked(tested),
        folder=folder,
        exchanges={result.case: drawing for result in results if (drawing := exchange_of(folder, result))},
        purposes=purposes(every),
        whole=whole,
        judgement=judgement(results, run, fail_on),
    )


def mark_changes(contents: Contents, results: list[Result], name: str) -> None:
    """Note how verdicts changed since another run."""
    found = compare(results, contents.results, partial=True)
    contents.changes = {difference.variant: difference.change.value for difference in found.differences}
    contents.against = name


def exchange_of(folder: Path, result: Result) -> bytes:
    """Return the exchange of a variant as JSON, from its capture; nothing where there is none."""
    if not result.capture or result.verdict is Verdict.NOT_APPLICABLE:
        return b""
    try:
        octets = (folder / result.capture).read_bytes()
        reading = read_packets(read_stream(io.BytesIO(octets)))
    except (OSError, CaptureError):
        return b""
    exchanges: list[Connection | Flow] = [*reading.connections, *reading.flows]
    testers = {address for address, name in names_in(octets).items() if name.startswith("tester")}
    return drawn(exchanges, testers, result.broken, f"{result.verdict.value}: {result.reason}")

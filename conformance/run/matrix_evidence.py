"""What a matrix shows behind its cells: for each case that does not pass, the first variant with its exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.run.pages import exchange_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from conformance.verdict import Result
    from reports.matrix import Row, Run

_MOST_OF_CAPTURE = 100_000  # octets that the page holds of one capture


def evidence(folder: Path, run: Run, rows: Iterable[Row]) -> Mapping[str, Mapping[str, Any]]:
    """Return what is shown, by variant; captures are read from the run's folder."""
    own = folder / run.folder
    results = {result.case: result for result in run.results}
    wanted = {
        case.first
        for row in rows
        for case in row.cells[run.name].cases.values()
        if case.verdict not in ("pass", "n/a") and case.first in results
    }
    return {variant: _shown(own, run.folder, results[variant]) for variant in sorted(wanted)}


def _shown(own: Path, folder: str, result: Result) -> dict[str, Any]:
    return {
        "reason": result.reason,
        "expected": result.expected,
        "actual": result.actual,
        "known": result.known,
        "note": result.note,
        "repeat": result.repeat,
        "ladder": result.ladder,
        "folder": folder,
        "capturefile": result.capture,
        "exchange": exchange_of(own, result),
        "capture": _octets(own / result.capture) if result.capture else b"",
    }


def _octets(path: Path) -> bytes:
    try:
        octets = path.read_bytes()
    except OSError:
        return b""
    return octets if len(octets) <= _MOST_OF_CAPTURE else b""

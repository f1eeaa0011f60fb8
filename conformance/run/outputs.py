"""Reports for the programs of others, at the end of a run or later from its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.catalogue import REQUIREMENTS
from reports import outputs
from reports.record import write_whole
from reports.rules import Rule

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from conformance.verdict import Level, Result
    from reports.record import RunInfo


def rules() -> dict[str, Rule]:
    """Return what reports say of each requirement."""
    return {
        name: Rule(name, entry.title, entry.text, entry.level, entry.rfc, entry.section)
        for name, entry in REQUIREMENTS.items()
    }


def write(config: pytest.Config, folder: Path, run: RunInfo, results: list[Result], fail_on: Level) -> list[Path]:
    """Write junit.xml and what the options ask for; return the files. Raises `ReportError`."""
    before = outputs.prefix(folder, config.getoption("icetcp_attachments"))
    wanted = ["junit", *(name for name in config.getoption("icetcp_report") if name not in ("junit", "github"))]
    known = rules() if "sarif" in wanted else {}
    written = []
    for name in dict.fromkeys(wanted):
        octets = outputs.document(name, results, run, known, fail_on, before)
        written.append(write_whole(folder / outputs.NAMES[name], octets))
    return written

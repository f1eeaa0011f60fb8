"""Which files a run writes for programs of others, besides record.jsonl and report.html."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reports import github, junit, sarif, tap
from reports.reach import status
from reports.record import cannot_write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.verdict import Level, Result
    from reports.record import RunInfo
    from reports.rules import Rule

FORMATS = ("junit", "sarif", "tap", "github")
NAMES = {"junit": "junit.xml", "sarif": sarif.NAME, "tap": tap.NAME}
ATTACHMENTS = ("folder", "project", "absolute")


def prefix(folder: Path, attachments: str) -> str:
    """Return what stands before paths of captures and logs, which are relative to the run's folder.

    "folder": nothing. "project": the way from the project (CI_PROJECT_DIR of GitLab, GITHUB_WORKSPACE, else the current
    folder), as GitLab and code scanning want it. "absolute": as Jenkins' attachments plugin wants it.
    """
    if attachments == "folder":
        return ""
    if attachments == "absolute":
        return f"{folder.resolve()}/"
    project = os.environ.get("CI_PROJECT_DIR") or os.environ.get("GITHUB_WORKSPACE") or "."
    return f"{os.path.relpath(folder.resolve(), Path(project).resolve())}/"


def document(
    wanted: str,
    results: Sequence[Result],
    run: RunInfo,
    rules: Mapping[str, Rule],
    fail_on: Level,
    before: str = "",
) -> bytes:
    """Return a report in this format; `before` stands in front of each path."""
    if wanted == "junit":
        return junit.document(results, run, fail_on, before)
    if wanted == "sarif":
        return sarif.document(
            results, run, rules, prefix=before, fail_on=fail_on, status=status(list(results), run, fail_on)
        )
    if wanted == "tap":
        return tap.document(results, run, fail_on)
    return "".join(f"{line}\n" for line in github.commands(results, run, fail_on)).encode()


def write_job_summary(results: Sequence[Result], run: RunInfo) -> None:
    """Append the summary to the file that GitHub names, if it names one. Raises `ReportError`."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(github.summary(results, run))
    except OSError as error:
        raise cannot_write(Path(name), error) from None

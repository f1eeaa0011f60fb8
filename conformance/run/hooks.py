"""Hooks by which a display follows a run (pluggy specifications, added by the plugin)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.verdict import Result
    from reports.record import RunInfo


def pytest_icetcp_start(run: RunInfo, total: int) -> None:
    """The IUT has answered hello and `total` variants are about to start."""


def pytest_icetcp_result(result: Result, done: int, total: int) -> None:
    """A variant has its verdict; `done` counts those that have."""


def pytest_icetcp_note(text: str) -> None:
    """Something that the user should know once, such as what this environment cannot do."""


def pytest_icetcp_finish(results: list[Result], written: list[Path]) -> None:
    """The run is over (or was interrupted), its reports are written."""

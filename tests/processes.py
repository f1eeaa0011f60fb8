"""Processes that a test has started, as the kernel sees them."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_running(process: int | str) -> bool:
    """Whether a process runs; one that has ended and that init has not waited for (a zombie) does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def left_of(processes: Iterable[int | str], within: float = 10.0) -> list[int | str]:
    """Return those that still run after this many seconds: one that was killed takes a moment to end."""
    left, deadline = list(processes), time.monotonic() + within
    while (left := [process for process in left if is_running(process)]) and time.monotonic() < deadline:
        time.sleep(0.005)
    return left

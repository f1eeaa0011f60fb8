"""The programs that build adapters and ask registries: how they are run, and what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from conformance.iut.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conformance.iut.stacks import Description


def run(
    stack: Description,
    command: list[str],
    say: Callable[[str], None],
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a tool of the build. Raises `StackError` with its words if it fails."""
    say(f"+ {shlex.join(command)}")
    whole = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=whole)
    if done.returncode:
        raise StackError(f"the adapter of {stack.name} does not compile:\n{(done.stderr or done.stdout).strip()}")


def absent(*tools: str) -> list[str]:
    """Return which of these programs the machine lacks."""
    return [tool for tool in tools if shutil.which(tool) is None]


def too_old(language: str, wanted: str, source: str, *command: str) -> list[str]:
    """Return which compiler is needed and where to get it, unless it is installed. Debian's is too old."""
    found = re.search(r"(\d+)\.(\d+)", output(*command))
    have = (int(found[1]), int(found[2])) if found else (0, 0)
    if have >= tuple(int(number) for number in wanted.split(".")):
        return []
    return [f"{language} {wanted} or newer (from {source}, where Debian's is older)"]


def succeeds(*command: str) -> bool:
    """Whether a program ends with status 0."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def output(*command: str) -> str:
    """Return what a tool says, which is nothing where it or what it is asked about is missing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""

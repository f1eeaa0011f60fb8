"""What junit.xml says of a command that is about the reference agent: `icetcp mutants` and `icetcp nat-table`."""

from __future__ import annotations

import platform
import sys
import time
from importlib import metadata
from typing import TYPE_CHECKING

from conformance.run.invocation import command_line
from reports.record import RunInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

IUT = "icetcp reference agent"


def run_info(begun: float, link: str, *, interrupted: bool, incidents: Sequence[str]) -> RunInfo:
    """Return it; `begun` is seconds since the epoch."""
    try:
        version = metadata.version("icetcp")
    except metadata.PackageNotFoundError:
        version = "uninstalled"
    return RunInfo(
        iut=IUT,
        iut_version=version,
        command=f"{sys.executable} -m conformance.agent",
        seed=0,
        icetcp_version=version,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()}",
        link=link,
        started=begun,
        duration=time.time() - begun,
        interrupted=interrupted,
        incidents=tuple(incidents),
        command_line=command_line(),
    )

"""What junit.xml says of a command that is about the reference agent: `icetcp mutants` and `icetcp nat-table`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from conformance.run.invocation import command_line
from conformance.run.version import own_version
from reports.record import RunInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

IUT = "icetcp reference agent"


def run_info(begun: float, link: str, *, interrupted: bool, incidents: Sequence[str]) -> RunInfo:
    """Return it; `begun` is seconds since the epoch."""
    version = own_version()
    return RunInfo.here(
        IUT,
        iut_version=version,
        command=f"{sys.executable} -m conformance.agent",
        icetcp_version=version,
        link=link,
        started=begun,
        duration=time.time() - begun,
        interrupted=interrupted,
        incidents=tuple(incidents),
        command_line=command_line(),
    )

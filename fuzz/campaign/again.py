"""A finding once more, against the IUT that it was found in or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.campaign.player import PLAN, StageFailed
from fuzz.campaign.runner import Runner

if TYPE_CHECKING:
    from conformance.iut.stacks import Stack
    from fuzz.findings import Finding


def replay(finding: Finding, stack: Stack, times: int) -> list[dict[tuple[str, str], str]]:
    """Play a finding's case so often, each time in a new process; return what was wrong each time.

    Raises `AdapterError` if the IUT cannot be used.
    """
    runner = Runner(stack)
    seen = []
    try:
        try:
            kept = {
                name: finding.case["plan"][name] for name in ("side", "iut", "profile") if name in finding.case["plan"]
            }
            runner.calibrate({**PLAN, **kept})
        except StageFailed:
            runner.fresh()  # the deadlines stay the usual ones
        for _ in range(times):
            if finding.kind in ("leak", "spin"):
                found = runner.leak(finding.case, max(1, finding.repeat))
            else:
                found = runner.trial(finding.case, anew=True)
            seen.append({(symptom.kind, symptom.cause): symptom.text for symptom in found})
    finally:
        runner.close()
    return seen

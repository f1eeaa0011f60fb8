"""Why a fault also fails cases that do not cite its requirement: what else hangs on what it breaks.

A fault breaks one requirement, but others stand on it: where no check comes, nothing that a check must hold can be
seen. What is not explained here is an accident, in the suite (a case judges more than it cites) or in the fault (it
breaks more than it names), and `icetcp mutants` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.mutants import reach_connections, reach_descriptions, reach_messages, reach_pairs, reach_servers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.faults import Fault
    from conformance.mutants.reach_row import Reach

REACHES: tuple[Reach, ...] = (
    *reach_connections.ROWS,
    *reach_descriptions.ROWS,
    *reach_messages.ROWS,
    *reach_pairs.ROWS,
    *reach_servers.ROWS,
)


def reason(fault: Fault, requirements: Iterable[str]) -> str:
    """Return why a fault fails a case that cites these requirements; empty if nothing explains it."""
    identifiers = tuple(requirements)
    for reach in REACHES:
        if fault.name in reach.faults and any(_covers(reach, identifier) for identifier in identifiers):
            return reach.because
    return ""


def breaks(fault: Fault, requirements: Iterable[str]) -> bool:
    """Whether what a fault does breaks one of these requirements as well: it is none of others, and no accident."""
    identifiers = tuple(requirements)
    return any(
        reach.breaks and fault.name in reach.faults and any(_covers(reach, identifier) for identifier in identifiers)
        for reach in REACHES
    )


def _covers(reach: Reach, identifier: str) -> bool:
    """Whether an id is one of those listed, or lies in a section that is."""
    return any(
        identifier == listed or identifier.startswith((f"{listed}-", f"{listed}.")) for listed in reach.requirements
    )

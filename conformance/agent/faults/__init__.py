"""Named ways to be wrong: each fault breaks one requirement and nothing else. The healthy agent has none.

A fault replaces some of the agent's decisions (`conformance.agent.decisions`); its class declares its name, the
requirement that it breaks, and what the agent then does. Several faults are combined into one set of decisions.
"""

from __future__ import annotations

from functools import cache

from conformance.agent.decisions import Decisions, combine
from conformance.agent.faults import (
    allocations,
    candidates,
    checks,
    connections,
    consenting,
    description,
    elsewhere,
    field,
    first,
    framing,
    gathering,
    later,
    lite,
    mapping,
    media,
    messages,
    nomination,
    outcomes,
    pairing,
    reading,
    receiving,
    reopening,
    responses,
    restarting,
    sdp,
    security,
    serving,
    tcp_allocations,
    trickling,
    updates,
)
from conformance.agent.faults.model import Fault as Fault

FAULTS: tuple[Fault, ...] = (
    *gathering.fault,
    *candidates.fault,
    *mapping.fault,
    *lite.fault,
    *description.fault,
    *sdp.fault,
    *first.fault,
    *reading.fault,
    *updates.fault,
    *trickling.fault,
    *pairing.fault,
    *checks.fault,
    *outcomes.fault,
    *responses.fault,
    *messages.fault,
    *receiving.fault,
    *nomination.fault,
    *connections.fault,
    *later.fault,
    *framing.fault,
    *media.fault,
    *field.fault,
    *security.fault,
    *reopening.fault,
    *serving.fault,
    *allocations.fault,
    *tcp_allocations.fault,
    *consenting.fault,
    *elsewhere.fault,
    *restarting.fault,
)
BY_NAME = {fault.name: fault for fault in FAULTS}


@cache
def decisions(names: frozenset[str]) -> type[Decisions]:
    """Return the decisions of an agent with these faults."""
    return combine(BY_NAME[name].replacement for name in sorted(names))

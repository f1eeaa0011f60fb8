"""Named ways to be wrong: each fault breaks one requirement and nothing else. The healthy agent has none.

A fault is asked for where it concerns, by its name written out; the tests hold this list against those
places and the ids against the catalogue.
"""

from __future__ import annotations

from conformance.agent.faults import answers, checks, connections, description
from conformance.agent.faults.model import Fault as Fault

FAULTS: tuple[Fault, ...] = (*description.FAULTS, *checks.FAULTS, *answers.FAULTS, *connections.FAULTS)
BY_NAME = {fault.name: fault for fault in FAULTS}

"""What an agent may decide: one set of replaceable decisions, lawful as they stand here.

The body of the agent asks them and follows; it knows no other behaviour. A fault (`conformance.agent.faults`) and a
lawful variation (`conformance.agent.varied`) are classes that replace some of them; `super()` is what they replace.
Several of these are combined into one set.

Only what two agents may do differently is a decision; it answers a question, changes nothing, and names the clause that
it follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.decisions.candidates import Candidates
from conformance.agent.decisions.checks import Checks
from conformance.agent.decisions.connections import Closing
from conformance.agent.decisions.consenting import Consenting
from conformance.agent.decisions.description import Description
from conformance.agent.decisions.framing import Framing
from conformance.agent.decisions.gathering import Gathering
from conformance.agent.decisions.mapping import Mapping
from conformance.agent.decisions.media import Data
from conformance.agent.decisions.nomination import Nomination
from conformance.agent.decisions.outcomes import Outcomes
from conformance.agent.decisions.pairing import Pairing
from conformance.agent.decisions.reopening import Reopening
from conformance.agent.decisions.responses import Responses
from conformance.agent.decisions.security import Security
from conformance.agent.decisions.serving import Serving
from conformance.agent.decisions.topic import Topic as Topic
from conformance.agent.decisions.trickling import Trickling

if TYPE_CHECKING:
    from collections.abc import Iterable


class Decisions(
    Gathering,
    Candidates,
    Description,
    Pairing,
    Checks,
    Outcomes,
    Responses,
    Nomination,
    Closing,
    Framing,
    Data,
    Security,
    Reopening,
    Trickling,
    Serving,
    Mapping,
    Consenting,
):
    """All decisions of one session."""


_combined: dict[tuple[type[Topic], ...], type[Decisions]] = {(): Decisions}


def combine(replacements: Iterable[type[Topic]]) -> type[Decisions]:
    """Return the decisions with these replacements; of two that replace the same one, the first comes first."""
    key = tuple(dict.fromkeys(replacements))
    if key not in _combined:
        _combined[key] = type("Decisions", (*key, Decisions), {})
    return _combined[key]

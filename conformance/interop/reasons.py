"""What a reason for not working together is made of: who owed what, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.catalogue import requirement as look_up
from conformance.interop.model import Breach

if TYPE_CHECKING:
    from conformance.interop.evidence import Evidence
    from conformance.judge.talk import Stun, Talk

SECOND = 1_000_000_000
ANSWERED_WITHIN = 5.0  # seconds, far longer than an agent needs to answer, or to check in return


@dataclass(slots=True)
class Reason:
    """Why a cell does not work. Without ``breach``: both are lawful, or, if ``open_``, nobody can tell."""

    text: str
    breaches: tuple[Breach, ...] = ()
    open_: bool = False


def omission(evidence: Evidence, side: str, requirement: str, text: str, at_ns: int = 0) -> Reason:
    """Return that a side broke a requirement by not doing what was due at a time (0: not known when)."""
    asked = look_up(requirement)
    breach = Breach(side, requirement, asked.level.value, text, asked.title, at_ns=at_ns)
    return Reason(f"{evidence.name(side)} {text}", (breach,))


def nominations(evidence: Evidence, talk: Talk) -> list[tuple[Stun, Stun]]:
    """Return the nominations of a connection that were answered with success, each with its answer."""
    found = [pair for client in (True, False) for pair in talk.successes(evidence.known, client=client)]
    return [pair for pair in found if pair[0].message.use_candidate]


def end_after(talk: Talk, time_ns: int) -> tuple[int, bool] | None:
    """Return when a connection ended after this time, and whether its client ended it."""
    found = (event for event in talk.connection.events if event.what in ("fin", "rst") and event.time_ns >= time_ns)
    return next(((event.time_ns, event.from_client) for event in found), None)

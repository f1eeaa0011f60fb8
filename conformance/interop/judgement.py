"""What is said of a played cell: how far it came, and whether one of the two broke something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.interop import blame, evidence
from conformance.interop.model import SIDES, Facts, Kind, Outcome, Stage
from conformance.run.drawing import drawn
from pcaps.ladder import render

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.interop.evidence import Evidence
    from conformance.interop.model import Breach, Cell

_MOST = 8  # connections that are drawn


def judge(cell: Cell, folder: Path) -> Outcome:
    """Judge a played cell by the files in its folder; what cannot be read is undecided."""
    try:
        seen = evidence.read(cell, folder)
    except evidence.Unreadable as problem:
        return unplayed(cell, str(problem))
    stage = seen.stage
    kind, sentence = Kind.WORKS, f"works: {stage.label}"
    if stage < seen.facts.goal:
        kind, sentence = _not_working(seen)
    elif seen.facts.translated:
        sentence = "works: both have selected the pair; they speak different protocols above ICE"
    outcome = Outcome(cell, seen.facts, stage, kind, sentence, seen.breaches, _ladder(seen), exchange=_exchange(seen))
    return _with_incidents(outcome)


def _with_incidents(outcome: Outcome) -> Outcome:
    """Tell what the adapters did against the contract. A pair of which one died does not work, whatever came before."""
    if outcome.incidents:
        told = "; ".join(outcome.incidents)
        if outcome.kind in (Kind.WORKS, Kind.LAWFUL):
            outcome.kind, outcome.sentence = Kind.UNDECIDED, f"undecided: {outcome.sentence}, but {told}"
        else:
            outcome.sentence = f"{outcome.sentence}; {told}"
    return outcome


def unplayed(cell: Cell, why: str) -> Outcome:
    """Return what is said of a cell that could not be played."""
    return Outcome(cell, Facts(), Stage.NOTHING, Kind.UNDECIDED, f"undecided: {why}")


def _not_working(seen: Evidence) -> tuple[Kind, str]:
    found = blame.reason(seen)
    if found.open_:
        return Kind.UNDECIDED, f"undecided: {found.text}"
    if not found.breaches:
        return Kind.LAWFUL, found.text
    for breach in found.breaches:
        _mark(seen, breach)
    return Kind.BROKE, "; ".join(_said(seen, breach) for breach in found.breaches)


def _mark(seen: Evidence, breach: Breach) -> None:
    """Note that a breach keeps the two from working together; an omission is added to what the judge saw."""
    breach.blocks = True
    if breach not in seen.breaches:
        seen.breaches.insert(0, breach)


def _said(seen: Evidence, breach: Breach) -> str:
    """Return "A broke RFC 8445 8.1.1: controls and never nominated"."""
    rfc, section, _ = breach.requirement.split("-", 2)
    return f"{seen.name(breach.side)} broke {rfc[:3]} {rfc[3:]} {section}: {breach.text}"


def _ladder(seen: Evidence) -> str:
    return render(seen.connections[:_MOST], _names(seen))


def _exchange(seen: Evidence) -> bytes:
    return drawn(seen.connections[:_MOST], _names(seen), seen.marks)


def _names(seen: Evidence) -> dict[str, str]:
    return {ip: seen.name(side) for side in SIDES for ip in seen.facts.addresses.get(side, ())}

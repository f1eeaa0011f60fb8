"""A row of the table of reaches: which faults also fail cases of which requirements, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """These faults also fail cases of these requirements (ids, or what they begin with), `because`."""

    faults: frozenset[str]
    requirements: tuple[str, ...]
    because: str


def reaching(because: str, faults: str, requirements: str) -> Reach:
    """Return a row; names and ids are separated by blanks."""
    return Reach(frozenset(faults.split()), tuple(requirements.split()), because)

"""A row of the table of reaches: which faults also fail cases of which requirements, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """These faults also fail cases of these requirements (ids, or what they begin with), `because`.

    ``breaks``: what the agent does breaks these requirements as well, and the failures are true of them. Otherwise it
    hides what the cases are about, and they name a requirement that may be met.
    """

    faults: frozenset[str]
    requirements: tuple[str, ...]
    because: str
    breaks: bool = False


def reaching(because: str, faults: str, requirements: str) -> Reach:
    """Return a row of what faults hide; names and ids are separated by blanks."""
    return Reach(frozenset(faults.split()), tuple(requirements.split()), because)


def breaking(because: str, faults: str, requirements: str) -> Reach:
    """Return a row of what faults break as well."""
    return Reach(frozenset(faults.split()), tuple(requirements.split()), because, breaks=True)

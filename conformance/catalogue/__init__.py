"""What the RFCs ask for, as data: one requirement per normative sentence, and those stated without a key word."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING

from conformance.catalogue import (
    rfc3264,
    rfc4145,
    rfc4571,
    rfc5764,
    rfc6062,
    rfc6544_connectivity,
    rfc6544_gathering,
    rfc7675,
    rfc8421,
    rfc8445_candidates,
    rfc8445_checks,
    rfc8445_concluding,
    rfc8489_authentication,
    rfc8489_messages,
    rfc8656,
    rfc8838,
    rfc8839,
    rfc8863,
)
from conformance.catalogue.model import Exclusion, Requirement
from conformance.catalogue.private import is_private, problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "EXCLUSIONS",
    "MODULES",
    "REQUIREMENTS",
    "Exclusion",
    "Requirement",
    "UnknownRequirement",
    "add",
    "added",
    "by_section",
    "exclusions",
    "requirement",
    "rfcs",
    "sections",
]

MODULES = (
    rfc4571,
    rfc6544_gathering,
    rfc6544_connectivity,
    rfc8445_candidates,
    rfc8445_checks,
    rfc8445_concluding,
    rfc8489_messages,
    rfc8489_authentication,
    rfc8839,
    rfc7675,
    rfc8656,
    rfc6062,
    rfc8838,
    rfc3264,
    rfc4145,
    rfc8863,
    rfc5764,
    rfc8421,
)
_EVERY: dict[str, Requirement] = {entry.id: entry for module in MODULES for entry in module.REQUIREMENTS}
REQUIREMENTS: Mapping[str, Requirement] = MappingProxyType(_EVERY)
EXCLUSIONS: tuple[Exclusion, ...] = tuple(entry for module in MODULES for entry in getattr(module, "EXCLUSIONS", ()))


class UnknownRequirement(KeyError):
    """No requirement has this id; the message names the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


def requirement(identifier: str) -> Requirement:
    """Return the requirement of an id. Raises `UnknownRequirement`."""
    found = REQUIREMENTS.get(identifier)
    if found is None:
        near = ", ".join(difflib.get_close_matches(identifier, REQUIREMENTS, 3))
        raise UnknownRequirement(f"there is no requirement {identifier}" + (f"; near: {near}" if near else ""))
    return found


def add(*requirements: Requirement) -> None:
    """Add private requirements, of a vendor's own documents, to the catalogue: "ACME-4.2-01".

    To add the same requirement once more changes nothing. Raises `ValueError` for an id that is taken or has no prefix
    of its own, and for an unknown key word or condition; then none of them is added.
    """
    new: dict[str, Requirement] = {}
    for entry in requirements:
        wrong = problems(entry)
        before = new.get(entry.id, _EVERY.get(entry.id))
        if before is not None and before != entry:
            wrong.append(f"the id is taken by another requirement, {before.title!r}")
        if wrong:
            raise ValueError(f"requirement {entry.id} cannot be added: {'; '.join(wrong)}")
        new[entry.id] = entry
    _EVERY.update(new)


def added() -> Sequence[Requirement]:
    """Return the private requirements."""
    return [entry for entry in _EVERY.values() if is_private(entry.id)]


def by_section(rfc: str, section: str) -> list[Requirement]:
    """Return the requirements of one section, in the order of its text."""
    return [entry for entry in REQUIREMENTS.values() if (entry.rfc, entry.section) == (rfc, section)]


def sections() -> list[tuple[str, str]]:
    """Return RFC and number of every section that has requirements."""
    return list(dict.fromkeys((entry.rfc, entry.section) for entry in REQUIREMENTS.values()))


def rfcs() -> list[str]:
    """Return the RFCs that have requirements, as "RFC6544"."""
    return list(dict.fromkeys(entry.rfc for entry in REQUIREMENTS.values()))


def exclusions(rfc: str, section: str) -> list[tuple[str, str]]:
    """Return the sentences of one section that are no requirements, "sentences 1, 4" or "all", each with the reason."""
    found = []
    for entry in EXCLUSIONS:
        if entry.rfc == rfc and entry.sentences is None and entry.holds(rfc, section, 0):
            found.append(("all", entry.reason))
        elif (entry.rfc, entry.section) == (rfc, section) and entry.sentences is not None:
            numbers = ", ".join(map(str, sorted(entry.sentences)))
            found.append((f"sentence{'s' if len(entry.sentences) > 1 else ''} {numbers}", entry.reason))
    return found

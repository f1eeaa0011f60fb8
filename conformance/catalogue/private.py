"""What a requirement must be like that a vendor adds to the catalogue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.catalogue.capabilities import check_conditions
from conformance.catalogue.model import KEYWORDS

if TYPE_CHECKING:
    from conformance.catalogue.model import Requirement

_ID = re.compile(r"[A-Z][A-Z0-9_]*-[A-Z0-9][A-Z0-9_]*(?:\.[A-Z0-9_]+)*-s?\d+")
_OURS = re.compile(r"RFC\d*-")


def is_private(identifier: str) -> bool:
    """Whether a requirement is of a vendor's own document."""
    return _OURS.match(identifier) is None


def problems(requirement: Requirement) -> list[str]:
    """Return what is wrong with a private requirement, whatever else the catalogue has."""
    found = []
    if not is_private(requirement.id):
        found.append("ids of RFCs are those of icetcp; take a prefix of your own, such as ACME-4.2-01")
    elif _ID.fullmatch(requirement.id) is None:
        found.append("an id is PREFIX-SECTION-NUMBER in capitals, such as ACME-4.2-01")
    lists: tuple[object, ...] = (requirement.keywords, requirement.pics)
    if any(isinstance(words, str) for words in lists):
        found.append("keywords and pics are tuples of words")
        return found
    strange = [word for word in requirement.keywords if word not in KEYWORDS]
    if strange:
        found.append(f"{strange[0]!r} is not a key word: {', '.join(KEYWORDS)}")
    if not requirement.title.strip() or not requirement.text.strip():
        found.append("title and text must say what it asks")
    try:
        check_conditions(requirement.pics)
    except ValueError as error:
        found.append(str(error))
    return found

"""The marks of a case: the requirements that it tests, and the values that it runs with."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from conformance.catalogue import requirement as look_up
from conformance.catalogue.capabilities import check_conditions
from conformance.suites.dimensions import EVERY_CUT as EVERY_CUT
from conformance.suites.dimensions import SIDES as SIDES
from conformance.suites.dimensions import varied as varied

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., None]")

FAMILIES = ("IPv4", "IPv6")
OPENERS = [  # who opens the connections
    pytest.param("tester", marks=pytest.mark.requirement(needs=("offers:passive",))),
    pytest.param("IUT", marks=pytest.mark.requirement(needs=("connects:active",))),
]

both_sides = pytest.mark.parametrize("side", SIDES)
ends = pytest.mark.parametrize("end", ["FIN", "RST"])
in_pieces = pytest.mark.parametrize(
    "cut", [(1,), (2,), (12,), tuple(range(1, 60))], ids=["in-length", "behind-length", "in-header", "octets"]
)
# The tester's TCP is made of segments of its own instead of the kernel's; the case may ask for them as `segments`.
in_segments = pytest.mark.in_segments


def both_families(function: F) -> F:
    """Make a case run over IPv4 and over IPv6, without its function having to know."""
    marked: F = pytest.mark.usefixtures("family")(pytest.mark.parametrize("family", FAMILIES, indirect=True)(function))
    return marked


def crosswise(function: F) -> F:
    """Make a case run with the IUT as offerer over IPv4 and as answerer over IPv6: each of either once."""
    pairs = list(zip(SIDES, FAMILIES, strict=True))
    vary = pytest.mark.parametrize(("side", "family"), pairs, indirect=["family"])
    marked: F = pytest.mark.usefixtures("family")(vary(function))
    return marked


def requirement(*identifiers: str, needs: str = "") -> Callable[[F], F]:
    """Mark a function as a case of these requirements.

    `needs` are further PICS conditions, separated by blanks ("offers:passive reports:data"); those of the
    requirements hold anyway. Raises at import for an unknown requirement or condition.
    """
    for identifier in identifiers:
        look_up(identifier)
    conditions = tuple(needs.split())
    check_conditions(conditions)
    mark = pytest.mark.requirement(*identifiers, needs=conditions)

    def decorate(function: F) -> F:
        marked: F = mark(function)
        return marked

    return decorate

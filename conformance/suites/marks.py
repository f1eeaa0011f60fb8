"""The marks of a case: the requirements that it tests, and the values that it runs with."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

from conformance.catalogue import requirement as look_up
from conformance.catalogue.capabilities import check_conditions
from conformance.suites.dimensions import EVERY_CUT as EVERY_CUT
from conformance.suites.dimensions import FAMILIES as FAMILIES
from conformance.suites.dimensions import SIDES as SIDES
from conformance.suites.dimensions import both_families as both_families
from conformance.suites.dimensions import both_sides as both_sides
from conformance.suites.dimensions import crosswise as crosswise
from conformance.suites.dimensions import varied as varied

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.verdict import Level

F = TypeVar("F", bound="Callable[..., None]")

OPENERS = [  # who opens the connections
    pytest.param("tester", marks=pytest.mark.requirement(needs=("offers:passive",))),
    pytest.param("IUT", marks=pytest.mark.requirement(needs=("connects:active",))),
]

by_openers = pytest.mark.parametrize("opener", OPENERS)

ends = pytest.mark.parametrize("end", ["FIN", "RST"])
in_pieces = pytest.mark.parametrize(
    "cut", [(1,), (2,), (12,), tuple(range(1, 60))], ids=["in-length", "behind-length", "in-header", "octets"]
)
_ACCEPTS, _OPENS = ("offers:passive",), ("connects:active",)
everywhere = pytest.mark.parametrize(  # of which connections the checks are judged
    "where",
    [
        pytest.param("opened", marks=pytest.mark.requirement(needs=_OPENS)),
        pytest.param("accepted", marks=pytest.mark.requirement(needs=_ACCEPTS)),
        pytest.param("components", marks=pytest.mark.requirement(needs=(*_ACCEPTS, "components:2"))),
        pytest.param("streams", marks=pytest.mark.requirement(needs=(*_ACCEPTS, "streams:2"))),
        pytest.param("restarted", marks=pytest.mark.requirement(needs=(*_ACCEPTS, "restart"))),
    ],
)
on_other_connections = pytest.mark.parametrize(  # on which further connections a check is answered
    "where",
    [
        pytest.param("opened", marks=pytest.mark.requirement(needs=_OPENS)),
        pytest.param("component", marks=pytest.mark.requirement(needs=(*_ACCEPTS, "components:2"))),
        pytest.param("so", marks=pytest.mark.requirement(needs=("offers:so",))),
        "selected",
        pytest.param("stream", marks=pytest.mark.requirement(needs=(*_ACCEPTS, "streams:2"))),
        pytest.param("relayed", marks=pytest.mark.requirement(needs=("tcp_relay",))),
        pytest.param("restarted", marks=pytest.mark.requirement(needs=(*_ACCEPTS, "restart"))),
    ],
)
# The tester's TCP is made of segments of its own instead of the kernel's; the case may ask for them as `segments`.
in_segments = pytest.mark.in_segments


def watches(seconds: float) -> pytest.MarkDecorator:
    """Mark a case, or one variant of it, that watches a clock of the protocol for so many seconds.

    Such cases begin first, so that a run takes as long as its longest clock and no longer. ``--quick`` leaves out those
    of more than four seconds.
    """
    return pytest.mark.watches(seconds)


def lasts(seconds: float) -> pytest.MarkDecorator:
    """Mark a case that lasts some seconds though it watches no clock: a hundred paced checks, several restarts.

    Such cases begin before others as well, and ``--quick`` leaves out those of more than four seconds.
    """
    return pytest.mark.lasts(seconds)


def requirement(*identifiers: str, needs: str = "", at: Level | None = None) -> Callable[[F], F]:
    """Mark a function as a case of these requirements.

    `at`: the level at which a failure counts, where it is weaker than the requirements' own: a MUST about a formula
    that is itself only recommended.

    `needs` are further PICS conditions, separated by blanks ("offers:passive reports:data"); those of the
    requirements hold anyway. Raises at import for an unknown requirement or condition.
    """
    for identifier in identifiers:
        look_up(identifier)
    conditions = tuple(needs.split())
    check_conditions(conditions)
    mark = pytest.mark.requirement(*identifiers, needs=conditions, at=at)

    def decorate(function: F) -> F:
        marked: F = mark(function)
        return marked

    return decorate

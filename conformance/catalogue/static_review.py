"""The static conformance review: what a declaration of capabilities leaves undone of what the RFCs ask for.

ISO/IEC 9646 has it before any case is run. A case that a "no" in the pics rules out is n/a; where an RFC asks for the
capability itself, the "no" is counted here, at the level of the sentence that asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.catalogue import requirement
from conformance.catalogue.capabilities import unmet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.catalogue.model import Requirement


@dataclass(frozen=True, slots=True)
class Demand:
    """A sentence that asks for capabilities.

    ``needs`` must all hold; "a|b" holds with either. ``given``: the declaration under which the sentence applies.
    """

    requirement: str
    needs: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A requirement that a declaration leaves unmet.

    ``lacks`` are the capabilities that are missing, "a or b" where either would do. ``declared`` tells whether the
    adapter says so itself; else the key is left out and has its default.
    """

    requirement: Requirement
    lacks: tuple[str, ...]
    declared: bool

    def __str__(self) -> str:
        says = "the pics say no" if self.declared else "the pics do not declare it"
        return f"{self.requirement.id} ({self.requirement.level.value}): {', '.join(self.lacks)}: {says}"


def _demand(identifier: str, needs: str, given: str = "") -> Demand:
    return Demand(identifier, tuple(needs.split()), tuple(given.split()))


_FULL = "agent:full"

DEMANDS: tuple[Demand, ...] = (
    _demand("RFC6544-4.1-01", "obeys:transports"),
    _demand("RFC6544-4.1-03", "offers:active", _FULL),
    _demand("RFC6544-4.1-04", "tcp_srflx|nat_assisted", _FULL),
    _demand("RFC6544-4.1-05", "tcp_relay", _FULL),
    _demand("RFC6544-4.1-06", "tcp_relay offers:active", _FULL),
    _demand("RFC6544-4.1-07", "tcp_relay", _FULL),
    _demand("RFC6544-5-01", "tcp_relay tcp_srflx|nat_assisted", _FULL),
    _demand("RFC6544-5-02", "families:4 families:6"),
    _demand("RFC6544-5.1-01", "offers:passive offers:so", _FULL),
    _demand("RFC6544-6.1-05", "agent:full", "payload:raw"),
    _demand("RFC6544-11.1-10", "restart", "agent:full connects:active"),
    _demand("RFC6544-11.2-04", "restart", "tcp_relay"),
    _demand("RFC8445-5.1.1.2-01", "tcp_srflx tcp_relay", _FULL),
    _demand("RFC8445-5.1.1.2-02", "tcp_srflx tcp_relay", _FULL),
    _demand("RFC3264-8-06", "updates", "sides:answerer"),
)


def review(pics: Mapping[str, object]) -> list[Gap]:
    """Return the requirements that a declaration leaves unmet, in the order of `DEMANDS`."""
    gaps = []
    for demand in DEMANDS:
        if unmet(demand.given, pics):
            continue
        lacking = [need for need in demand.needs if unmet([need], pics)]
        if lacking:
            declared = all(_key(atom) in pics for need in lacking for atom in need.split("|"))
            words = tuple(" or ".join(_words(atom) for atom in need.split("|")) for need in lacking)
            gaps.append(Gap(requirement(demand.requirement), words, declared))
    return gaps


def _key(atom: str) -> str:
    return atom.partition(":")[0]


def _words(atom: str) -> str:
    return atom.replace(":", " ")

"""The shape of a requirement, and of the sentences that are none for an ICE-TCP agent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LEVELS = {
    "MUST": Level.MUST,
    "MUST NOT": Level.MUST,
    "REQUIRED": Level.MUST,
    "SHALL": Level.MUST,
    "SHALL NOT": Level.MUST,
    "SHOULD": Level.SHOULD,
    "SHOULD NOT": Level.SHOULD,
    "RECOMMENDED": Level.SHOULD,
    "NOT RECOMMENDED": Level.SHOULD,
    "MAY": Level.MAY,
    "OPTIONAL": Level.MAY,
}
KEYWORDS = tuple(_LEVELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One normative sentence, or one behaviour that the RFC states without a key word (level STATED).

    ``id`` is RFC, section and the sentence's ordinal in its section ("RFC6544-7.2-01"), for stated behaviour an
    ordinal of its own row ("RFC6544-6.2-s01"); neither is ever renumbered. ``text`` is our paraphrase. ``binds``
    names who must do it. ``pics`` are conditions under which it applies (see `capabilities`). ``predecessor`` is the
    clause that said the same before, where the RFC replaced another; ``successor`` is the clause that replaced what
    the sentence cites. ``note`` records lawful ambiguity: every reading in it is accepted. ``untestable`` is the
    reason why no black box can test it, and empty for all others. ``repeats`` are the requirements that say the same,
    in the RFC that states it or in another sentence: their cases judge it, and cite it second.
    """

    id: str
    title: str
    text: str
    keywords: tuple[str, ...] = ()
    binds: str = "agent"
    pics: tuple[str, ...] = ()
    predecessor: str = ""
    successor: str = ""
    note: str = ""
    untestable: str = ""
    repeats: tuple[str, ...] = ()

    @property
    def rfc(self) -> str:
        """The RFC, as "RFC6544"."""
        return self.id.split("-")[0]

    @property
    def section(self) -> str:
        """The section's number, as "7.2"."""
        return self.id.split("-")[1]

    @property
    def level(self) -> Level:
        """The level of the strongest key word; STATED without one."""
        if not self.keywords:
            return Level.STATED
        return min((_LEVELS[keyword] for keyword in self.keywords), key=list(Level).index)


def requirement(
    identifier: str,
    keywords: str,
    title: str,
    text: str,
    *,
    binds: str = "agent",
    pics: str = "",
    predecessor: str = "",
    successor: str = "",
    note: str = "",
    untestable: str = "",
    repeats: str = "",
) -> Requirement:
    """Return a requirement; `keywords` are joined by "+", `pics` conditions and `repeats` by blanks."""
    return Requirement(
        id=identifier,
        title=title,
        text=text,
        keywords=tuple(keywords.split("+")) if keywords else (),
        binds=binds,
        pics=tuple(pics.split()),
        predecessor=predecessor,
        successor=successor,
        note=note,
        untestable=untestable,
        repeats=tuple(repeats.split()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Normative sentences of one section that are no requirements of an ICE-TCP agent, with the reason.

    ``sentences`` are their ordinals; None stands for all sentences of the section and of the sections in it.
    """

    rfc: str
    section: str
    sentences: frozenset[int] | None
    reason: str

    def holds(self, rfc: str, section: str, ordinal: int) -> bool:
        """Whether it excludes this sentence."""
        if self.rfc != rfc:
            return False
        if self.sentences is None:
            return section == self.section or section.startswith(f"{self.section}.")
        return section == self.section and ordinal in self.sentences


def excluded(section: str, sentences: str, reason: str) -> Exclusion:
    """Return an exclusion of "RFC8489-6.1"; `sentences` are ordinals such as "2 5-8", or "all"."""
    rfc, _, number = section.partition("-")
    ordinals: set[int] = set()
    for part in [] if sentences == "all" else sentences.split():
        first, _, last = part.partition("-")
        ordinals |= set(range(int(first), int(last or first) + 1))
    return Exclusion(
        rfc=rfc, section=number, sentences=None if sentences == "all" else frozenset(ordinals), reason=reason
    )


def with_predecessors(rows: Iterable[Requirement], clauses: Mapping[str, str]) -> tuple[Requirement, ...]:
    """Return the rows with the predecessor of their section, where they name none themselves.

    `clauses` are by section; a section without an entry takes that of the section around it.
    """
    return tuple(
        row if row.predecessor else replace(row, predecessor=_of_section(row.section, clauses)) for row in rows
    )


def _of_section(section: str, clauses: Mapping[str, str]) -> str:
    while section:
        if section in clauses:
            return clauses[section]
        section = section.rpartition(".")[0]
    return ""

"""The shape of a requirement."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.verdict import Level

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One normative sentence, or one behaviour that the RFC states without a key word (level STATED).

    ``id`` is RFC, section and the sentence's ordinal in its section ("RFC6544-7.2-01"), for stated behaviour an
    ordinal of its own row ("RFC6544-6.2-s01"); neither is ever renumbered. ``text`` is our paraphrase. ``binds``
    names who must do it. ``pics`` are conditions under which it applies (see `capabilities`). ``successor`` is the
    clause that replaced what the sentence cites. ``note`` records lawful ambiguity: every reading in it is accepted.
    ``untestable`` is the reason why no black box can test it, empty for all that one can.
    """

    id: str
    title: str
    text: str
    keywords: tuple[str, ...]
    binds: str
    pics: tuple[str, ...]
    successor: str
    note: str
    untestable: str

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
    successor: str = "",
    note: str = "",
    untestable: str = "",
) -> Requirement:
    """Return a requirement; `keywords` are joined by "+", `pics` conditions by blanks."""
    return Requirement(
        id=identifier,
        title=title,
        text=text,
        keywords=tuple(keywords.split("+")) if keywords else (),
        binds=binds,
        pics=tuple(pics.split()),
        successor=successor,
        note=note,
        untestable=untestable,
    )

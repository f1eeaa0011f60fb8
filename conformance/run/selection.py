"""Which cases the user's filters select, and which of the filters select nothing."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.catalogue import REQUIREMENTS
from conformance.suites.former_ids import today
from conformance.verdict import Level, case_name, is_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.run.case import Case

_ORDER = list(Level)
_MOST_NEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which cases are wanted. An empty filter wants all.

    `sections`: the case is in one of them: "RFC4571-2", or "7.2" of RFC 6544. `level`: at least as strong. `cases`:
    ids, with or without a variant; a rule of the judge selects all cases, because it is checked in every capture.
    `requirements`: the case tests one of them.
    """

    sections: Sequence[str] = ()
    level: str | None = None
    cases: Sequence[str] = ()
    requirements: Sequence[str] = ()

    def holds(self, case: Case) -> bool:
        """Whether a case is wanted."""
        if self.level is not None and _ORDER.index(case.level) > _ORDER.index(Level(self.level)):
            return False
        cases = [asked for asked in self.cases if not _is_rule(asked)]
        if cases and not {case.id, case_name(case.id)} & {new for asked in cases for new in today(asked)}:
            return False
        if self.requirements and not set(case.requirements) & set(self.requirements):
            return False
        return not self.sections or any(in_section(case.section, asked) for asked in self.sections)

    def unmatched(self, every: Sequence[Case]) -> list[str]:
        """Return, for each filter that selects nothing, what is wrong with it and which names come nearest."""
        problems = []
        some = any(self.holds(case) for case in every)  # else it is the filters together that select nothing
        for option, value, alone, here in self._single():
            if not any(alone.holds(case) for case in every):
                problems.append(f"{option} {shown(value)} matches nothing{_hint(option, value, every)}")
            elif some and not any(here.holds(case) for case in every):
                problems.append(f"{option} {shown(value)} matches nothing together with the other filters")
        return problems

    def _single(self) -> Iterator[tuple[str, str, Wish, Wish]]:
        """Give each filter with its value, the wish of it alone, and that of it with those of the other options."""
        for value in dict.fromkeys(self.sections):
            yield "--section", value, Wish(sections=(value,)), replace(self, sections=(value,))
        for value in dict.fromkeys(self.requirements):
            yield "--requirement", value, Wish(requirements=(value,)), replace(self, requirements=(value,))
        for value in dict.fromkeys(self.cases):
            yield "--case", value, Wish(cases=(value,)), replace(self, cases=(value,))


def _is_rule(asked: str) -> bool:
    if not is_rule(asked):
        return False
    from conformance.judge import rule_of  # only who asks for a rule waits for its import

    return rule_of(asked) is not None


def _rules(asked: str) -> list[str]:
    """Return the ids of the judge's rules where one of them is meant."""
    if "judge_" not in asked:
        return []
    from conformance.judge import RULES  # see above

    return [rule.id for rule in RULES]


def in_section(section: str, asked: str) -> bool:
    """Whether "RFC6544-7.2" is, or lies in, the section asked for: "RFC6544-7", "RFC6544", or "7.2" of RFC 6544."""
    rfc, _, number = section.partition("-")
    asked = re.sub(r"\s+", "", asked).upper()
    document, _, within = asked.partition("-")
    if not asked:
        return False
    if document != rfc:
        if rfc != "RFC6544":
            return False
        within = asked
    return not within or number == within or number.startswith(f"{within}.")


def nearest(asked: str, names: Iterable[str]) -> list[str]:
    """Return the names that look most like what was asked for: those that hold it, else the most similar."""
    known = {name.lower(): name for name in names}
    asked = asked.lower()
    holding = [name for name in known if asked in name]
    matches = holding[:_MOST_NEAR] or difflib.get_close_matches(asked, list(known), _MOST_NEAR, 0.5)
    return [known[match] for match in matches]


def shown(value: str, widest: int = 100) -> str:
    """Return a user's text on one line, without control characters."""
    words = " ".join(value.split())
    text = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in words)
    return text if len(text) <= widest else text[: widest - 3] + "..."


def _hint(option: str, value: str, every: Sequence[Case]) -> str:
    if option == "--requirement":
        known = REQUIREMENTS.get(value)
        if known is not None:
            return f": no case tests it ({known.untestable or 'pending'})"
        names: Iterable[str] = dict.fromkeys(identifier for case in every for identifier in case.requirements)
        see = "icetcp list --requirements"
    elif option == "--case":
        name, bracket, _ = value.partition("[")
        variants = [case.id for case in every if bracket and case_name(case.id) == name]
        names = variants or [*dict.fromkeys(case_name(case.id) for case in every), *_rules(value)]
        see = "icetcp list --variants" if variants else "icetcp list"
    else:
        names, see = dict.fromkeys(case.section for case in every), "icetcp list"
    near = nearest(value, names)
    return f"; nearest: {', '.join(near)}" if near else f"; see {see}"

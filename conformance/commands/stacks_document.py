"""The list of what real stacks do otherwise than the RFCs ask, as Markdown, from the expectations of each stack."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from conformance.catalogue import REQUIREMENTS
from conformance.iut import stacks as registry
from conformance.judge import rule_of
from conformance.run.discovery import discover
from conformance.suites.dimensions import usual_form
from conformance.verdict import case_name, is_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARKER = "<!-- what follows is written by: icetcp stacks document --write docs/stacks.md -->\n"
_WHOSE = re.compile(
    r"#\s*Deviations of (.+?), (each confirmed|most of them confirmed|some of them confirmed|as the verdicts)"
)
_HOW = {
    "most of them confirmed": "Most of these were confirmed in a capture, the others stand by their verdicts.",
    "some of them confirmed": "Some of these were confirmed in a capture, the others stand by their verdicts.",
    "as the verdicts": "These stand by the verdicts of a quick run: not each was read in its capture.",
}
_ORDER = ("RFC6544", "RFC4571", "RFC8445", "RFC8489")
_HEAD = "| requirement | | what it does | seen in |\n|---|---|---|---|\n"
_INTRODUCTION = """
## What they do otherwise

A line is the requirement that a case tests, what the stack does, and the case or variant that shows it. It was
confirmed in a capture, unless the stack's heading says otherwise. *not judged* marks cases that the stack keeps from
their end. `icetcp show REQUIREMENT` prints what is asked. "and n more" counts the further cases and variants with the
same evidence; `expectations.toml` of the stack names them. To see a line again:

<!-- test: prose STACK and CASE stand for what the lists name -->

```sh
icetcp run --iut STACK --case CASE
```
"""


def document() -> str:
    """Return the list."""
    cited = _cited()
    parts = [MARKER, _INTRODUCTION]
    for name in registry.names():
        lines = sorted(_lines(name, cited))
        if lines:
            how = f"{_how(name)}\n\n" if _how(name) else ""
            parts.append(
                f"\n### {name}: {_whose(name)}\n\n{how}| requirement | | what it does | seen in |\n|---|---|---|---|\n"
            )
            parts += [line for _, line in lines]
    return "".join(parts)


def written(before: str) -> str:
    """Return a document with the list in the place of the one that it has."""
    return before.partition(MARKER)[0].rstrip("\n") + "\n\n" + document()


def _cited() -> Mapping[str, str]:
    """Return the requirement that each case cites first."""
    return {case_name(case.id): case.requirements[0] for case in discover().every}


def _text(name: str) -> str:
    folder = registry.folder(name)
    file = folder.joinpath("expectations.toml")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _whose(name: str) -> str:
    """Return whose deviations they are: the stack with its version, as the file says in its first line."""
    found = _WHOSE.match(_text(name))
    return found[1] if found else registry.description(name).title


def _how(name: str) -> str:
    """Return what the lines of a stack rest on, where it is not a capture that was read for each."""
    found = _WHOSE.match(_text(name))
    return _HOW.get(found[2], "") if found else ""


def _lines(name: str, cited: Mapping[str, str]) -> Iterator[tuple[tuple[Any, ...], str]]:
    for entry in tomllib.loads(_text(name)).get("deviation", []):
        groups: dict[str, list[str]] = {}
        for identifier in entry["cases"]:
            groups.setdefault(_requirement(identifier, cited), []).append(identifier)
        for requirement, identifiers in groups.items():
            yield _key(requirement, identifiers[0]), _line(entry, requirement, identifiers)


def _line(entry: Mapping[str, Any], requirement: str, identifiers: list[str]) -> str:
    level = REQUIREMENTS[requirement].level.value.upper() if requirement in REQUIREMENTS else ""
    if entry.get("verdict", "fail") != "fail":
        level += ", not judged"
    evidence = str(entry.get("evidence") or entry.get("reason", "")).replace("|", "\\|")
    more = f" (and {len(identifiers) - 1} more)" if len(identifiers) > 1 else ""
    return f"| {requirement} | {level} | {evidence} | {_seen_in(identifiers[0])}{more} |\n"


def _seen_in(identifier: str) -> str:
    """Return the case in which it is seen; a rule is held against the captures of all cases."""
    return f"all captures, by the rule `{identifier}`" if is_rule(identifier) else f"`{identifier}`"


def _requirement(identifier: str, cited: Mapping[str, str]) -> str:
    rule = rule_of(identifier)
    if rule is not None:
        return rule.requirement
    return cited.get(case_name(identifier)) or cited.get(case_name(usual_form(identifier)), case_name(identifier))


def _key(requirement: str, identifier: str) -> tuple[Any, ...]:
    rfc = requirement.partition("-")[0]
    order = _ORDER.index(rfc) if rfc in _ORDER else len(_ORDER)
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", requirement)]
    return order, parts, identifier

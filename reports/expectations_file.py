"""Writing a file of known failures: new ones are added, those that are none any more go, comments stay."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from conformance.verdict import Verdict, case_name
from reports.expectations import Expectations, parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from conformance.verdict import Result

_HEADER = "# Known failures. Each has a reason, and should have an owner, a link and the day on which it expires.\n"
_BLOCK = re.compile(r"^\[\[deviation\]\]", re.MULTILINE)
_LISTED = re.compile(r'^cases\s*=\s*\[(?:[^\]"#]|"[^"\n]*"|#[^\n]*)*\]', re.MULTILINE)  # ids have brackets too
_SHORTEST = 12  # characters of a message that is worth to be looked for


def updated(
    text: str, known: Expectations, results: Sequence[Result], *, shrink: bool, partial: bool, today: date
) -> str:
    """Return a file's text with the failures of a run; with `shrink` nothing is added.

    Ids that pass are removed, and ids that nothing has judged unless the run was `partial`.
    """
    gone = {result.case.partition("/")[2] for result in known.verdicts(results, partial=partial)}
    blocks = [_without(block, gone) for block in _blocks(text)]
    kept = "".join(block for block in blocks if block is not None)
    if shrink:
        return kept
    left = Expectations(parse(kept), known.forms)
    new = [
        result for result in results if result.verdict in (Verdict.FAIL, Verdict.INCONC) and not _is_known(left, result)
    ]
    return (kept or _HEADER) + "".join(_entries(new, results, today, partial=partial))


def write(path: Path, text: str) -> None:
    """Replace the file whole."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def stable(message: str) -> str:
    """Return the part of a reason that does not change from run to run: what stands before its first number."""
    found = re.split(r"\d|0x|'|\"", message, maxsplit=1)[0].rstrip(" ([-:,<>=#")
    return found if len(found) >= _SHORTEST else ""


def _is_known(known: Expectations, result: Result) -> bool:
    entry = known.of(result)
    return entry is not None and entry.explains(result)


def _blocks(text: str) -> list[str]:
    """Return a file's text in parts: what stands before the first entry, then each with the comments above it."""
    starts = []
    for match in _BLOCK.finditer(text):
        start = match.start()
        while (line := text[:start].rpartition("\n")[0].rpartition("\n")[2]).startswith("#") and start:
            start -= len(line) + 1
        starts.append(start)
    if not starts:
        return [text]
    ends = [*starts[1:], len(text)]
    return [text[: starts[0]], *(text[start:end] for start, end in zip(starts, ends, strict=True))]


def _without(block: str, gone: set[str]) -> str | None:
    """Return an entry without these ids; nothing if none is left."""
    listed = _LISTED.search(block)
    if listed is None or not gone & set(ids_in(listed[0])):
        return block
    left = [identifier for identifier in ids_in(listed[0]) if identifier not in gone]
    if not left:
        return None
    lines = []
    for line in listed[0].splitlines(keepends=True):
        for identifier in gone:
            line = re.sub(rf'"{re.escape(identifier)}"\s*,?\s?', "", line)
        if line.strip() and not line.strip().startswith("#,"):
            lines.append(line)
    return block[: listed.start()] + "".join(lines) + block[listed.end() :]


def ids_in(text: str) -> list[str]:
    """Return the ids that stand in a list."""
    return re.findall(r'"([^"\n]*)"', "\n".join(line.partition("#")[0] for line in text.splitlines()))


def _entries(new: Sequence[Result], results: Sequence[Result], today: date, *, partial: bool) -> list[str]:
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for result in new:
        groups[result.verdict.value, stable(result.reason)].append(result.case)
    variants: defaultdict[str, set[str]] = defaultdict(set)
    for result in results:
        if result.verdict is not Verdict.NOT_APPLICABLE:
            variants[case_name(result.case)].add(result.case)
    return [
        _entry(verdict, message, ids if partial else _shortened(ids, variants), today)
        for (verdict, message), ids in groups.items()
    ]


def _shortened(ids: Sequence[str], variants: dict[str, set[str]]) -> list[str]:
    """Return a case's id for all of its variants where all of them are meant."""
    short = [case_name(one) if variants[case_name(one)] <= set(ids) else one for one in ids]
    return list(dict.fromkeys(short))


def _entry(verdict: str, message: str, ids: Sequence[str], today: date) -> str:
    lines = ["", "[[deviation]]", f'verdict = "{verdict}"', "cases = ["]
    lines += [f"    {json.dumps(one)}," for one in ids]
    lines += ["]", f'reason = "not yet explained, found on {today}"']
    lines += [f"message = {json.dumps(message, ensure_ascii=False)}"] if message else []
    return "\n".join(lines) + "\n"

"""report.html: causes, summary, every requirement, every variant, in one file that opens from a mail attachment.

What everybody reads (causes, summary, requirements, the list of variants) is plain HTML. What belongs to one variant
(its exchange, messages, log and capture) is packed: some variants together are one deflated block of JSON, which the
page unpacks when somebody opens one of them. So the page opens at once, however many variants there are.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from conformance.verdict import Level, Result, Verdict, case_name, is_rule
from reports import html, reach
from reports.causes import Cause, in_words, natural
from reports.expectations import SECTION
from reports.html.sequence import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from reports.record import RunInfo

NAME = "report.html"
_IN_A_BLOCK = 40  # variants: larger blocks are smaller together, and take longer to open
_MOST_OF_LOG = 60_000  # characters
_MOST_OF_CAPTURE = 300_000  # octets that the page holds of one capture
_NON_PASSES = (Verdict.FAIL, Verdict.INCONC, Verdict.ERROR, Verdict.NONE)
_WORST = ("error", "fail", "known", "inconc", "none", "pass", "n/a")
_SHOWN = ("pass", "fail", "known", "inconc", "error", "none", "n/a")
_PLACE = re.compile(r"RFC(\d+)-([\w.]+)-(s?)(\d+)")
_RFC = "https://www.rfc-editor.org/rfc"


@dataclass(frozen=True, slots=True)
class Asked:
    """A requirement, as the page shows it. ``status``: tested, untestable or pending."""

    id: str
    level: str
    title: str
    text: str
    note: str = ""
    untestable: str = ""
    status: str = "tested"

    @property
    def section(self) -> str:
        """RFC and section: "RFC6544-7.2"."""
        return self.id.rpartition("-")[0]

    @property
    def place(self) -> str:
        """Where it stands: "RFC 6544, section 7.2, sentence 3"."""
        return place(self.id)

    @property
    def link(self) -> str:
        """The section at the RFC editor's; nothing for a document of a vendor's own."""
        return link(self.section)


@dataclass(slots=True)
class Contents:
    """What the page is made of.

    ``exchanges`` are JSON of `sequence.Exchange` by variant, ``purposes`` by case. ``changes`` says how the verdict of
    a variant changed since the run that is called ``against``. ``whole``: captures and logs of variants that pass are
    packed too; else the page links to the files in the run's folder.
    """

    run: RunInfo
    results: Sequence[Result]
    causes: Sequence[Cause]
    requirements: Sequence[Asked]
    folder: Path
    exchanges: Mapping[str, bytes] = field(default_factory=dict)
    purposes: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    against: str = ""
    whole: bool = False
    judgement: str = ""


def page(contents: Contents) -> str:
    """Return the page."""
    results = [result for result in contents.results if result.section != SECTION]
    results.sort(key=lambda result: _order(result.case))
    owners = _owners(results, whole=contents.whole)
    with ThreadPoolExecutor(1, "pack") as packing:  # on another core, while the rest is made
        blocks = [
            packing.submit(_packed, _block(results[at : at + _IN_A_BLOCK], contents, owners))
            for at in range(0, len(results), _IN_A_BLOCK)
        ]
        return _rendered(results, contents, blocks)


def _rendered(results: list[Result], contents: Contents, blocks: Iterable[Future[str]]) -> str:
    shown = [_row(number, result, contents) for number, result in enumerate(results)]
    by_requirement = _by_requirement(results)
    requirements = [_requirement(asked, by_requirement) for asked in contents.requirements]
    return html.render(
        "report.html.j2",
        ("exchange.js", "report.js"),
        run=contents.run,
        iut=f"{contents.run.iut} {contents.run.iut_version}".strip(),
        started=_date(contents.run.started),
        judgement=contents.judgement,
        against=contents.against,
        counts=_counts(results),
        facts=_facts(contents.run, results),
        causes=[_cause(cause, contents, by_requirement) for cause in contents.causes],
        rfcs=_rfcs(requirements),
        levels=_levels(requirements),
        groups=_groups(requirements),
        rows=shown,
        sections=_sections(row["section"] for row in shown),
        rfc_sections=_sections(row["asked"].section for row in requirements),
        marks={name: html.part("components.html.j2", "verdict", name) for name in _WORST},
        changes=sorted(set(contents.changes.values())),
        blocks=(block.result() for block in blocks),  # the last of what the page holds
        expectations=[result for result in contents.results if result.section == SECTION],
        total=len(requirements),
    )


# -- the list of variants ----------------------------------------------------------------------------------------------


def word(result: Result) -> str:
    """Return a verdict as it is shown: a known failure is one of its own."""
    return "known" if result.known else result.verdict.value


def _row(number: int, result: Result, contents: Contents) -> dict[str, Any]:
    bad = result.verdict in _NON_PASSES
    return {
        "id": result.case,
        "verdict": word(result),
        "level": result.level.value,
        "section": result.section,
        "reason": result.reason[:300] if bad else "",
        "asked": " ".join(result.requirements),
        "change": contents.changes.get(result.case, ""),
        "block": number // _IN_A_BLOCK,
        "index": number % _IN_A_BLOCK,
    }


def _counts(results: Iterable[Result]) -> dict[str, int]:
    counted = Counter(word(r) for r in results if not (is_rule(r.case) and r.verdict is Verdict.PASS))
    return {
        name: counted[name] for name in ("pass", "fail", "known", "inconc", "error", "none", "n/a") if counted[name]
    }


def _sections(sections: Iterable[str]) -> list[str]:
    names = set(sections)
    return sorted(names | {name.partition("-")[0] for name in names}, key=_order)


# -- what belongs to one variant ---------------------------------------------------------------------------------------


def _owners(results: Iterable[Result], *, whole: bool) -> dict[str, str]:
    """Return by capture the variant with which it is packed: several rules may be broken in one capture."""
    found: dict[str, str] = {}
    for result in sorted(results, key=lambda result: is_rule(result.case)):
        if result.capture and (whole or result.verdict in _NON_PASSES):
            found.setdefault(result.capture, result.case)
    return found


def _block(results: Sequence[Result], contents: Contents, owners: Mapping[str, str]) -> bytes:
    """Return some variants as JSON."""
    parts = [msgspec.json.encode(_detail(result, contents, owners)) for result in results]
    # The exchanges are JSON already: they are put in, not read and written again.
    for number, result in enumerate(results):
        exchange = contents.exchanges.get(result.case, b"null")
        parts[number] = parts[number][:-1] + b',"exchange":' + exchange + b"}"
    return b"[" + b",".join(parts) + b"]"


def _packed(block: bytes) -> str:
    """Return a block as the page holds it: deflated, in base64."""
    return base64.b64encode(zlib.compress(block)).decode()


def _detail(result: Result, contents: Contents, owners: Mapping[str, str]) -> dict[str, Any]:
    whole = contents.whole or result.verdict in _NON_PASSES
    owner = owners.get(result.capture, "") if whole else ""
    octets = _octets(contents.folder / result.capture) if owner == result.case else None
    log = contents.folder / result.log if result.log else None
    found = {
        "title": result.title,
        "purpose": contents.purposes.get(case_name(result.case), ""),
        "requirements": result.requirements,
        "cause": result.cause,
        "known": result.known,
        "reason": result.reason,
        "expected": result.expected,
        "actual": result.actual,
        "note": result.note,
        "parameters": ", ".join(f"{name} {value}" for name, value in result.parameters.items()),
        "broken": [[breach.requirement, breach.title, breach.reason] for breach in result.broken],
        "executions": result.executions,
        "started": _date(result.started),
        "duration": f"{result.duration:.3f} s",
        "seed": result.seed,
        "repeat": result.repeat,
        "log": _text(log) if log is not None and whole else None,
        "logfile": result.log,
        "capture": octets.hex() if octets is not None else None,
        "captureof": owner if owner != result.case else "",
        "capturefile": result.capture,
    }
    if result.case not in contents.exchanges and result.ladder:
        found["ladder"] = result.ladder
    return {name: value if name == "capture" else _shown(value) for name, value in found.items()}


def _shown(value: Any) -> Any:
    return [_shown(each) for each in value] if isinstance(value, list | tuple) else html.shown(value)


def _octets(path: Path) -> bytes | None:
    try:
        octets = path.read_bytes()
    except OSError:
        return None
    return octets if len(octets) <= _MOST_OF_CAPTURE else None


def _text(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    if len(text) <= _MOST_OF_LOG:
        return text
    half = _MOST_OF_LOG // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters are left out; the file has them …\n{text[-half:]}"


# -- causes ------------------------------------------------------------------------------------------------------------


def _cause(cause: Cause, contents: Contents, by_requirement: Mapping[str, list[Result]]) -> dict[str, Any]:
    del by_requirement
    first = next(result for result in contents.results if result.case == cause.first)
    asked = next((asked for asked in contents.requirements if asked.id == cause.requirement), None)
    exchange = contents.exchanges.get(cause.first)
    drawings = msgspec.json.decode(exchange, type=Exchange).drawings if exchange else []
    verdict = "known" if cause.known else "fail" if cause.failed or cause.kind == "rule" else first.verdict.value
    return {
        "cause": cause,
        "asked": asked,
        "first": first,
        "verdict": verdict,
        "words": in_words(cause),
        "drawings": drawings if len(drawings) == 1 else [drawing for drawing in drawings if 'class="bad"' in drawing],
        "title": asked.title if asked is not None else cause.text,
    }


# -- requirements ------------------------------------------------------------------------------------------------------


def _by_requirement(results: Iterable[Result]) -> dict[str, list[Result]]:
    found: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        for requirement in result.requirements:
            found[requirement].append(result)
    return dict(found)


def _requirement(asked: Asked, by_requirement: Mapping[str, list[Result]]) -> dict[str, Any]:
    cited = by_requirement.get(asked.id, [])
    worst = min((word(result) for result in cited), key=_WORST.index, default="")
    cases: dict[str, Counter[str]] = {}
    for result in cited:
        cases.setdefault(case_name(result.case), Counter())[word(result)] += 1
    status = worst or asked.status
    if worst == "n/a":
        status = "not judged"
    return {
        "asked": asked,
        "verdict": worst if worst != "n/a" else "n/a",
        "status": status if status != "tested" else "not judged",
        "judged": any(result.verdict in (Verdict.PASS, Verdict.FAIL) for result in cited),
        "cases": [(name, min(verdicts, key=_WORST.index), sum(verdicts.values())) for name, verdicts in cases.items()],
    }


def _groups(requirements: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in requirements:
        groups[row["asked"].section].append(row)
    return {section: groups[section] for section in sorted(groups, key=_order)}


def _rfcs(requirements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return sums for each RFC and, below it, for each of its sections."""
    rows = []
    groups = _groups(requirements)
    for rfc in sorted({section.partition("-")[0] for section in groups}, key=_order):
        own = {section: rows for section, rows in groups.items() if section.partition("-")[0] == rfc}
        rows.append({"name": rfc, "link": link(rfc), **_sums(row for listed in own.values() for row in listed)})
        rows[-1]["sections"] = [{"name": section, "link": link(section), **_sums(own[section])} for section in own]
    return rows


def _levels(requirements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": level.value.upper(), **_sums(row for row in requirements if row["asked"].level == level.value)}
        for level in Level
    ]


def _sums(requirements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    rows = list(requirements)
    verdicts = Counter(row["verdict"] for row in rows)
    tested = sum(row["asked"].status == "tested" for row in rows)
    judged = sum(row["judged"] for row in rows)
    return {
        "all": len(rows),
        "tested": tested,
        "judged": judged,
        "share": f"{100 * judged / tested:.0f} %" if tested else "",
        **{name: verdicts[name] for name in ("pass", "fail", "known", "inconc", "error")},
    }


# -- words -------------------------------------------------------------------------------------------------------------


def place(requirement: str) -> str:
    """Return where a requirement stands: "RFC 6544, section 7.2, sentence 3"."""
    found = _PLACE.fullmatch(requirement)
    if found is None:
        return requirement
    rfc, section, stated, ordinal = found.groups()
    what = f"statement {int(ordinal)} without a key word" if stated else f"normative sentence {int(ordinal)}"
    return f"RFC {rfc}, section {section}, {what}"


def link(section: str) -> str:
    """Return where a section, or a whole RFC, can be read; nothing for a document of a vendor's own."""
    if re.match(r"RFC\d+", section) is None:
        return ""
    rfc, _, number = section.lower().partition("-")
    return f"{_RFC}/{rfc}.html" + (f"#section-{number}" if number else "")


def _order(section: str) -> tuple[bool, list[tuple[int, int | str]]]:
    """Sort RFC 6544 before what it stands on."""
    return not section.startswith("RFC6544"), natural(section)


def _facts(run: RunInfo, results: Sequence[Result]) -> list[tuple[str, str]]:
    variants = [result.case for result in results if not is_rule(result.case)]
    return [
        ("Implementation under test", f"{run.iut} {run.iut_version}".strip()),
        ("Suite", f"icetcp {run.icetcp_version}"),
        ("Executed", f"{len(variants):,} variants of {len(set(map(case_name, variants))):,} cases"),
        ("Judged", reach.told(run)),
        ("Catalogue", f"{run.requirements} requirements, {run.pending} without a case yet" if run.requirements else ""),
        ("Begun", _date(run.started)),
        ("Took", f"{run.duration:.1f} s" if run.duration else ""),
        ("Link and seed", f"{run.link}, seed {run.seed}"),
        ("Machine", f"{run.platform}, Python {run.python}"),
        ("Selection", "a part of the suite" if run.partial else ""),
        ("End", "interrupted: the verdicts are those until then" if run.interrupted else ""),
        ("Command", run.command_line),
    ]


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if seconds else ""


def write(contents: Contents, path: Path | None = None) -> Path:
    """Write the page into the run's folder, or to `path`. Raises `OSError`."""
    path = path or contents.folder / NAME
    html.write(path, page(contents))
    return path

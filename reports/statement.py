"""The conformance statement of a run: what was judged and how, what came of it, and SHA-256 of all evidence.

`statement.json` is for programs and can be verified against the run's folder: every file in it is listed with its
digest, so that a file that is missing, was changed or came in addition is told. The statement has a digest of its own,
over everything else in it. Signing that digest shows who vouches for the statement.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from conformance.verdict import Result, Verdict, case_name, is_rule
from reports import causes as grouping
from reports.expectations import SECTION
from reports.record import ReportError, printable, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from reports.record import RunInfo

NAME, PAGE, RECORD = "statement.json", "statement.html", "record.jsonl"
_VERSION = 1
_APART = ("digest", "page")  # not part of what the digest is of
_NOT_EVIDENCE = (NAME, PAGE, ".icetcp-run")
_OTHER_RUNS = "repeat"  # the folder of repeated cases: a run of its own
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Tampering:
    """What is wrong with a statement or its evidence. ``kind``: missing, changed, extra, unreadable, edited, untrue."""

    kind: str
    name: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}{f' ({self.text})' if self.text else ''}"


def make(
    folder: Path,
    run: RunInfo,
    results: Sequence[Result],
    pics: Mapping[str, Any],
    catalogue: Mapping[str, Any],
    judgement: str,
) -> dict[str, Any]:
    """Return the statement of a run, without its digest. Raises `ReportError`.

    `pics` is the PICS proforma, `catalogue` tells which requirements there were, `judgement` what it came to in words.
    """
    body = {
        "statement": _VERSION,
        "implementation": {"name": run.iut, "version": run.iut_version, "command": run.command},
        "judgement": judgement,
        "suite": {"icetcp": run.icetcp_version, "catalogue": dict(catalogue)},
        "pics": dict(pics),
        "pixit": {"deadlines": run.pixit, "seed": run.seed, "link": run.link, "command": run.command_line},
        "environment": {"python": run.python, "platform": run.platform},
        "started": run.started,
        "duration": run.duration,
        "complete": not run.interrupted and not run.partial,
        "limits": [text for text, so in (("interrupted", run.interrupted), ("a part of the suite", run.partial)) if so],
        "judged": {"requirements": run.judged_requirements, "testable": run.testable, "not_applicable": run.not_judged},
        **derived(results, run),
        "evidence": evidence(folder),
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(printable(body)))
    return plain


def derived(results: Sequence[Result], run: RunInfo) -> dict[str, Any]:
    """Return what follows from the record alone: verification derives it again."""
    variants = [result for result in results if result.section != SECTION]
    counted = Counter(
        "known" if r.known else r.verdict.value for r in variants if not (is_rule(r.case) and r.verdict is Verdict.PASS)
    )
    found = grouping.of_data(run.causes)
    return {
        "cases": len({case_name(r.case) for r in variants if not is_rule(r.case)}),
        "variants": sum(not is_rule(r.case) for r in variants),
        "verdicts": dict(sorted(counted.items())),
        "requirements": _requirements(variants),
        "causes": [
            {"id": c.id, "title": c.title, "known": c.known, "variants": len(c.variants), "words": grouping.in_words(c)}
            for c in found
        ],
    }


def _requirements(results: Iterable[Result]) -> dict[str, str]:
    """Return the worst verdict about each requirement."""
    found: dict[str, Verdict] = {}
    for result in results:
        for requirement in result.requirements:
            found[requirement] = result.verdict.worse(found.get(requirement, Verdict.NOT_APPLICABLE))
    return {requirement: found[requirement].value for requirement in sorted(found)}


# -- evidence ----------------------------------------------------------------------------------------------------------


def evidence(folder: Path) -> dict[str, dict[str, Any]]:
    """Return every file of a run's folder with its size and SHA-256. Raises `ReportError`."""
    try:
        return {name: {"size": path.stat().st_size, "sha256": _sha256(path)} for name, path in _files(folder)}
    except OSError as error:
        raise ReportError(f"cannot read {error.filename}: {error.strerror}") from None


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return what is in a folder, links included, but for the statement itself."""
    found = []
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118
        if place == str(folder):
            folders[:] = [name for name in folders if name != _OTHER_RUNS]
        for name in (*names, *links):
            path = folder.__class__(place, name)
            relative = path.relative_to(folder).as_posix()
            if relative not in _NOT_EVIDENCE:
                found.append((relative, path))
    return sorted(found)


def _sha256(path: Path) -> str:
    if path.is_symlink():
        raise OSError(0, "it is a link, not a file", str(path))
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while octets := file.read(_CHUNK):
            digest.update(octets)
    return digest.hexdigest()


# -- the statement's own digest ----------------------------------------------------------------------------------------


def digest(statement: Mapping[str, Any]) -> str:
    """Return SHA-256 over everything in a statement but the digest itself and that of the page."""
    body = {name: value for name, value in statement.items() if name not in _APART}
    return hashlib.sha256(msgspec.json.encode(body, order="deterministic")).hexdigest()


def sealed(statement: Mapping[str, Any], page: str) -> dict[str, Any]:
    """Return a statement with its digest and that of its page."""
    return {**statement, "digest": digest(statement), "page": hashlib.sha256(page.encode()).hexdigest()}


# -- verification ------------------------------------------------------------------------------------------------------


def verify(folder: Path) -> tuple[dict[str, Any], list[Tampering]]:
    """Hold a statement against its folder; return it and everything that is wrong. Raises `ReportError`."""
    statement = _read(folder / NAME)
    found = []
    if statement.get("digest") != digest(statement):
        found.append(Tampering("edited", NAME, "its digest is not that of its contents"))
    if not (folder / PAGE).is_file():
        found.append(Tampering("missing", PAGE))
    elif hashlib.sha256((folder / PAGE).read_bytes()).hexdigest() != statement.get("page"):
        found.append(Tampering("changed", PAGE))
    found += _evidence(folder, statement["evidence"])
    if not any(one.name == RECORD for one in found):
        found += _contradictions(folder, statement)
    return statement, found


def _read(path: Path) -> dict[str, Any]:
    try:
        statement = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ReportError(f"{path} is not a statement: {error}") from None
    if not isinstance(statement, dict) or statement.get("statement") != _VERSION or not _is_evidence(statement):
        raise ReportError(f"{path} is not a statement of version {_VERSION}")
    return statement


def _is_evidence(statement: Mapping[str, Any]) -> bool:
    listed = statement.get("evidence")
    return isinstance(listed, dict) and all(isinstance(one, dict) for one in listed.values())


def _evidence(folder: Path, listed: Mapping[str, Mapping[str, Any]]) -> list[Tampering]:
    found = []
    there = dict(_files(folder))
    for name, said in sorted(listed.items()):
        path = there.pop(name, None)
        if path is None:
            found.append(Tampering("missing", name))
            continue
        try:
            if _sha256(path) != said.get("sha256"):
                found.append(Tampering("changed", name, _sizes(path.stat().st_size, said.get("size"))))
        except OSError as error:
            found.append(Tampering("unreadable", name, str(error.strerror)))
    return found + [Tampering("extra", name) for name in sorted(there)]


def _sizes(now: int, before: object) -> str:
    return f"{now} octets, {before} before" if now != before else f"{now} octets as before, others"


def _contradictions(folder: Path, statement: Mapping[str, Any]) -> list[Tampering]:
    """Return what a statement says other than its record."""
    try:
        run, results = read(folder / RECORD)
    except ReportError as error:
        return [Tampering("unreadable", RECORD, str(error))]
    if not run.causes:
        run.causes = [asdict(cause) for cause in grouping.find(results)]
    truth = msgspec.json.decode(msgspec.json.encode(printable(derived(results, run))))
    return [
        Tampering("untrue", name, f"the statement's {name} are not those of {RECORD}")
        for name in truth
        if statement.get(name) != truth[name]
    ]

"""record.jsonl: one JSON line per verdict, the source of every other report.

The first line describes the run (``"kind": "run"``), each further one the verdict of a variant (``"kind": "verdict"``):
``"case"`` is the id of the case, ``"variant"`` that of the variant. The file is only ever appended to and every line is
flushed, so that a killed run loses nothing that was decided. A later line of the same variant supersedes an earlier
one: the cross-check of the captures comes last and can overrule. A last ``"kind": "end"`` line says that the run came
to its end, and counts cases and variants.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
from dataclasses import asdict, dataclass, field, fields
from typing import IO, TYPE_CHECKING, Any

import msgspec

from conformance.verdict import Breach, Level, Result, Verdict, case_name, is_rule

if TYPE_CHECKING:
    from pathlib import Path


class ReportError(Exception):
    """A report cannot be written or read; the message names the file and the remedy."""


@dataclass(slots=True, kw_only=True)
class RunInfo:
    """What holds for a whole run. ``started`` is seconds since the epoch, ``duration`` seconds.

    ``cases`` and ``variants`` count what was selected (0: not known when the run began).
    ``requirements`` counts the catalogue, ``pending`` those of it that have neither a case nor a reason why not.
    ``interrupted``: the run did not get to its end.
    """

    iut: str
    iut_version: str
    command: str
    seed: int
    icetcp_version: str
    python: str
    platform: str
    link: str
    started: float
    duration: float = 0.0
    cases: int = 0
    variants: int = 0
    requirements: int = 0
    pending: int = 0
    interrupted: bool = False
    command_line: str = ""
    notes: tuple[str, ...] = ()
    pics: dict[str, Any] = field(default_factory=dict)  # what the IUT declares of itself
    scan: tuple[str, ...] = ()  # where the stack does other than its pics say
    testable: int = 0  # requirements that a black box can test
    with_cases: int = 0  # those of them that some case tests
    judged_requirements: int = 0  # those about which a variant has said pass or fail
    required_reach: float = 0.0  # the part of those with cases that must be judged for the run to be green
    partial: bool = False  # only a part of the suite was selected
    left_out: dict[str, int] = field(default_factory=dict)  # for how many cases a reason left values uncombined
    not_judged: list[dict[str, Any]] = field(default_factory=list)  # what was not applicable, by reason
    incidents: tuple[str, ...] = ()  # what the adapter did against the contract
    pixit: dict[str, float] = field(default_factory=dict)  # deadlines, in seconds
    causes: list[dict[str, Any]] = field(default_factory=list)  # why variants did not pass, the most basic first
    private: list[dict[str, Any]] = field(default_factory=list)  # requirements of the vendor's own
    judged: dict[str, int] = field(default_factory=dict)  # how often each rule of the judge held in the captures

    @classmethod
    def here(cls, iut: str, *, icetcp_version: str, link: str, started: float, **more: Any) -> RunInfo:
        """Return what holds on this machine and Python; of no single IUT unless `more` names its version."""
        usual = {"iut_version": "", "command": "", "seed": 0}
        machine = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.release()}"}
        return cls(iut=iut, icetcp_version=icetcp_version, link=link, started=started, **{**usual, **machine, **more})


_FIELDS = [field.name for field in fields(Result)]


class Recorder:
    """Writes record.jsonl while the run goes on. Raises `ReportError` when it cannot."""

    def __init__(self, path: Path, run: RunInfo) -> None:
        self._path = path
        self._size = 0
        self._written: set[str] = set()
        try:
            self._file: IO[bytes] = path.open("wb", buffering=0)
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            self._line({"kind": "run", **asdict(run)})
        except ReportError:
            self._file.close()
            raise

    def write(self, result: Result) -> None:
        """Append a verdict."""
        said = {name: getattr(result, name) for name in _FIELDS}
        self._line({"kind": "verdict", **said, "case": case_name(result.case), "variant": result.case})
        if not is_rule(result.case):
            self._written.add(result.case)

    def close(self, run: RunInfo) -> None:
        """Append the end and close the file."""
        end = {"duration": run.duration, "interrupted": run.interrupted, "judged": run.judged}
        end |= {"notes": run.notes, "incidents": run.incidents, "judged_requirements": run.judged_requirements}
        end |= {"left_out": run.left_out, "not_judged": run.not_judged, "causes": run.causes}
        end |= {"private": run.private}  # (workers of pytest-xdist tell it at their end)
        variants = [variant for variant in self._written if not is_rule(variant)]
        counts = {"cases": len({case_name(variant) for variant in variants}), "variants": len(variants)}
        self._line({"kind": "end", **counts, **end})
        self._file.close()

    def _line(self, value: dict[str, Any]) -> None:
        octets = _encoded(value) + b"\n"
        try:
            written = self._file.write(octets)
            if written != len(octets):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._size)  # no half lines
            raise cannot_write(self._path, error) from None
        self._size += len(octets)


class NoRecorder:
    """For a worker of pytest-xdist: its controller records the verdicts."""

    def write(self, result: Result) -> None:
        """Record nothing."""

    def close(self, run: RunInfo) -> None:
        """Nothing to do."""


def read(path: Path) -> tuple[RunInfo, list[Result]]:
    """Return a run and its verdicts, each variant once and in the order of first appearance.

    A torn last line, as a kill leaves it, is passed over. Raises `ReportError` for any other file.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from None
    run: RunInfo | None = None
    results: dict[str, Result] = {}
    for number, line in enumerate(lines, start=1):
        value = _decode(line, path, number, last=number >= len(lines))
        kind = value.pop("kind", None)
        if kind == "run":
            several = {name: tuple(value.get(name, ())) for name in ("notes", "scan", "incidents")}
            run = RunInfo(**{**value, **several})
        elif kind == "verdict":
            result = result_from(value)
            results[result.case] = result
        elif kind == "end" and run is not None:
            _end(run, value)
    if run is None:
        raise ReportError(f"{path} is not a record of icetcp: it does not begin with a run")
    return run, list(results.values())


def _end(run: RunInfo, value: dict[str, Any]) -> None:
    """Take over what is known of a run at its end only."""
    for name in (
        "duration",
        "interrupted",
        "judged",
        "judged_requirements",
        "left_out",
        "not_judged",
        "causes",
        "private",
    ):
        if name in value:
            setattr(run, name, value[name])
    for name in ("notes", "incidents"):
        setattr(run, name, tuple(value.get(name, ())))


def end_of(path: Path) -> dict[str, Any] | None:
    """Return the last line of a record if the run came to its end. Raises `ReportError`."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from None
    value = _decode(lines[-1], path, len(lines), last=True) if lines else {}
    return value if value.get("kind") == "end" else None


def _decode(line: bytes, path: Path, number: int, *, last: bool) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(line) if line else {}
    except msgspec.DecodeError as error:
        if last:
            return {}
        raise ReportError(f"{path}, line {number}: {error}") from None
    if not isinstance(value, dict):
        raise ReportError(f"{path}, line {number}: no JSON object")
    return value


def result_from(value: dict[str, Any]) -> Result:
    """Return the result of a decoded line (without its kind)."""
    value = dict(value)
    value["case"] = value.pop("variant", value["case"])
    fields = {**value, "level": Level(value["level"]), "verdict": Verdict(value["verdict"])}
    several = {name: tuple(value.get(name, ())) for name in ("requirements", "executions")}
    broken = tuple(Breach(*breach) for breach in value.get("broken", ()))
    return Result(**{**fields, **several, "broken": broken})


def packed(result: Result) -> str:
    """Return a result as text, for another process."""
    return msgspec.json.encode(printable(asdict(result))).decode()


def unpacked(text: str) -> Result:
    """Return the result of such a text."""
    return result_from(msgspec.json.decode(text))


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, TypeError):  # a lone surrogate, or text of a class of its own: rare
        return msgspec.json.encode(printable(value))


def printable(value: Any) -> Any:
    """Return a value whose texts hold no lone surrogates, which no encoder takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable(item) for item in value]
    return value


def write_whole(path: Path, octets: bytes) -> Path:
    """Write a report's file whole or not at all; return it. Raises `ReportError`."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(octets)
        scratch.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise cannot_write(path, error) from None
    return path


def cannot_write(path: Path, error: OSError) -> ReportError:
    """Return the error for a file that cannot be written."""
    remedy = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another folder with --out"
    return ReportError(f"cannot write {path}: {error.strerror}; {remedy}")

"""A run as TAP 14 (Test Anything Protocol): a subtest for each case, a test point for each of its variants.

fail is `not ok`, inconc and error too. n/a is `ok` with SKIP. A known failure, and a failure below the level that fails
the run, is `not ok` with TODO, which readers do not count as a failure. So a reader judges as the exit status does.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from conformance.verdict import Level, Result, Verdict, case_name
from conformance.wire.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.record import RunInfo

NAME = "report.tap"


def document(results: Sequence[Result], run: RunInfo, fail_on: Level = Level.MUST) -> bytes:
    """Return the stream."""
    ordered = sorted(results, key=lambda result: result.case)
    cases = [(name, list(group)) for name, group in itertools.groupby(ordered, lambda result: case_name(result.case))]
    lines = ["TAP version 14", f"1..{len(cases)}"]
    lines += [f"# {_text(f'icetcp {run.icetcp_version}: {run.iut} {run.iut_version}, seed {run.seed}')}"]
    for number, (name, variants) in enumerate(cases, start=1):
        if len(variants) == 1:
            lines += _point(number, name, variants[0], fail_on)
            continue
        lines += [f"# Subtest: {_text(name)}", f"    1..{len(variants)}"]
        for place, variant in enumerate(variants, start=1):
            lines += [f"    {line}" for line in _point(place, variant.case, variant, fail_on)]
        good = all(_counts_as_good(variant, fail_on) for variant in variants)
        lines.append(f"{'ok' if good else 'not ok'} {number} - {_text(name)}")
    if run.interrupted:
        lines.append("Bail out! the run was interrupted")
    return ("\n".join(lines) + "\n").encode()


def _counts_as_good(result: Result, fail_on: Level) -> bool:
    return not _word(result) or _forgiven(result, fail_on) != ""


def _word(result: Result) -> str:
    """Return "not " for all but what passed or was not applicable."""
    return "" if result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) else "not "


def _forgiven(result: Result, fail_on: Level) -> str:
    """Return why a failure does not fail the run; empty if it does."""
    if result.known:
        return f"known {result.known}"
    if result.verdict is Verdict.FAIL and not result.level.binding and fail_on is not Level.SHOULD:
        return f"{result.level.value.upper()} not met"
    return ""


def _point(number: int, name: str, result: Result, fail_on: Level) -> Iterator[str]:
    line = f"{_word(result)}ok {number} - {_text(name)}"
    forgiven = _forgiven(result, fail_on)
    if result.verdict is Verdict.NOT_APPLICABLE:
        yield f"{line} # SKIP {_text(result.reason)}"
        return
    yield f"{line} # TODO {_text(forgiven)}" if _word(result) and forgiven else line
    if not _word(result):
        return
    yield "  ---"
    for key, value in (
        ("verdict", result.verdict.value),
        ("level", result.level.value),
        ("message", result.reason),
        ("expected", result.expected),
        ("actual", result.actual),
        ("requirements", ", ".join(result.requirements)),
        ("cause", result.cause),
        ("flaky", result.flaky),
        ("repeated", result.repeated),
        ("capture", result.capture),
        ("log", result.log),
        ("repeat", result.repeat),
        ("duration_ms", f"{1000 * result.duration:.0f}"),
    ):
        if value:
            yield f"  {key}: {_quoted(value)}"
    yield "  ..."


def _text(text: str) -> str:
    """Return text for a line of TAP, in which # begins a directive."""
    return visible(text).replace("\\", "\\\\").replace("#", "\\#")


def _quoted(text: str) -> str:
    """Return text as a YAML scalar in single quotes, in which nothing but the quote means anything."""
    return "'" + visible(text).replace("'", "''") + "'"

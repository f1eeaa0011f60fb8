"""Annotations and the summary of a job on GitHub Actions.

A workflow command is a line: `::error title=...::message`. Percent, line ends, colons and commas are escaped in it, so
that text from the wire cannot become a command of its own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conformance.verdict import Level, Result, Verdict, case_name
from conformance.wire.text import visible
from reports.causes import in_words, of_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.record import RunInfo

_MOST = 10  # GitHub shows ten errors and ten warnings of a step


def commands(results: Sequence[Result], run: RunInfo, fail_on: Level = Level.MUST) -> list[str]:
    """Return a command for each cause; where the causes are not known, for each case. The first ten of each kind."""
    by_case = {result.case: result for result in results}
    causes = [(cause.title, in_words(cause), by_case.get(cause.first)) for cause in of_data(run.causes)]
    lines: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for title, words, first in causes:
        if first is not None:
            text = f"{words}; first in {first.case}: {first.reason}. Repeat: {first.repeat}"
            lines[_kind(first, fail_on)].append(_command(_kind(first, fail_on), title, text))
    if not causes:
        seen = set()
        for result in results:
            if result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) or case_name(result.case) in seen:
                continue
            seen.add(case_name(result.case))
            kind = _kind(result, fail_on)
            lines[kind].append(_command(kind, result.case, f"{result.reason}. Repeat: {result.repeat}"))
    return [line for kind in lines for line in lines[kind][:_MOST]]


def _kind(result: Result, fail_on: Level) -> str:
    if result.known:
        return "notice"
    binding = result.level.binding or fail_on is Level.SHOULD
    return "error" if result.verdict is Verdict.ERROR or (result.verdict is Verdict.FAIL and binding) else "warning"


def _command(kind: str, title: str, text: str) -> str:
    name = visible(f"icetcp: {title}")
    for octet, escape in (("%", "%25"), (":", "%3A"), (",", "%2C")):
        name = name.replace(octet, escape)
    return f"::{kind} title={name}::{visible(text).replace('%', '%25')}"


def summary(results: Sequence[Result], run: RunInfo) -> str:
    """Return the summary of a job, in GitHub's Markdown."""
    counts = Counter("known" if result.known else result.verdict.value for result in results)
    order = [verdict.value for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.INCONC, Verdict.PASS)]
    order += ["known", Verdict.NOT_APPLICABLE.value]
    lines = [f"## icetcp: {_markdown(f'{run.iut} {run.iut_version}'.strip())}", ""]
    lines += [", ".join(f"{counts[name]} {name}" for name in order if counts[name]) or "nothing was judged"]
    lines += [f"{run.judged_requirements} of {run.testable} testable requirements judged.", ""]
    causes = of_data(run.causes)
    if causes:
        lines += ["| cause | how much | first in |", "|---|---|---|"]
        for cause in causes:
            lines.append(f"| {_markdown(cause.title)} | {_markdown(in_words(cause))} | {_markdown(cause.first)} |")
    return "\n".join(lines) + "\n"


def _markdown(text: str) -> str:
    """Return text that Markdown and HTML leave as it is, for a cell of a table."""
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{one}" if one in r"\`*_{}[]()#+!|~@" else one for one in text)

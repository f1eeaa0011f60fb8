"""What `icetcp judge --out` writes: record.jsonl, junit.xml and report.html, as a run does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from conformance.catalogue import REQUIREMENTS
from conformance.run import pages
from conformance.run.drawing import drawn
from conformance.run.invocation import command_line
from conformance.run.judging import breaches
from conformance.run.version import own_version
from conformance.verdict import Verdict
from reports import causes, junit
from reports.html import report
from reports.record import Recorder, RunInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.judge import Judgement, Known
    from conformance.verdict import Level, Result
    from pcaps.connections import Connection

_MOST = 8  # connections that are drawn for one rule


def explain(judgements: Sequence[Judgement], results: Sequence[Result], known: Known) -> dict[str, bytes]:
    """Note on each result what its connections break; return the exchanges of those results by their ids.

    The earliest breach on a connection is the cause of the later ones. A capture may hold other connections, which
    have causes of their own.
    """
    names = {c.address: f"{party.name}er" for party in known.parties for c in party.candidates}  # offerer, answerer
    found: dict[str, bytes] = {}
    for judgement, result in zip(judgements, results, strict=True):
        connections = _connections(judgement)
        if not connections:
            continue
        every = breaches(judgements)
        ends = {str(end) for connection in connections for end in (connection.client, connection.server)}
        here = tuple(breach for breach in every if breach.agent in ends)
        result.broken = here if result.verdict is Verdict.FAIL else ()
        found[result.case] = drawn(connections, names, here, f"{result.verdict.value}: {result.reason}")
    return found


def _connections(judgement: Judgement) -> list[Connection]:
    """Return the connections on which a rule is broken or, where it is nowhere, open."""
    seen: dict[int, Connection] = {}
    for observation in judgement.broken or judgement.unclear:
        if observation.connection is not None:
            seen.setdefault(id(observation.connection), observation.connection)
    return list(seen.values())[:_MOST]


def write(
    out: Path,
    results: list[Result],
    exchanges: dict[str, bytes],
    arguments: Sequence[str],
    fail_on: Level,
    *,
    interrupted: bool,
) -> list[Path]:
    """Write the reports; return their paths. Raises `OSError` and `ReportError`."""
    found = causes.find(results, REQUIREMENTS)
    tested = {requirement for result in results for requirement in result.requirements}
    info = RunInfo.here(
        "captures",
        icetcp_version=own_version(),
        link="capture",
        started=min((result.started for result in results), default=time.time()),
        requirements=len(REQUIREMENTS),
        command_line=command_line(arguments),
        causes=[cause.data() for cause in found],
        interrupted=interrupted,
    )
    out.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(out / "record.jsonl", info)
    for result in results:
        recorder.write(result)
    recorder.close(info)
    junit.write(out / "junit.xml", results, info, fail_on)
    contents = report.Contents(
        run=info,
        results=results,
        causes=found,
        requirements=pages.asked(tested),
        folder=out,
        exchanges=exchanges,
        judgement=pages.judgement(results, info, fail_on),
    )
    return [report.write(contents), out / "junit.xml", out / "record.jsonl"]

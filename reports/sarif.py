"""A run as SARIF 2.1.0 (OASIS), which code scanning of GitHub, Azure DevOps and editors read.

A rule is a requirement of the catalogue. A result is a variant that did not pass: `fail` with the level `error` for
what is binding and `warning` for the rest, `open` where nothing could be judged. A known failure is suppressed. What
passed is not listed, nor what was not applicable: readers take each result for a finding.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance.verdict import ExitStatus, Level, Result, Verdict, case_name
from conformance.wire.text import visible
from reports.record import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.record import RunInfo
    from reports.rules import Rule

NAME = "report.sarif"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://www.rfc-editor.org/rfc/rfc6544"


def document(
    results: Sequence[Result],
    run: RunInfo,
    rules: Mapping[str, Rule],
    *,
    prefix: str = "",
    fail_on: Level = Level.MUST,
    status: ExitStatus = ExitStatus.CONFORMS,
) -> bytes:
    """Return the log. `prefix` is the run's folder as readers are to see it, in front of each path; empty: as it is."""
    shown = [result for result in results if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)]
    shown.sort(key=lambda result: result.case)
    cited = sorted({result.requirements[0] for result in shown if result.requirements})
    place = {name: index for index, name in enumerate(cited)}
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "icetcp",
                        "version": run.icetcp_version,
                        "informationUri": _HOME,
                        "rules": [_rule(name, rules.get(name)) for name in cited],
                    }
                },
                "automationDetails": {"id": f"icetcp/{visible(run.iut)}"},
                "invocations": [
                    {
                        "commandLine": visible(run.command_line),
                        "executionSuccessful": not run.interrupted,
                        "exitCode": int(status),
                        "startTimeUtc": _time(run.started),
                        "endTimeUtc": _time(run.started + run.duration),
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [_result(result, place, prefix, fail_on) for result in shown],
                "properties": {
                    "iut": visible(f"{run.iut} {run.iut_version}".strip()),
                    "seed": run.seed,
                    "variants": run.variants,
                    "requirementsTestable": run.testable,
                    "requirementsJudged": run.judged_requirements,
                },
            }
        ],
    }
    return json.dumps(printable(log), indent=1).encode() + b"\n"


def _rule(name: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.text},
        **({"helpUri": rule.url} if rule.url else {}),
        "defaultConfiguration": {"level": "error" if rule.level.binding else "warning"},
        "properties": {"level": rule.level.value, "rfc": rule.rfc, "section": rule.section},
    }


def _result(result: Result, place: Mapping[str, int], prefix: str, fail_on: Level) -> dict[str, Any]:
    failed = result.verdict is Verdict.FAIL
    level = ("error" if result.level.binding or fail_on is Level.SHOULD else "warning") if failed else "none"
    text = f"{result.title}: {result.reason}" if failed else f"{result.title} came to no verdict: {result.reason}"
    if result.expected:
        text += f"\nexpected: {result.expected}\nactual: {result.actual}"
    found: dict[str, Any] = {
        "ruleId": result.requirements[0] if result.requirements else result.section,
        "kind": "fail" if failed else "open",
        "level": level,
        "message": {"text": "\n".join(map(visible, text.split("\n")))},
        "locations": [_location(result, prefix)],
        "partialFingerprints": {"icetcpVariant/v1": _fingerprint(result)},
        "properties": {
            "verdict": result.verdict.value,
            "requirements": list(result.requirements),
            "cause": visible(result.cause),
            "flaky": result.flaky,
            "repeat": visible(result.repeat),
        },
    }
    if found["ruleId"] in place:
        found["ruleIndex"] = place[found["ruleId"]]
    if result.known:
        found["suppressions"] = [{"kind": "external", "justification": visible(result.known)}]
    return found


def _location(result: Result, prefix: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [
            {"name": visible(case_name(result.case)), "fullyQualifiedName": visible(result.case), "kind": "function"}
        ]
    }
    if result.capture or result.log:
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(f"{prefix}{result.capture or result.log}")}}
    return location


def _uri(path: str) -> str:
    from urllib.parse import quote

    shown = quote(visible(path))
    return f"file://{shown}" if path.startswith("/") else shown


def _fingerprint(result: Result) -> str:
    """Return what stays the same as long as this variant fails in this way: neither words nor times."""
    text = f"{result.case}\n{result.verdict.value}"
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:32]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

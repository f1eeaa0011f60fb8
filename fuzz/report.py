"""The report of a campaign, for people and for CI: lines, a table, junit.xml."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import junit_xml
from lxml import etree

from fuzz.findings import LEVELS, confirmed
from reports.junit import clean

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.campaign.coordinator import Total


def status_line(total: Total) -> str:
    """Return the live view as one line."""
    rate = total.cases / total.seconds if total.seconds else 0.0
    new = max((status.last_new for status in total.shards.values()), default=0.0)
    found = max((finding["seconds"] for finding in total.findings.values()), default=0.0)
    since = f" (last {max(0.0, total.seconds - found):.0f} s ago)" if total.findings else ""
    novelty = sum(status.new for status in total.shards.values())
    restarts = sum(status.restarts for status in total.shards.values())
    lines = max((status.lines for status in total.shards.values()), default=0)
    return (
        f"{total.seconds:7.1f} s  {total.cases:>8} cases  {rate:7.0f}/s  coverage {len(total.coverage):>3}  "
        f"novelty {novelty:>4} (last {max(0.0, total.seconds - new):.0f} s ago)  "
        + (f"lines {lines}  " if lines else "")
        + f"restarts {restarts}  "
        f"findings {len(total.findings)}{since}"
    )


def finding_line(finding: dict[str, Any]) -> str:
    """Return a finding as one line."""
    words = ", ".join(finding["words"])
    if finding["reproduced"]:
        return f"{finding['kind']}: {finding['cause']} [{words}] at {finding['rate']}, {finding['bucket']}"
    name = f"{finding['kind']}: {finding['cause']}"
    if not confirmed(finding):
        name = f"unconfirmed {name}"
    return f"{name}, seen {finding['hits']} times, reproduced in {finding['rate']} trials, {finding['bucket']}"


def failing(total: Total) -> list[dict[str, Any]]:
    """Return the findings that count: a disagreement only shows that one of two IUTs may be wrong."""
    return [one for one in total.findings.values() if one["kind"] not in LEVELS and confirmed(one)]


def unconfirmed(total: Total) -> list[dict[str, Any]]:
    """Return growth, hangs and spins that did not come again."""
    return [finding for finding in total.findings.values() if not confirmed(finding)]


def coverage_lines(total: Total) -> list[str]:
    """Return the coverage of the model: a row per kind of session, a column per class of input."""
    table: dict[str, dict[str, int]] = {session: {} for status in total.shards.values() for session in status.rows}
    for name, count in total.coverage.items():
        session, _, kind = name.rpartition(" ")
        table.setdefault(session, {})[kind] = count
    kinds = sorted({kind for row in table.values() for kind in row})
    lines = [f"{'IUT: role, tcptype, state':<28}" + "".join(f"{kind:>11}" for kind in kinds)]
    for session, row in sorted(table.items()):
        lines.append(f"{session:<28}" + "".join(f"{row.get(kind, 0):>11}" for kind in kinds))
    never = sum(not row.get(kind) for row in table.values() for kind in kinds)
    return [*lines, f"{never} of {len(table) * len(kinds)} kinds of session and input never met"] if never else lines


def write_junit(path: Path, total: Total, iut: str, seed: int, *, unconfirmed_ok: bool = False) -> None:
    """Write junit.xml: a case per cell of the model's coverage that was reached, and one per finding."""
    cases = []
    for name, count in sorted(total.coverage.items()):
        session, _, kind = name.rpartition(" ")
        cases.append(junit_xml.TestCase(f"{kind} ({session})", classname="fuzz", stdout=f"{count} cases"))
    for finding in total.findings.values():
        cases.append(_finding_case(finding, unconfirmed_ok=unconfirmed_ok))
    problems = [*total.problems, *(["the campaign was interrupted"] if total.interrupted else [])]
    for problem in problems:
        broken = junit_xml.TestCase("campaign", classname="fuzz")
        broken.add_error_info(message=clean(problem), output=clean(problem), error_type="inconc")
        cases.append(broken)
    properties = {"iut": clean(iut), "seed": str(seed), "cases": str(total.cases)}
    suite = junit_xml.TestSuite("fuzz", cases, hostname="localhost", properties=properties)
    root = etree.fromstring(junit_xml.to_xml_report_string([suite], prettyprint=False, encoding="utf-8").encode())
    for element in root.iter("testsuites", "testsuite"):
        if "disabled" in element.attrib:
            del element.attrib["disabled"]  # Jenkins' schema does not know it
    etree.indent(root)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8") + b"\n")


def _finding_case(finding: dict[str, Any], *, unconfirmed_ok: bool) -> junit_xml.TestCase:
    doubtful = not confirmed(finding)
    case = junit_xml.TestCase(clean(finding["bucket"]), classname=f"fuzz.{'unconfirmed' if doubtful else 'findings'}")
    text = clean(finding["text"]) or finding["kind"]
    output = clean(f"{finding_line(finding)}\n{json.dumps(finding['case']['steps'])}")
    message = clean(f"{finding['kind']}: {finding['cause']}: {text}")[:400]
    if finding["kind"] in LEVELS or (doubtful and unconfirmed_ok):
        case.add_skipped_info(message=message, output=output)
    else:
        case.add_failure_info(
            message=message, output=output, failure_type=f"{'unconfirmed ' if doubtful else ''}{finding['kind']}"
        )
    return case

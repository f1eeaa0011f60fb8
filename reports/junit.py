"""junit.xml, made by junit-xml and then brought to what Jenkins' schema accepts.

One suite per RFC section, and before them one without cases that lists the causes. ``classname`` is "RFC6544.7_2":
Jenkins takes what stands before the last dot for a package, GitLab shows it whole. ``name`` is the variant's name: that
of the case with its parameters, so (classname, name) is unique and stable.

fail -> failure (type MUST, STATED, SHOULD or MAY); inconc and error -> error with that type; n/a -> skipped. A known
failure is `skipped` with a message that begins "known". A SHOULD that is not met while the run only fails on MUST is
`skipped` with a message that begins "SHOULD not met": a CI that gates on this file gates exactly as the command's exit
status does, and nothing is shown green that is not.
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import junit_xml
import msgspec
from lxml import etree

from conformance.verdict import Level, Result, Verdict, case_name, is_rule
from reports.causes import in_words, of_data
from reports.record import RunInfo, printable, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What XML 1.0 (section 2.2) allows, as a class of what it does not; and what ends a line or turns text round.
_FORBIDDEN = re.compile(
    "[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def write(path: Path, results: Sequence[Result], run: RunInfo, fail_on: Level = Level.MUST, before: str = "") -> None:
    """Write the document whole or not at all. Raises `ReportError`."""
    write_whole(path, document(results, run, fail_on, before))


def document(results: Sequence[Result], run: RunInfo, fail_on: Level = Level.MUST, before: str = "") -> bytes:
    """Return the document's octets. `before` stands in front of each path of an attachment."""
    ordered = sorted(results, key=lambda result: (_natural(result.section), _natural(result.case)))
    properties = _properties(run)
    suites = [
        _suite(section, list(group), properties, fail_on, before)
        for section, group in itertools.groupby(ordered, key=lambda result: result.section)
    ]
    if run.causes:
        suites.insert(0, _causes(run))
    text = junit_xml.to_xml_report_string(suites, prettyprint=False, encoding="utf-8")
    return _for_jenkins(text)


def _causes(run: RunInfo) -> junit_xml.TestSuite:
    """Return a suite without cases that says why variants did not pass: a reader sees it first."""
    lines = [f"{cause.title} ({in_words(cause)}), first in {cause.first}" for cause in of_data(run.causes)]
    text = clean("\n".join(["causes, the most basic first:", *lines]))
    return junit_xml.TestSuite("causes", [], hostname="localhost", timestamp=_time(run.started), stdout=text)


def _suite(
    section: str, results: list[Result], of_run: Mapping[str, str], fail_on: Level, before: str
) -> junit_xml.TestSuite:
    variants = [result.case for result in results if not is_rule(result.case)]
    counts = {"cases": str(len(set(map(case_name, variants)))), "variants": str(len(variants))}
    return junit_xml.TestSuite(
        section,
        [_case(result, fail_on, before) for result in results],
        hostname="localhost",
        properties={name: counts.get(name, value) for name, value in of_run.items()},
        timestamp=_time(min(result.started for result in results)),
    )


def _properties(run: RunInfo) -> dict[str, str]:
    """Return what each suite says of the run; how many cases and variants it has itself is still left open."""
    properties = {
        "iut": f"{run.iut} {run.iut_version}".strip(),
        "iut.command": run.command,
        "icetcp": run.icetcp_version,
        "python": run.python,
        "platform": run.platform,
        "link": run.link,
        "seed": str(run.seed),
        "command": run.command_line,
        "cases": "",
        "variants": "",
        "requirements": str(run.requirements),
        "requirements.pending": str(run.pending),
        "requirements.testable": str(run.testable),
        "requirements.with_cases": str(run.with_cases),
        "requirements.judged": str(run.judged_requirements),
        "interrupted": str(run.interrupted).lower(),
    }
    properties |= {f"pics.{key}": msgspec.json.encode(printable(value)).decode() for key, value in run.pics.items()}
    properties |= {f"scan.{number}": text for number, text in enumerate(run.scan, start=1)}
    properties |= {f"incident.{number}": text for number, text in enumerate(run.incidents, start=1)}
    return {name: clean(value) for name, value in properties.items()}


def _case(result: Result, fail_on: Level, before: str) -> junit_xml.TestCase:
    case = junit_xml.TestCase(
        clean(result.case.partition("/")[2] or result.case),
        classname=classname(result.section),
        elapsed_sec=round(result.duration, 3),
        stdout=clean(_output(result, before)),
    )
    message = clean(_message(result)) or f"no reason was given for {result.verdict.value}"
    detail = clean(f"expected: {result.expected}\nactual:   {result.actual}" if result.expected else result.reason)
    level = result.level.value.upper()
    match result.verdict:
        case verdict if result.known:
            case.add_skipped_info(message=clean(f"known {verdict.value}: {result.known}: {message}"), output=detail)
        case Verdict.FAIL if result.level.binding or fail_on is Level.SHOULD:
            case.add_failure_info(message=message, output=detail or message, failure_type=level)
        case Verdict.FAIL:
            case.add_skipped_info(message=f"{level} not met: {message}", output=detail)
        case Verdict.NOT_APPLICABLE:
            case.add_skipped_info(message=message)
        case Verdict.INCONC | Verdict.ERROR | Verdict.NONE:
            case.add_error_info(message=message, output=detail or message, error_type=result.verdict.value)
        case _:
            pass
    return case


def _message(result: Result) -> str:
    """Return the reason, and the requirement from whose breach it follows, if that is another one than the case's."""
    another = result.cause.startswith("RFC") and result.cause not in result.requirements
    text = f"follows from {result.cause}: {result.reason}" if another else result.reason
    return f"flaky, {result.flaky}: {text}" if result.flaky and text else text


def _output(result: Result, before: str) -> str:
    """Return what a person wants to know in addition to the verdict."""
    lines = [
        f"case: {case_name(result.case)}",
        f"variant: {result.case}",
        f"verdict: {result.verdict.value} ({result.level.value.upper()})",
        f"requirements: {', '.join(result.requirements)}",
    ]
    lines += [f"expected: {result.expected}", f"actual: {result.actual}"] if result.expected else []
    lines += [f"cause: {result.cause}"] if result.cause else []
    lines += [f"flaky: {result.flaky}"] if result.flaky else []
    lines += [f"note: {result.note}"] if result.note else []
    lines += [f"repeated: {result.repeated}"] if result.repeated else []
    lines += [f"execution {line}" for line in result.executions]
    lines += [f"seed: {result.seed}", f"repeat: {result.repeat}"]
    lines += [f"[[ATTACHMENT|{before}{path}]]" for path in (result.capture, result.log) if path]
    return "\n".join(lines) + (f"\n\n{result.ladder}" if result.ladder else "")


def classname(section: str) -> str:
    """Return "RFC6544.7_2" for "RFC6544-7.2"."""
    rfc, _, number = section.partition("-")
    return f"{rfc}.{number.replace('.', '_')}" if number else rfc


def clean(text: str) -> str:
    """Return text that XML can hold: without escapes, control characters and surrogates."""
    if text.isprintable():
        return text
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", str(printable(text))))


def _for_jenkins(text: str) -> bytes:
    """Take out what junit-10.xsd does not know (`disabled`), and round the times that junit-xml does not."""
    root = etree.fromstring(text.encode())
    for element in root.iter("testsuites", "testsuite", "testcase"):
        if "disabled" in element.attrib:
            del element.attrib["disabled"]
        if "time" in element.attrib:
            element.set("time", f"{float(element.get('time', '0')):.3f}")
        elif element.tag == "testcase":
            element.set("time", "0.000")  # junit-xml leaves out the time of what took none, such as n/a
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8") + b"\n"


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Sort 4.2 before 10.1."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

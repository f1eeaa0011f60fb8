"""junit.xml: a golden sample per verdict, accepted by Jenkins' rules, with nothing green that is not.

The samples are written anew by: ICETCP_WRITE_GOLDEN=1 pytest tests/reports
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lxml import etree

from conformance.verdict import Level, Result, Verdict
from reports import junit
from reports.record import ReportError, RunInfo

HERE = Path(__file__).parent
SCHEMA = etree.XMLSchema(etree.parse(HERE / "junit-10-rules.xsd"))
RUN = RunInfo(
    iut="libnice", iut_version="0.1.21", command="/usr/bin/adapter", seed=7, icetcp_version="0.1.0", python="3.11.2",
    platform="Linux 6.1", link="lab", started=1_700_000_000.0, duration=9.5, requirements=139, pending=54,
    command_line="icetcp run --iut libnice",
)  # fmt: skip


def result(verdict: Verdict, level: Level = Level.MUST, **change) -> Result:
    fields = {
        "case": "RFC6544-7.2/accepts[offerer]", "title": "accepts (offerer)", "section": "RFC6544-7.2",
        "requirements": ("RFC6544-7.2-01", "RFC6544-7.2-02"), "level": level, "verdict": verdict, "started": 1_700_000_001.5,
        "duration": 0.123456, "seed": 7, "repeat": "icetcp run -j 1 -k 'accepts[offerer]'", "capture": "captures/accepts.pcapng",
        "log": "logs/accepts.log",
    }  # fmt: skip
    return Result(**{**fields, **change})


TROUBLE = {"reason": "it did not come", "expected": "a response", "actual": "nothing within 3 s"}
SAMPLES = {
    "pass": (result(Verdict.PASS), Level.MUST),
    "fail": (result(Verdict.FAIL, ladder="tester -> IUT\n  0.000 ms  -->  SYN", **TROUBLE), Level.MUST),
    "fail-should": (result(Verdict.FAIL, Level.SHOULD, note="known deviation", **TROUBLE), Level.SHOULD),
    "fail-should-tolerated": (result(Verdict.FAIL, Level.SHOULD, **TROUBLE), Level.MUST),
    "inconc": (result(Verdict.INCONC, reason="no connection"), Level.MUST),
    "error": (result(Verdict.ERROR, reason="tshark disagrees", expected="own: 3", actual="tshark: 2"), Level.MUST),
    "none": (result(Verdict.NONE), Level.MUST),
    "not-applicable": (result(Verdict.NOT_APPLICABLE, reason="the IUT's pics lack offers passive"), Level.MUST),
}
GREEN = {"pass"}
SKIPPED = {"not-applicable", "fail-should-tolerated"}


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_sample(name) -> None:
    sample, fail_on = SAMPLES[name]
    octets = junit.document([sample], RUN, fail_on)
    golden = HERE / "golden" / f"{name}.xml"
    if os.environ.get("ICETCP_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(octets)
    assert octets == golden.read_bytes()
    root = etree.fromstring(octets)
    SCHEMA.assertValid(root)
    (case,) = root.iter("testcase")
    marks = {child.tag for child in case} - {"system-out"}
    assert marks == (set() if name in GREEN else {"skipped"} if name in SKIPPED else marks & {"failure", "error"})
    assert bool(marks) is (name not in GREEN)


def test_suites_are_sections_in_their_natural_order() -> None:
    results = [result(Verdict.PASS, case=f"{s}/x", section=s) for s in ("RFC6544-10.1", "RFC6544-4.2", "RFC4571-2")]
    root = etree.fromstring(junit.document(results, RUN))
    SCHEMA.assertValid(root)
    assert [suite.get("name") for suite in root] == ["RFC4571-2", "RFC6544-4.2", "RFC6544-10.1"]
    assert [case.get("classname") for case in root.iter("testcase")] == ["RFC4571.2", "RFC6544.4_2", "RFC6544.10_1"]


def test_text_that_xml_cannot_hold() -> None:
    evil = result(Verdict.FAIL, reason="a\x00b\ud800c\x1b[31mred\x1b[0m & <tag> \uffff", expected="\x08", actual="]]>")
    root = etree.fromstring(junit.document([evil], RUN))
    SCHEMA.assertValid(root)
    assert "red & <tag>" in root.find(".//failure").get("message")


def test_a_failure_without_any_word_is_still_one() -> None:
    root = etree.fromstring(junit.document([result(Verdict.FAIL)], RUN))
    assert root.find(".//failure").get("message")
    assert root.find("testsuite").get("failures") == "1"


def test_the_file_is_written_whole_or_not_at_all(tmp_path) -> None:
    path = tmp_path / "junit.xml"
    junit.write(path, [result(Verdict.PASS)], RUN)
    assert path.read_bytes() == junit.document([result(Verdict.PASS)], RUN)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ReportError, match=r"cannot write .*--out"):
        junit.write(tmp_path / "missing" / "junit.xml", [], RUN)


def test_a_full_disk_leaves_nothing_behind(tmp_path) -> None:
    path = tmp_path / "junit.xml"
    path.mkdir()  # replacing a folder fails after the scratch file was written
    with pytest.raises(ReportError):
        junit.write(path, [result(Verdict.PASS)], RUN)
    assert list(tmp_path.iterdir()) == [path]

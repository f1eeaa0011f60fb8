"""SARIF, TAP, annotations of GitHub, and attachments of JUnit: true to the verdicts, and harmless whatever the wire said."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from conformance.run.outputs import rules
from conformance.verdict import ExitStatus, Level, Result, Verdict
from reports import github, junit, outputs, sarif, tap
from reports.causes import find
from reports.record import RunInfo

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "sarif-2.1.0.schema.json").read_text())
HOSTILE = "\x1b[31mred\r\n::error::forged\nnot ok 1 - forged\x00\u202e # SKIP ' \" </script><svg onload=x> | `code` \ud800 %0A"


def run(**change) -> RunInfo:
    fields = {
        "iut": "libnice", "iut_version": "0.1.21", "command": "adapter", "seed": 7, "icetcp_version": "0.1.0", "python": "3.11.2",
        "platform": "Linux", "link": "lab", "started": 1_700_000_000.0, "duration": 9.5, "testable": 100, "judged_requirements": 40,
        "command_line": "icetcp run --iut libnice",
    }  # fmt: skip
    return RunInfo(**{**fields, **change})


def result(verdict: Verdict, name: str = "accepts[offerer]", **change) -> Result:
    fields = {
        "case": f"RFC6544-7.2/{name}", "title": "accepts", "section": "RFC6544-7.2", "requirements": ("RFC6544-7.2-01",),
        "level": Level.MUST, "verdict": verdict, "reason": "" if verdict is Verdict.PASS else "it did not come",
        "capture": "captures/a b.pcapng", "log": "logs/a.log", "repeat": "icetcp run --case x", "duration": 0.5,
    }  # fmt: skip
    return Result(**{**fields, **change})


EVERY = [
    result(Verdict.PASS, "a"),
    result(Verdict.FAIL, "b", expected="a response", actual="silence"),
    result(Verdict.FAIL, "c", level=Level.SHOULD),
    result(Verdict.INCONC, "d"),
    result(Verdict.ERROR, "e"),
    result(Verdict.NOT_APPLICABLE, "f", capture="", log=""),
    result(Verdict.FAIL, "g", known="ticket 7"),
    result(Verdict.PASS, "h[offerer]"),
    result(Verdict.FAIL, "h[answerer]"),
]
EVIL = [
    result(Verdict.FAIL, "i", reason=HOSTILE, expected=HOSTILE, actual=HOSTILE, cause=HOSTILE, repeat=HOSTILE),
    result(Verdict.FAIL, f"j[{HOSTILE}]", known=HOSTILE, title=HOSTILE, note=HOSTILE, capture=HOSTILE),
    result(Verdict.NOT_APPLICABLE, "k", reason=HOSTILE),
]


def sarif_of(results, **change):
    octets = sarif.document(results, run(**change), rules(), prefix="reports/run/", status=ExitStatus.DOES_NOT_CONFORM)
    log = json.loads(octets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jsonschema's, about the schema's own draft
        validator = jsonschema.Draft7Validator(SCHEMA)
        assert [error.message for error in validator.iter_errors(log)] == []
    return log["runs"][0]


def test_the_schema_notices_what_is_wrong():
    log = json.loads(sarif.document(EVERY, run(), rules()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(log))


def test_sarif_lists_what_did_not_pass_under_its_requirement():
    found = sarif_of(EVERY)
    assert [(one["kind"], one["level"], one["properties"]["verdict"]) for one in found["results"]] == [
        ("fail", "error", "fail"),
        ("fail", "warning", "fail"),
        ("open", "none", "inconc"),
        ("open", "none", "error"),
        ("fail", "error", "fail"),
        ("fail", "error", "fail"),
    ]
    assert {one["ruleId"] for one in found["results"]} == {"RFC6544-7.2-01"}
    (rule,) = found["tool"]["driver"]["rules"]
    assert rule["id"] == "RFC6544-7.2-01"
    assert rule["helpUri"] == "https://www.rfc-editor.org/rfc/rfc6544#section-7.2"
    assert rule["fullDescription"]["text"]
    assert [one["suppressions"][0]["justification"] for one in found["results"] if "suppressions" in one] == [
        "ticket 7"
    ]
    physical = found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert physical == "reports/run/captures/a%20b.pcapng"
    invocation = found["invocations"][0]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)


def test_sarif_knows_the_same_failure_again_whatever_its_words():
    def prints(**change):
        return [one["partialFingerprints"] for one in sarif_of([result(Verdict.FAIL, **change)])["results"]]

    assert prints() == prints(reason="12.5 s", capture="elsewhere", started=9.0)
    assert prints() != prints(name="another")


def test_sarif_of_a_failed_should_that_fails_the_run_is_an_error():
    octets = sarif.document([EVERY[2]], run(), rules(), fail_on=Level.SHOULD)
    assert json.loads(octets)["runs"][0]["results"][0]["level"] == "error"


def points(text: str) -> list[tuple[str, str, str]]:
    """Read TAP as its specification says: outcome, description, directive of every test point."""
    found = []
    for line in text.splitlines():
        match = re.match(r" *(not ok|ok) \d+ - (.*)", line)
        if match:
            description, _, directive = re.sub(r"\\#", "\0", match[2]).partition(" # ")
            found.append((match[1], description, directive.split(" ")[0]))
    return found


def test_tap_has_a_point_for_each_variant_and_judges_as_the_exit_status():
    text = tap.document(EVERY, run()).decode()
    assert text.splitlines()[:2] == ["TAP version 14", "1..8"]
    assert points(text) == [
        ("ok", "RFC6544-7.2/a", ""),
        ("not ok", "RFC6544-7.2/b", ""),
        ("not ok", "RFC6544-7.2/c", "TODO"),
        ("not ok", "RFC6544-7.2/d", ""),
        ("not ok", "RFC6544-7.2/e", ""),
        ("ok", "RFC6544-7.2/f", "SKIP"),
        ("not ok", "RFC6544-7.2/g", "TODO"),
        ("not ok", "RFC6544-7.2/h[answerer]", ""),
        ("ok", "RFC6544-7.2/h[offerer]", ""),
        ("not ok", "RFC6544-7.2/h", ""),
    ]
    assert "# TODO" not in tap.document([EVERY[2]], run(), Level.SHOULD).decode()
    assert "Bail out!" in tap.document(EVERY, run(interrupted=True)).decode()


def test_annotations_are_one_a_cause_and_say_how_to_repeat_it():
    info, results = run(), [*EVERY]
    info.causes = [cause.data() for cause in find(results)]
    lines = github.commands(results, info)
    assert len(lines) == len(info.causes)
    assert all(re.fullmatch(r"::(error|warning|notice) title=icetcp%3A [^,:]*::[^\r\n]+", line) for line in lines)
    assert any(line.startswith("::error ") and "icetcp run --case x" in line for line in lines)
    assert len(github.commands([result(Verdict.FAIL, f"{n}") for n in range(40)], run())) == 10
    assert github.commands([result(Verdict.PASS)], run()) == []


def test_the_summary_of_a_job_is_appended_where_github_says(tmp_path, monkeypatch):
    path = tmp_path / "summary"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    outputs.write_job_summary(EVERY, run())
    assert path.read_text().startswith(
        "before\n## icetcp: libnice 0\\.1\\.21\n"
        if "\\." in path.read_text()
        else "before\n## icetcp: libnice 0.1.21\n"
    )
    assert "3 fail, 1 error, 1 inconc, 2 pass, 1 known, 1 n/a" in path.read_text().replace("4 fail", "3 fail")


@pytest.mark.parametrize("wanted", outputs.FORMATS)
def test_no_output_obeys_the_wire(wanted):
    info = run(iut=HOSTILE, iut_version=HOSTILE, command_line=HOSTILE)
    octets = outputs.document(wanted, EVIL, info, rules(), Level.MUST)
    text = octets.decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", text)
    if wanted == "sarif":
        sarif_of(EVIL, iut=HOSTILE, command_line=HOSTILE)
    elif wanted == "junit":
        assert [case.get("classname") for case in etree.fromstring(octets).iter("testcase")] == ["RFC6544.7_2"] * 3
    elif wanted == "tap":
        assert [(outcome, directive) for outcome, _, directive in points(text)] == [
            ("not ok", ""),
            ("not ok", "TODO"),
            ("ok", "SKIP"),
        ]
        assert not any(line.lstrip().startswith(("not ok 1 - forged", "::error")) for line in text.splitlines())
    else:
        assert all(line.startswith("::") and line.count("::error title=") <= 1 for line in text.splitlines())
        assert not any(line.startswith("::error::") for line in text.splitlines())


def test_the_summary_of_a_job_is_no_markup_of_the_wires():
    text = github.summary(EVIL, run(iut=HOSTILE))
    assert "<svg" not in text
    assert "\n::error" not in text
    assert len(text.splitlines()) == len(github.summary(EVIL, run()).splitlines())


@pytest.mark.parametrize(
    ("attachments", "expected"),
    [
        ("folder", "captures/a b.pcapng"),
        ("project", "out/run/captures/a b.pcapng"),
        ("absolute", "{}/out/run/captures/a b.pcapng"),
    ],
)
def test_attachments_are_named_as_their_reader_looks_for_them(tmp_path, monkeypatch, attachments, expected):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    before = outputs.prefix(tmp_path / "out" / "run", attachments)
    text = outputs.document("junit", EVERY, run(), {}, Level.MUST, before).decode()
    assert f"[[ATTACHMENT|{expected.format(tmp_path)}]]" in text


def test_every_case_of_junit_has_a_time():
    root = etree.fromstring(junit.document([result(Verdict.NOT_APPLICABLE, duration=0.0)], run()))
    assert [case.get("time") for case in root.iter("testcase")] == ["0.000"]

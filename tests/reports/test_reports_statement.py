"""The PICS proforma, the conformance statement, and its verification: each kind of tampering is told."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest
from click.testing import CliRunner
from lxml import html

from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import PROFORMA
from conformance.commands.cli import cli
from conformance.run.pics import proforma
from conformance.verdict import Level, Result, Verdict
from reports import causes, statement
from reports.record import Recorder, RunInfo

HOSTILE = "</script><svg onload=x>\x1b[1m\0"


def result(case, verdict=Verdict.PASS, requirement="RFC6544-7.2-01", **more):
    return Result(
        case=case,
        title=case,
        section=case.partition("/")[0],
        requirements=(requirement,),
        level=Level.MUST,
        verdict=verdict,
        **more,
    )


@pytest.fixture
def folder(tmp_path):
    out = tmp_path / "run"
    (out / "captures").mkdir(parents=True)
    (out / "logs").mkdir()
    (out / "captures" / "a.pcapng").write_bytes(b"capture")
    (out / "logs" / "a.log").write_text("log")
    (out / "junit.xml").write_text("<testsuites/>")
    info = RunInfo(
        iut=f"stack {HOSTILE}", iut_version="1", command="adapter", seed=4, icetcp_version="0.1", python="3.11", platform="Linux",
        link="lab", started=1_700_000_000.0, testable=2, pics={"offers": ["passive"], "sides": ["answerer"]}, pixit={"response": 3.0},
        scan=("pics declare offers passive; the offer has no passive candidates",),
    )  # fmt: skip
    results = [
        result("RFC6544-7.2/a", Verdict.FAIL, reason="it did not come"),
        result("RFC6544-8/b", requirement="RFC6544-8-02"),
        result("RFC6544-8/c", Verdict.INCONC, requirement="RFC6544-8-01", reason=HOSTILE),
    ]
    recorder = Recorder(out / "record.jsonl", info)
    for one in results:
        recorder.write(one)
    info.causes = [cause.data() for cause in causes.find(results, REQUIREMENTS)]
    info.judged_requirements = 2
    recorder.close(info)
    return out


def command(*arguments):
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments], standalone_mode=False)
    return done.return_value, done.output


@pytest.fixture
def stated(folder):
    status, output = command("statement", folder)
    assert status == 0, output
    return folder


def verified(folder):
    status, output = command("statement", folder, "--verify")
    return status, output.splitlines()


def test_statement_says_what_was_judged_how_and_with_which_evidence(stated):
    said = json.loads((stated / "statement.json").read_bytes())
    assert said["verdicts"] == {"fail": 1, "inconc": 1, "pass": 1}
    assert said["variants"] == 3
    assert said["judged"] == {"requirements": 2, "testable": 2, "not_applicable": []}
    assert said["pixit"]["deadlines"] == {"response": 3.0}
    assert said["suite"]["catalogue"]["requirements"] == len(REQUIREMENTS)
    assert said["requirements"] == {"RFC6544-7.2-01": "fail", "RFC6544-8-01": "inconc", "RFC6544-8-02": "pass"}
    assert said["causes"][0]["id"] == "RFC6544-7.2-01"
    assert said["evidence"].keys() == {"record.jsonl", "junit.xml", "captures/a.pcapng", "logs/a.log"}
    assert said["evidence"]["captures/a.pcapng"] == {"size": 7, "sha256": hashlib.sha256(b"capture").hexdigest()}
    assert said["pics"]["capabilities"][2]["value"] == "passive"


def test_statement_that_nobody_touched_is_verified(stated):
    status, lines = verified(stated)
    assert status == 0
    assert lines[-1] == "verified: 4 files as they were when the statement was made"


def change(path):
    path.write_bytes(path.read_bytes().replace(b"a", b"A", 1))


TAMPERINGS = {
    "missing capture": (lambda f: (f / "captures" / "a.pcapng").unlink(), "missing: captures/a.pcapng"),
    "missing page": (lambda f: (f / "statement.html").unlink(), "missing: statement.html"),
    "changed capture": (lambda f: change(f / "captures" / "a.pcapng"), "changed: captures/a.pcapng (7 octets as before, others)"),
    "changed size": (lambda f: (f / "logs" / "a.log").write_text("longer"), "changed: logs/a.log (6 octets, 3 before)"),
    "changed page": (lambda f: change(f / "statement.html"), "changed: statement.html"),
    "extra file": (lambda f: (f / "captures" / "b.pcapng").write_bytes(b""), "extra: captures/b.pcapng"),
    "extra folder's file": (lambda f: ((f / "new").mkdir(), (f / "new" / "x").touch()), "extra: new/x"),
    "hostile name": (lambda f: (f / "logs" / "\x1b[2J\nverified: 4 files").touch(), "extra: logs/\\x1b[2J verified: 4 files"),
    "link for a file": (
        lambda f: ((f / "logs" / "a.log").rename(f.parent / "a.log"), (f / "logs" / "a.log").symlink_to(f.parent / "a.log")),
        "unreadable: logs/a.log (it is a link, not a file)",
    ),
    "link to a folder": (lambda f: (f / "more").symlink_to(f.parent), "extra: more"),
    "edited": (lambda f: edit(f, lambda said: said.update(judgement="Conforms")), "edited: statement.json (its digest is not that of its contents)"),
    "file left out of the statement": (lambda f: edit(f, lambda said: said["evidence"].pop("logs/a.log")), "extra: logs/a.log"),
}  # fmt: skip


def edit(folder, how):
    path = folder / "statement.json"
    said = json.loads(path.read_bytes())
    how(said)
    path.write_text(json.dumps(said))


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_tampering_is_told(stated, kind):
    tamper, told = TAMPERINGS[kind]
    tamper(stated)
    status, lines = verified(stated)
    assert status == 1
    assert told in lines


def test_verdicts_that_do_not_follow_from_the_record_are_told_even_under_a_new_digest(stated):
    def forge(said):
        said["verdicts"] = {"pass": 3}
        said["digest"] = statement.digest(said)

    edit(stated, forge)
    status, lines = verified(stated)
    assert status == 1
    assert "untrue: verdicts (the statement's verdicts are not those of record.jsonl)" in lines
    assert not [line for line in lines if line.startswith("edited")]


def test_verdict_changed_in_the_record_is_told(stated):
    record = stated / "record.jsonl"
    record.write_bytes(record.read_bytes().replace(b'"verdict":"fail"', b'"verdict":"pass"'))
    assert verified(stated)[1][0].startswith("changed: record.jsonl")


def test_repeated_cases_and_the_statement_again_are_no_tampering(stated):
    (stated / "repeat").mkdir()
    (stated / "repeat" / "record.jsonl").write_text("")
    assert verified(stated)[0] == 0
    assert command("statement", stated)[0] == 0
    assert verified(stated)[0] == 0


def test_folder_may_move(stated, tmp_path):
    shutil.copytree(stated, tmp_path / "elsewhere")
    assert verified(tmp_path / "elsewhere")[0] == 0


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b'{"statement": 1}',
        b'{"statement": 9, "evidence": {}}',
        b'{"statement": 1, "evidence": {"x": 3}}',
    ],
)
def test_what_is_no_statement_is_a_usage_error(folder, content):
    if content is not None:
        (folder / "statement.json").write_bytes(content)
    assert command("statement", folder, "--verify")[0] == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_evidence_is_told(stated):
    (stated / "logs" / "a.log").chmod(0)
    assert any(line.startswith("unreadable: logs/a.log") for line in verified(stated)[1])


def test_pages_hold_hostile_text_as_text(stated, tmp_path):
    assert command("pics", stated, "--out", tmp_path / "pics.html")[0] == 0
    for path in (stated / "statement.html", tmp_path / "pics.html"):
        text = path.read_text()
        assert not {"\x1b", "\0"} & set(text)
        assert not [e for e in html.fromstring(text).iter() if "onload" in e.attrib]


def test_proforma_has_every_capability_and_requirement_and_what_the_scan_saw(folder):
    status, output = command("pics", folder)
    found = json.loads(output)
    assert status == 0
    assert [row["key"] for row in found["capabilities"]] == list(PROFORMA)
    assert [row["requirement"] for row in found["entries"]] == list(REQUIREMENTS)
    offers = next(row for row in found["capabilities"] if row["key"] == "offers")
    assert (offers["value"], offers["said"]) == ("passive", True)
    assert offers["scan"] == ["pics declare offers passive; the offer has no passive candidates"]
    rows = {row["requirement"]: row for row in found["entries"]}
    assert [rows[name]["support"] for name in ("RFC6544-7.2-01", "RFC6544-8-02", "RFC6544-8-01")] == ["no", "yes", "?"]
    consent = next(row for row in found["entries"] if "consent" in row["condition"].split())
    assert consent["support"] == "n/a"
    assert consent["status"].startswith("c.")


def test_pics_of_the_reference_agent_are_those_that_it_says():
    status, output = command("pics", "--iut", "reference")
    assert status == 0, output
    found = json.loads(output)
    values = {row["key"]: row["value"] for row in found["capabilities"]}
    assert values["offers"] == "active, passive, so"
    assert values["restart"] == "yes"
    assert found["scan"] == []
    assert "n/a" not in {row["support"] for row in found["entries"] if not row["condition"]}


def test_proforma_leaves_the_supplier_to_the_supplier():
    made = proforma("x", "1", {}, ())
    assert made.supplier["Supplier"] == ""
    assert made.supplier["Implementation"] == "x"


@pytest.mark.parametrize(
    "arguments", [(), ("run", "--iut", "reference"), ("--iut", "reference", "--out", "x.pdf"), ("--iut", "nonesuch")]
)
def test_wrong_use_is_a_usage_error(arguments):
    assert command("pics", *arguments)[0] == 2

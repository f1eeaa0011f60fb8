"""After a run the judge reads every case's capture: what no executed case asks about is found all the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from lxml import etree, html

from conformance.verdict import Verdict
from reports.record import read

FAULTS = {
    "check-retransmitted": ("RFC6544-7.1/judge_check_is_not_retransmitted", "RFC6544-7.1-s03"),
    "check-without-priority": ("RFC8445-7.1.1/judge_check_has_its_attributes", "RFC8445-7.1.1-01"),
    "response-without-fingerprint": ("RFC8445-7.3/judge_success_has_fingerprint", "RFC8445-7.3-08"),
    "mapped-address-wrong": ("RFC8489-6.3.1.1/judge_success_has_the_mapped_address", "RFC8489-6.3.1.1-s03"),
}


def run(out, link: str, *faults: str):
    switches = "".join(f" --fault {fault}" for fault in faults)
    iut = f"exec:{sys.executable} -m conformance.agent{switches}"
    cases = "length_equals or null_frames_between"
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--link", link, "-k", cases, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("link", ["auto", "sockets"])
def test_breaches_become_findings_of_the_run(tmp_path, link) -> None:
    done = run(tmp_path, link, *FAULTS)
    assert done.returncode == 1, done.stdout
    _, results = read(tmp_path / "record.jsonl")
    findings = {r.case: r for r in results if "/judge_" in r.case and r.verdict is not Verdict.PASS}
    assert {case: r.requirements[0] for case, r in findings.items()} == dict(FAULTS.values())
    cases = {r.case for r in results} - findings.keys()
    for result in findings.values():
        assert result.verdict is Verdict.FAIL
        assert result.reason.startswith("in RFC4571-2/")
        assert any(case in result.reason for case in cases)
        assert "tester" in result.ladder
        assert (tmp_path / result.capture).exists()
        assert "--case 'RFC4571-2/" in result.repeat
        assert result.case in done.stdout


def test_of_a_healthy_agent_the_counts_are_kept(tmp_path) -> None:
    done = run(tmp_path, "auto")
    assert done.returncode == 0, done.stdout
    _, results = read(tmp_path / "record.jsonl")
    rules = {r.case: r for r in results if "/judge_" in r.case}
    assert {r.verdict for r in rules.values()} == {Verdict.PASS}
    assert "RFC6544-7.1/judge_check_is_not_retransmitted" in rules
    names = {case.get("name") for case in etree.parse(tmp_path / "junit.xml").iter("testcase")}
    assert "judge_check_is_not_retransmitted" in names
    assert f"{len(results) - len(rules)} variants of 3 cases" in done.stdout
    end = json.loads((tmp_path / "record.jsonl").read_text().splitlines()[-1])
    assert end["judged"]["check_is_not_retransmitted"] > 0
    assert "had something to judge" in done.stdout


def icetcp(*arguments: str):
    command = [sys.executable, "-m", "conformance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


RULE = "RFC6544-7.1/judge_check_is_not_retransmitted"


@pytest.mark.parametrize("name", [RULE, "judge_check_is_not_retransmitted"])
def test_a_rule_is_shown(name) -> None:
    done = icetcp("show", name)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{RULE}\n")
    assert "RFC6544-7.1-s03" in done.stdout


def test_a_rule_that_is_not_there_is_named_with_the_nearest() -> None:
    for arguments in (("show", f"{RULE}x"), ("run", "--iut", "reference", "--case", f"{RULE}x")):
        done = icetcp(*arguments)
        assert done.returncode == 2
        assert f"{RULE}x" in done.stderr
        assert f"nearest: {RULE}" in done.stderr
    assert f"nearest: {RULE}" in icetcp("run", "--case", RULE.partition("/")[2]).stderr


def test_a_rule_selects_all_cases(tmp_path) -> None:
    done = icetcp("run", "--case", RULE, "-k", "length_equals", "--quick", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout
    _, results = read(tmp_path / "out" / "record.jsonl")
    assert {"RFC6544-7.1/judge_check_is_not_retransmitted"} < {r.case for r in results}


def test_breaches_that_follow_from_another_one_are_one_cause(tmp_path) -> None:
    """A user name the wrong way round also spoils the integrity and what the peer's success would have allowed."""
    done = run(tmp_path, "auto", "check-username-reversed")
    assert done.returncode == 1, done.stdout
    end = json.loads((tmp_path / "record.jsonl").read_text().splitlines()[-1])
    assert [cause["id"] for cause in end["causes"]] == ["RFC8445-7.2.2-s01"]
    lines = done.stdout.splitlines()
    assert lines.index("causes, the most basic first:") < lines.index("failed:")
    page = html.parse(tmp_path / "report.html").getroot()
    assert page.xpath("//article/@data-cause") == ["RFC8445-7.2.2-s01"]
    assert page.xpath("//article//*[local-name()='svg']//*[local-name()='text'][contains(@class, 'bad')]")

"""After a run the judge reads every case's capture: what no executed case asks about is found all the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
    findings = {r.case: r for r in results if "/judge_" in r.case}
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
    assert not [r.case for r in results if "/judge_" in r.case]
    end = json.loads((tmp_path / "record.jsonl").read_text().splitlines()[-1])
    assert end["judged"]["check_is_not_retransmitted"] > 0
    assert "had something to judge" in done.stdout

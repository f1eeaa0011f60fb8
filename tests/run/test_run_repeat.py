"""--repeat: each variant several times; what is not always the same is flaky, with its rate, and never green."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.verdict import Level, Result, Verdict, case_name, variant_of
from reports import flaky
from reports.expectations import Deviation, Expectations
from reports.record import read

CASE = "RFC4571-2/length_equals_the_response"


def icetcp(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", "run", "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_each_variant_is_executed_so_many_times(tmp_path, jobs):
    done = icetcp(tmp_path, "--case", f"{CASE}[offerer]", "--case", f"{CASE}[answerer]", "--repeat", "3", "-j", jobs)
    assert done.returncode == 0, done.stdout
    assert "6 variants of 1 case" in done.stdout
    _, results = read(tmp_path / "record.jsonl")
    executed = [result for result in results if result.case.startswith(CASE)]
    assert {result.case for result in executed} == {
        f"{CASE}[{side}]{number}" for side in ("offerer", "answerer") for number in ("", "#2", "#3")
    }
    assert len({result.capture for result in executed}) == 6
    assert {result.flaky for result in executed} == {""}
    assert all("#" not in result.repeat for result in executed)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_first_variant_that_does_not_pass_ends_all_repetitions(tmp_path, jobs):
    agent = f"exec:{sys.executable} -m conformance.agent --fault length-includes-itself"
    selected = ["--case", f"{CASE}[offerer]", "--repeat", "20", "-j", jobs]
    done = icetcp(tmp_path, "--iut", agent, *selected, "-x")
    assert done.returncode == 1, done.stdout
    _, results = read(tmp_path / "record.jsonl")
    failed = [result for result in results if result.case.startswith(CASE) and result.verdict is Verdict.FAIL]
    assert 1 <= len(failed) <= int(jobs)
    assert f"{len(failed)} of 20 variants" in done.stdout


def test_what_comes_to_different_verdicts_is_flaky_and_fails_the_run(tmp_path):
    agent = f"exec:{sys.executable} {Path(__file__).with_name('flaky_agent.py')} length-includes-itself"
    done = icetcp(tmp_path / "run", "--iut", agent, "--case", f"{CASE}[offerer]", "--repeat", "12", "-j", "2")
    assert done.returncode == 1, done.stdout
    _, results = read(tmp_path / "run" / "record.jsonl")
    executed = [result for result in results if variant_of(result.case) == f"{CASE}[offerer]"]
    verdicts = [result.verdict for result in executed]
    passed, failed = verdicts.count(Verdict.PASS), verdicts.count(Verdict.FAIL)
    assert passed + failed == 12
    assert passed
    assert failed
    words = f"of 12 repetitions {passed} pass, {failed} fail"
    assert {result.flaky for result in executed} == {words}
    assert f"  {CASE}[offerer]  {words}" in done.stdout.splitlines()
    messages = [failure.get("message") for failure in etree.parse(tmp_path / "run" / "junit.xml").iter("failure")]
    assert sum(f"flaky, {words}" in message for message in messages) == failed
    assert json.loads((tmp_path / "run" / "record.jsonl").read_text().splitlines()[-1])["kind"] == "end"


def result(case: str, verdict: Verdict) -> Result:
    return Result(
        case=case, title="", section="RFC4571-2", requirements=("RFC4571-2-01",), level=Level.MUST, verdict=verdict
    )


def test_only_repetitions_of_one_variant_are_compared():
    results = [
        result("a[x]", Verdict.PASS),
        result("a[y]", Verdict.FAIL),
        result("b", Verdict.INCONC),
        result("b#2", Verdict.PASS),
    ]
    assert [r.case for r in flaky.tell(results)] == ["b", "b#2"]
    assert results[2].flaky == results[3].flaky == "of 2 repetitions 1 pass, 1 inconc"
    assert [r.verdict for r in results] == [Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.PASS]


def test_a_known_failure_is_known_in_each_repetition():
    known = Expectations([Deviation(("RFC4571-2/a[x]",), Verdict.FAIL, "ticket 7")])
    failed = result("RFC4571-2/a[x]#2", Verdict.FAIL)
    known.mark(failed, datetime.date(2026, 1, 1))
    assert "ticket 7" in failed.known
    assert (case_name(failed.case), variant_of("a[x#2]")) == ("RFC4571-2/a", "a[x#2]")

"""What an adapter does against the contract reaches every report, and no run in which it happened is green."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.iut.incidents import Incident, Kind
from conformance.run.evidence import Execution, Suspicion
from conformance.verdict import Level, Result, Verdict
from reports.record import read

HOSTILE = Path(__file__).with_name("hostile_adapter.py")
pytestmark = pytest.mark.timeout(180)


def run(out: Path, mode: str, number: int, *arguments: str, flag: Path | None = None):
    iut = f"exec:{sys.executable} {HOSTILE} {mode} {number} {flag or ''}".strip()
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(out), "--link", "sockets"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=170, check=False)


def reported(out: Path, done, words: str) -> list[Result]:
    """Return the verdicts, having seen that the incident stands on the console, in the record and in JUnit."""
    assert "what the adapter did against the contract:" in done.stdout
    section = done.stdout.partition("what the adapter did against the contract:")[2]
    assert words in section
    end = json.loads((out / "record.jsonl").read_text().splitlines()[-1])
    assert any(words in text for text in end["incidents"])
    root = etree.parse(out / "junit.xml")
    properties = [p.get("value") for p in root.iter("property") if p.get("name").startswith("incident.")]
    assert any(words in text for text in properties)
    results = read(out / "record.jsonl")[1]
    spoilt = [result for result in results if result.verdict is Verdict.INCONC]
    assert spoilt
    assert any(result.case in text for result in spoilt for text in end["incidents"])  # the case that it came from
    assert len(list(root.iter("error"))) == sum(r.verdict in (Verdict.INCONC, Verdict.ERROR) for r in results)
    return results


SOME = [
    word
    for name in ("length_equals_the_response", "length_equals_the_request", "null_frames_between_checks")
    for word in ("--case", f"RFC4571-2/{name}")
] + ["--variants", "usual"]


@pytest.mark.parametrize("jobs", [(), ("-j", "1")], ids=["parallel", "one at a time"])
def test_an_abort_in_each_process_after_so_many_sessions_is_not_green(tmp_path, jobs) -> None:
    """Repeated alone in a fresh process no case meets it again: a retry must not hide it."""
    done = run(tmp_path, "abort", 4, *SOME, *jobs)
    assert done.returncode == 3, done.stdout
    results = reported(tmp_path, done, "died")
    assert "SIGABRT" in done.stdout
    assert "assertion failed: sessions < limit" in done.stdout  # its last words
    died = [result for result in results if result.verdict is Verdict.INCONC]
    assert all("died in 1 of 2 executions" in result.reason for result in died)
    assert all(result.executions[1] == "2 of 2, alone in a process: pass" for result in died)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("abort", "died: the adapter was killed by SIGABRT"),
        ("exit", "died: the adapter exited with status 0"),
        ("hang", "hung: the adapter never answered open"),
        ("flood", "flooded: the adapter floods session"),
        ("wrong-id", "wrong id: the adapter wrote a response to nothing that was asked"),
        ("close-stdout", "closed stdout: the adapter closed its stdout and goes on running"),
        ("garbage", "garbage: the adapter wrote no JSON on its stdout"),
        ("die-idle", "died: the adapter exited with status 7"),
    ],
)
def test_once_in_a_run_is_not_green_either(tmp_path, mode, words) -> None:
    jobs = ("-j", "1") if mode == "die-idle" else ()
    done = run(tmp_path / "out", mode, 3, *SOME, *jobs, "--timeout", "1", flag=tmp_path / "flag")
    assert done.returncode == 3, done.stdout
    results = reported(tmp_path / "out", done, words)
    assert {result.verdict for result in results} <= {Verdict.PASS, Verdict.INCONC, Verdict.NOT_APPLICABLE}


def test_in_the_scan_it_is_not_green_and_a_proforma_says_so(tmp_path) -> None:
    """The scan is the first session: no case is executed in it."""
    done = run(tmp_path / "out", "abort", 1, *SOME, flag=tmp_path / "flag")
    assert done.returncode == 3, done.stdout
    words = "died: the adapter was killed by SIGABRT"
    assert f"{words}; its last words: assertion failed: sessions < limit; in scan" in done.stdout
    results = {result.case: result for result in read(tmp_path / "out" / "record.jsonl")[1]}
    assert results["adapter/died"].verdict is Verdict.INCONC
    iut = f"exec:{sys.executable} {HOSTILE} abort 1"
    command = [sys.executable, "-m", "conformance", "pics", "--iut", iut, "--out", str(tmp_path / "pics.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 3, done.stderr
    assert f"icetcp: the adapter {words}" in done.stderr
    assert any(words in text for text in json.loads((tmp_path / "pics.json").read_text())["incidents"])


@pytest.mark.parametrize("mode", ["noise", "strange-line"])
def test_noise_is_no_reason(tmp_path, mode) -> None:
    """Stderr is the adapter's log, and a line that some library prints on stdout is put up with."""
    done = run(tmp_path / "out", mode, 3, *SOME, flag=tmp_path / "flag")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "flag").exists()
    assert {result.verdict for result in read(tmp_path / "out" / "record.jsonl")[1]} <= {
        Verdict.PASS, Verdict.NOT_APPLICABLE,
    }  # fmt: skip


def test_an_adapter_that_stays_when_its_input_has_ended_is_not_green(tmp_path) -> None:
    done = run(tmp_path, "stay", 0, "--case", "RFC4571-2/length_equals_the_request[offerer]")
    assert done.returncode == 3, done.stdout
    results = reported(tmp_path, done, "hung: the adapter stayed for 5 s after its input had ended")
    (result,) = [result for result in results if "/judge_" not in result.case]
    assert result.reason.startswith("after the case the adapter hung")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (
            "traceback-at-end",
            "exited with status 1 when its input had ended; its last words: RuntimeError: double free",
        ),
        ("leak-at-end", "exited with status 23 when its input had ended; its last words: ==1==ERROR: LeakSanitizer"),
        ("shell-at-end", "exited with status 139 when its input had ended"),
    ],
)
def test_an_adapter_that_crashes_when_its_input_has_ended_is_not_green(tmp_path, mode, words) -> None:
    done = run(tmp_path, mode, 0, "--case", "RFC4571-2/length_equals_the_request[offerer]")
    assert done.returncode == 3, done.stdout
    reported(tmp_path, done, f"died: the adapter {words}")


def test_another_status_at_its_end_is_the_adapters_own_affair(tmp_path) -> None:
    done = run(tmp_path, "status-at-end", 0, "--case", "RFC4571-2/length_equals_the_request[offerer]")
    assert done.returncode == 0, done.stdout


def test_the_workers_of_xdist_hand_incidents_over(tmp_path) -> None:
    iut = f"{sys.executable} {HOSTILE} abort 3"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "conformance.suites", "-n", "2"]
    options = ["--iut", f"exec:{iut}", "--icetcp-out", str(tmp_path), "--icetcp-link", "sockets"]
    some = ["--icetcp-section", "RFC4571-2", "--icetcp-variants", "usual"]
    done = subprocess.run([*command, *options, *some], capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 3, done.stdout
    assert "incident: died" in done.stdout
    end = json.loads((tmp_path / "record.jsonl").read_text().splitlines()[-1])
    assert any("SIGABRT" in text for text in end["incidents"])


# -- who is to blame --------------------------------------------------------------------------------------------------


def result(case: str, verdict: Verdict = Verdict.PASS) -> Result:
    return Result(case=case, title="", section="", requirements=(), level=Level.MUST, verdict=verdict)


def death(*cases: str, after: str = "") -> Incident:
    return Incident(Kind.DIED, "it exited", 17, cases, after)


def test_the_culprit_dies_again_and_the_others_are_innocent() -> None:
    suspicion, shared = Suspicion(), death("culprit", "neighbour")
    results = {
        name: suspicion.joined([Execution(result(name), [shared], shared=True), again], name)
        for name, again in (
            ("neighbour", Execution(result("neighbour"), alone=True)),
            ("culprit", Execution(result("culprit"), [death("culprit")], alone=True)),
        )
    }
    assert suspicion.settle([shared, death("culprit")], results) == []
    assert (results["neighbour"].verdict, results["culprit"].verdict) == (Verdict.PASS, Verdict.INCONC)
    assert "died in 1 of 2 executions" in results["culprit"].reason
    assert results["neighbour"].executions[1] == "2 of 2, alone in a process: pass"


def test_nobody_passes_over_a_death_that_nobody_repeats() -> None:
    suspicion, shared = Suspicion(), death("one", "two")
    results = {
        name: suspicion.joined(
            [Execution(result(name), [shared], shared=True), Execution(result(name), alone=True)], name
        )
        for name in ("one", "two")
    }
    assert {r.verdict for r in results.values()} == {Verdict.PASS}  # until all have been repeated
    assert suspicion.settle([shared], results) == list(results.values())
    assert {r.verdict for r in results.values()} == {Verdict.INCONC}
    assert "not when each was repeated alone" in results["one"].reason


def test_a_failure_stays_a_failure() -> None:
    suspicion, shared = Suspicion(), death("one", "two")
    results = {"one": result("one", Verdict.FAIL), "two": result("two")}
    assert suspicion.settle([shared], results) == [results["two"]]
    assert results["one"].verdict is Verdict.FAIL


def test_the_end_of_an_idle_process_is_its_last_cases() -> None:
    results = {"one": result("one"), "two": result("two")}
    assert Suspicion().settle([death(after="two")], results) == [results["two"]]
    assert results["two"].reason == "after the case the adapter died: it exited"


def test_what_belongs_to_no_case_is_a_result_of_its_own() -> None:
    (lost,) = Suspicion().settle([death()], {"one": result("one")})
    assert (lost.case, lost.verdict) == ("adapter/died", Verdict.INCONC)


def test_a_strange_line_is_no_reason() -> None:
    line = Incident(Kind.STRANGE_LINE, "'Hello!'", 17, ("one",))
    assert Suspicion().settle([line], {"one": result("one")}) == []
    execution = Execution(result("one"), [line])
    assert not execution.to_be_repeated
    assert Suspicion().joined([execution], "one").verdict is Verdict.PASS

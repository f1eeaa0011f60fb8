"""Whole runs: through pytest itself, against a healthy and a broken agent, and what they write."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.iut import stacks
from conformance.iut.stacks.build import build, built
from conformance.peer.lab import WIRE_IUT
from conformance.run.discovery import discover
from conformance.run.known import known_for
from conformance.suites.dimensions import usual_form
from conformance.verdict import Level, Result, Verdict, case_name, is_rule
from pcaps.reading import read_capture
from reports.record import read

TESTERS = ("127.16.", "fd6c::", "198.18.", "fd6d::")  # where the tester's addresses are in the run's own network
_DOUBTFUL = 12  # so many inconclusive cases of a real stack get a second look
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "reports" / "junit-10-rules.xsd"))


def run(out: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--pyargs",
        "conformance.suites",
        "--icetcp-out",
        str(out),
    ]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=cwd, timeout=280, check=False)


def icetcp(out: Path, *arguments: str, within: float = 200) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", "run", "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)


def faulty(name: str) -> str:
    return f"exec:{sys.executable} -m conformance.agent --fault {name}"


def of_cases(out: Path) -> list[Result]:
    """Return a run's verdicts of cases, without those of the judge's rules."""
    return [result for result in read(out / "record.jsonl")[1] if not is_rule(result.case)]


pytestmark = pytest.mark.timeout(300)  # a run of everything takes a minute on two idle processors


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    out = tmp_path_factory.mktemp("healthy")
    return out, run(out, cwd=out)


def test_every_case_passes_and_pytest_says_so(healthy) -> None:
    out, done = healthy
    assert done.returncode == 0, done.stdout
    results = of_cases(out)
    passed = [result for result in results if result.verdict is Verdict.PASS]
    others = [result for result in results if result.verdict is not Verdict.PASS]
    assert f"{len(passed)} passed, {len(others)} skipped" in done.stdout
    assert {result.verdict for result in others} <= {Verdict.NOT_APPLICABLE}
    odd = {result.case: result.reason for result in others if "pics lack" not in result.reason}
    assert len(odd) <= 8, odd  # what the reference agent is not, it declares; these ask for what an agent need not do
    assert len(passed) > 10 * len(others)


def test_the_junit_file_is_accepted_and_complete(healthy) -> None:
    out, _ = healthy
    root = etree.parse(out / "junit.xml")
    SCHEMA.assertValid(root)
    _, results = read(out / "record.jsonl")
    assert len(list(root.iter("testcase"))) == len(results)
    assert {suite.get("name") for suite in root.iter("testsuite")} == {result.section for result in results}


def test_every_case_has_a_capture_of_its_own_connections_and_a_log(healthy) -> None:
    out, _ = healthy
    info, _ = read(out / "record.jsonl")
    results = of_cases(out)
    testers: dict[str, str] = {}
    for result in (result for result in results if result.verdict is Verdict.PASS):
        assert (out / result.log).read_text()
        for connection in read_capture(out / result.capture).connections:
            addresses = {connection.client.ip, connection.server.ip}
            (tester,) = {ip for ip in addresses - set(WIRE_IUT.values()) if ip.startswith(TESTERS)}
            assert testers.setdefault(tester, result.case) == result.case
            assert not connection.lossy
    assert len(testers) > 100
    assert info.link == "lab"


def test_the_whole_run_takes_little_longer_than_its_longest_case(healthy) -> None:
    out, _ = healthy
    info, results = read(out / "record.jsonl")
    end = json.loads((out / "record.jsonl").read_text().splitlines()[-1])
    longest = max(result.duration for result in results)
    assert end["duration"] < max(1.5 * longest + 10, len(results) / 20)  # 50 cases a second on two idle processors
    assert info.duration == end["duration"]


def test_every_case_that_watches_a_long_clock_declares_it(healthy) -> None:
    """Else it would begin last, and the whole run be longer by what it watches."""
    out, _ = healthy
    declared = {case.id: case.watches for case in discover().every}
    wrong = {
        result.case: (result.watched, declared[result.case])
        for result in of_cases(out)
        if result.watched > declared[result.case] + 2.5
    }
    assert wrong == {}
    assert max(declared.values()) > 10


def test_the_longest_cases_begin_first_and_others_beside_them(healthy) -> None:
    out, _ = healthy
    length = {case.id: case.length for case in discover().every}
    begun = [result.case for result in sorted(of_cases(out), key=lambda result: result.started)]
    # 64 at once and 48 long ones beside them, in processes of which one may be ahead of the other
    first, longest = begun[:200], sorted(length.values())[-32]
    assert {case for case, seconds in length.items() if seconds > longest} <= set(first)
    assert any(not length[case] for case in first)


def test_a_quick_run_leaves_long_cases_out() -> None:
    every, quick = discover(), discover(["--icetcp-variants=one"])
    assert max(case.length for case in quick.selected) <= 4
    names = {case_name(case.id) for case in every.every}
    left = names - {case_name(case.id) for case in quick.selected}
    assert left == {name for name in names if all(c.length > 4 for c in every.every if case_name(c.id) == name)}
    assert left
    (long, *_) = sorted(left)
    named = discover(["--icetcp-variants=one", f"--icetcp-case={long}"]).selected
    assert [case_name(case.id) for case in named] == [long]


def test_a_broken_agent_fails_the_cases_of_the_broken_requirement(tmp_path) -> None:
    done = run(tmp_path, "--iut", faulty("null-frame-closes"), "--icetcp-section", "RFC4571")
    assert done.returncode == 1
    _, results = read(tmp_path / "record.jsonl")
    failed = [result for result in results if result.verdict is Verdict.FAIL]
    assert failed
    assert all("RFC4571-2-s02" in result.requirements for result in failed)
    assert all("null frame" in result.ladder and result.expected and result.repeat for result in failed)
    root = etree.parse(tmp_path / "junit.xml")
    SCHEMA.assertValid(root)
    assert {failure.get("type") for failure in root.iter("failure")} == {"STATED"}


def test_x_stops_and_k_selects(tmp_path) -> None:
    done = run(tmp_path, "--iut", faulty("passive-not-listening"), "-x", "-k", "to_a_passive_candidate_is_accepted")
    assert done.returncode == 1
    assert "stopping after 1 failures" in done.stdout
    cases = [result for result in of_cases(tmp_path) if result.case.startswith("RFC")]  # and not what the scan says
    assert [result.verdict for result in cases].count(Verdict.FAIL) == 1


def test_the_workers_of_xdist_make_one_report(tmp_path) -> None:
    options = ["--icetcp-section", "RFC4571-2", "--icetcp-variants", "one", "-n", "2"]
    done = run(tmp_path, *options, "--iut", faulty("null-frame-closes"))
    assert done.returncode == 1, done.stdout
    info, results = read(tmp_path / "record.jsonl")
    assert (info.iut, len({result.case for result in results})) == ("icetcp reference agent", len(results))
    assert f"{sum(r.verdict is Verdict.FAIL for r in results if 'judge_' not in r.case)} failed" in done.stdout
    failed = next(result for result in results if result.verdict is Verdict.FAIL)
    assert failed.ladder
    assert read_capture(tmp_path / failed.capture).connections
    root = etree.parse(tmp_path / "junit.xml")
    SCHEMA.assertValid(root)
    assert len(root.findall(".//testcase")) == len(results)
    assert f"written: {tmp_path / 'junit.xml'}" in done.stdout


@pytest.mark.parametrize(
    ("iut", "status", "words"),
    [
        ("exec:false", 3, "icetcp: cannot test false: the adapter exited with status 1"),
        ("nosuch", 4, "no stack is called"),
    ],
)
def test_xdist_starts_no_workers_for_what_cannot_be_judged(tmp_path, iut, status, words) -> None:
    done = run(tmp_path, "--iut", iut, "-n", "2")
    assert (done.returncode, "workers [" in done.stdout) == (status, False)
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_should_fails_the_run_only_when_asked(tmp_path) -> None:
    options = [
        "--iut",
        faulty("other-pref-not-8191"),
        "-k",
        "other_preference_on_a_single",
        "--icetcp-variants",
        "usual",
    ]
    tolerant = run(tmp_path, *options)
    assert (tolerant.returncode, "2 skipped" in tolerant.stdout) == (0, True)
    strict = run(tmp_path, *options, "--icetcp-fail-on", "should")
    assert (strict.returncode, "2 failed" in strict.stdout) == (1, True)
    assert {result.level for result in of_cases(tmp_path)} == {Level.SHOULD}


def test_without_a_network_of_its_own_the_captures_say_so(tmp_path) -> None:
    done = icetcp(tmp_path, "--link", "sockets", "--section", "7.2", "--quick")
    assert done.returncode == 0, done.stdout
    info, _ = read(tmp_path / "record.jsonl")
    results = of_cases(tmp_path)
    assert info.link == "sockets"
    judged = [result for result in results if result.verdict is not Verdict.NOT_APPLICABLE]
    assert b"Written by the lower tester" in (tmp_path / judged[0].capture).read_bytes()
    assert all(read_capture(tmp_path / result.capture).connections for result in judged if "accept" not in result.case)


def test_one_case_at_a_time(tmp_path) -> None:
    done = icetcp(tmp_path, "-j", "1", "-k", "active_candidate_has_port_9")
    assert done.returncode == 0, done.stdout
    assert {result.case.partition("[")[0] for result in of_cases(tmp_path)} == {
        "RFC6544-4.5/active_candidate_has_port_9"
    }


def test_the_repeat_command_repeats_one_case(healthy, tmp_path) -> None:
    out, _ = healthy
    result = next(r for r in of_cases(out) if "length_field_split_between_segments[offerer]" in r.case)
    done = icetcp(tmp_path, *shlex.split(result.repeat)[2:], "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert [r.case for r in of_cases(tmp_path)] == [result.case]


def in_a_calmer_hour(name: str, doubtful: list[Result], out: Path) -> dict[str, Verdict]:
    """Return what cases come to in a second run: on a busy machine a stack with short deadlines gives up."""
    icetcp(out, "--iut", name, "-j", "2", *(f"--case={result.case}" for result in doubtful))
    wanted = {result.case for result in doubtful}
    return {r.case: r.verdict for r in read(out / "record.jsonl")[1] if r.case in wanted}


_SECONDS = {"ice4j": 900, "librice": 1200}  # for a run of the usual variants; others: 280
_STACKS = [
    pytest.param(name, marks=pytest.mark.timeout(_SECONDS.get(name, 280) + 220))  # and a second look
    for name in os.environ.get("ICETCP_STACKS", "libnice").split()
]


@pytest.mark.parametrize("name", _STACKS)
def test_a_real_stack_comes_to_exactly_its_known_verdicts(name, tmp_path) -> None:
    description = stacks.description(name)
    if built(description) is None:
        build(description)
    done = icetcp(tmp_path, "--iut", name, "--variants", "usual", within=_SECONDS.get(name, 280))
    _, results = read(tmp_path / "record.jsonl")
    expected = stacks.expectations(stacks.resolve(name))
    verdicts = {r.case: r.verdict for r in results if r.verdict is not Verdict.NOT_APPLICABLE}
    doubtful = [r for r in results if r.verdict is Verdict.INCONC and known_for(expected, r.case) is None]
    if 0 < len(doubtful) <= _DOUBTFUL:
        verdicts |= in_a_calmer_hour(name, doubtful, tmp_path / "again")
    verdicts = {case: v for case, v in verdicts.items() if not (is_rule(case) and v is Verdict.PASS)}  # where they show
    entries = {case: found for case in verdicts if (found := known_for(expected, case))}
    known = {case: entry.verdict for case, entry in entries.items()}
    seen = {case: v for case, v in verdicts.items() if v is not Verdict.PASS}
    otherwise = {
        case: (seen.get(case), known.get(case)) for case in sorted(seen | known) if seen.get(case) != known.get(case)
    }
    assert not otherwise, f"(came to, known as): {otherwise}\n{done.stdout}"
    usual = [case for case in expected if usual_form(case) == case and "/judge_" not in case]  # rules: where they show
    assert not [case for case in usual if not any(case in (variant, case_name(variant)) for variant in verdicts)]
    assert all("known deviation" in r.note for r in results if r.case in seen)
    assert len([r for r in results if r.verdict is Verdict.PASS]) > 50


def test_a_second_address_of_the_iut_is_no_deviation(tmp_path) -> None:
    adapter = Path(__file__).parents[1] / "suites" / "multihomed_adapter.py"
    cases = "one_connection_serves or fails_the_remote_candidate or no_second_connection or media_waits or not_selected"
    iut = f"exec:{sys.executable} {adapter}"
    done = icetcp(tmp_path, "--iut", iut, "--link", "sockets", "--variants", "usual", "-k", cases)
    assert done.returncode == 0, done.stdout
    passed = {r.case.partition("[")[0] for r in read(tmp_path / "record.jsonl")[1] if r.verdict is Verdict.PASS}
    assert len(passed) >= 5, passed


def test_a_death_is_laid_at_the_door_of_the_case_that_caused_it(tmp_path) -> None:
    frail = f"exec:{sys.executable} {Path(__file__).with_name('frail_adapter.py')}"
    done = icetcp(tmp_path, "--iut", frail, "--section", "10", "--variants", "usual", "--link", "sockets")
    assert done.returncode == 3, done.stdout
    _, results = read(tmp_path / "record.jsonl")
    verdicts = {result.case: result.verdict for result in results}
    assert len(verdicts) > 8
    guilty = {case for case, verdict in verdicts.items() if verdict is Verdict.INCONC}
    of_streams = ("byte_stream", "looks_like_stun", "data_is_told_from_stun")
    assert guilty == {case for case in verdicts if any(words in case for words in of_streams)}
    assert set(verdicts.values()) <= {Verdict.PASS, Verdict.INCONC, Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize(
    "told",
    [
        "--hide state --hide selected --deaf",
        "--hide state --hide data --drop obeys",
        "--only --drop offers",
        "--only --drop connects",
    ],
)
def test_an_iut_that_tells_little_is_judged_by_what_it_does(tmp_path, told) -> None:
    reticent = f"exec:{sys.executable} {Path(__file__).with_name('reticent_adapter.py')} {told}"
    sections = [word for section in ("7.1", "8", "10", "11.1") for word in ("--section", section)]
    done = icetcp(tmp_path, "--iut", reticent, "--quick", "--link", "sockets", *sections)
    assert done.returncode == 0, done.stdout
    _, results = read(tmp_path / "record.jsonl")
    verdicts = {result.case: result.verdict for result in results}
    assert set(verdicts.values()) == {Verdict.PASS, Verdict.NOT_APPLICABLE}, done.stdout

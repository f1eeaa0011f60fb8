"""The premise of a run: pics held against what the stack does, and how much was judged stands in every report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.catalogue import REQUIREMENTS
from conformance.catalogue.capabilities import validate
from conformance.iut.description import Description
from conformance.run.scan import Scan, compare
from conformance.verdict import ExitStatus, Level, Result, Verdict
from reports import reach
from reports.record import RunInfo, read

ADAPTER = Path(__file__).with_name("reticent_adapter.py")
ADDRESSES = ("127.0.0.1", "::1")
pytestmark = pytest.mark.timeout(120)


def run(out: Path, *arguments: str, says: dict[str, object], does: str = "") -> subprocess.CompletedProcess[str]:
    said = " ".join(f"--say {key}='{json.dumps(value)}'" for key, value in says.items())
    iut = f"exec:{sys.executable} {ADAPTER} {said} {does}"
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(out), "--link", "sockets"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=110, check=False)


def scanned(pics: dict[str, object], *candidates: str) -> Scan:
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "m=audio 9 TCP/RTP/AVP 0", "c=IN IP4 127.0.0.1"]
    text = "\r\n".join([*lines, "a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 22, *candidates, ""])
    found = Scan(dict(pics))
    compare(found, Description("offer", text), ADDRESSES)
    return found


def candidate(address: str, tcptype: str = "passive", component: int = 1) -> str:
    return f"a=candidate:1 {component} TCP 2105458943 {address} 5000 typ host tcptype {tcptype}"


def test_declared_and_not_done_is_a_finding() -> None:
    pics = {"offers": ["passive", "so"], "families": ["4", "6"], "components": 2}
    found = scanned(pics, candidate("127.0.0.1"))
    assert found.findings == [
        "pics declare offers so; the offer has no so candidates",
        "pics declare families 6; the offer has no IPv6 candidates",
        "pics declare components 2; the offer has 1",
    ]
    assert (found.told, found.pics) == ([], pics)


@pytest.mark.parametrize(
    ("obeys", "families", "candidates", "lacks"),
    [
        (["addresses"], ["4", "6"], ["127.0.0.1"], True),
        (["addresses"], ["4", "6"], ["127.0.0.1", "::1"], False),
        (["addresses"], ["4"], ["127.0.0.1"], False),
        (["addresses"], ["4", "6"], [], False),
        (["tcptypes"], ["4", "6"], ["127.0.0.1"], False),
    ],
)
def test_ipv6_is_looked_for_elsewhere_where_the_stack_obeys_and_has_it(obeys, families, candidates, lacks) -> None:
    found = scanned({"obeys": obeys, "families": families}, *map(candidate, candidates))
    assert found.lacks_ipv6 is lacks


def test_done_and_not_declared_is_told_and_used() -> None:
    found = scanned({"offers": ["passive"]}, candidate("127.0.0.1"), candidate("::1", "active"))
    assert found.told == [
        "your offer has active candidates; offers says [passive]",
        "your offer has IPv6 candidates; families says [4]",
    ]
    assert found.pics == {"offers": ["passive", "active"], "families": ["4", "6"]}
    assert found.findings == []


def test_candidates_elsewhere_are_told_but_help_no_case() -> None:
    found = scanned({"offers": ["passive"]}, candidate("127.0.0.1"), candidate("2001:db8::1"))
    assert found.told == [
        "your offer has IPv6 candidates; families says [4] (not used: none of them is at an address of the run, 127.0.0.1, ::1)"
    ]
    assert "families" not in found.pics


def test_what_is_declared_and_done_is_no_word_worth() -> None:
    found = scanned({"offers": ["passive"], "obeys": ["addresses"]}, candidate("127.0.0.1"))
    assert (found.findings, found.told) == ([], [])
    found = scanned({"offers": ["passive"], "obeys": ["addresses"]}, candidate("192.0.2.1"))
    assert found.findings == ["pics declare obeys addresses; the offer has 192.0.2.1, which was not asked for"]


@pytest.mark.parametrize(("key", "near"), [("famlies", "families"), ("offer", "offers"), ("Sessions", "sessions")])
def test_an_unknown_key_is_refused_with_the_nearest_known_one(key, near) -> None:
    assert validate({key: 1}) == [f"pics have no key {key!r}; the nearest is {near!r}"]


def test_keys_of_experiments_are_free() -> None:
    assert validate({"x-anything": 1, "decides": 3}) == []


def test_a_misspelt_key_ends_the_run_before_it_begins(tmp_path) -> None:
    done = run(tmp_path / "out", says={"famlies": ["6"]})
    assert done.returncode == 3
    assert "pics have no key 'famlies'; the nearest is 'families'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_premise_stands_in_every_report(tmp_path) -> None:
    says = {"families": ["4"], "components": 1, "trickle": False}
    done = run(tmp_path, "--section", "RFC4571-2", "--variants", "usual", says=says)
    assert done.returncode == 0, done.stdout + done.stderr
    info, recorded = read(tmp_path / "record.jsonl")
    results = [result for result in recorded if "/judge_" not in result.case]
    end = json.loads((tmp_path / "record.jsonl").read_text().splitlines()[-1])
    judged = {r for result in results if result.verdict is Verdict.PASS for r in result.requirements}
    how_much = f"({len(judged)} of {info.testable} testable requirements judged, "
    assert f"conforms: every requirement that was judged is met {how_much}" in done.stdout
    assert end["judged_requirements"] == len(judged)
    assert f"; of the {info.with_cases} with cases " in done.stdout
    testable = {r.id for r in REQUIREMENTS.values() if not r.untestable}
    assert (info.testable, info.testable - info.pending) == (len(testable), info.with_cases)
    assert info.pics["components"] == 1
    assert info.pics["families"] == ["4", "6"]  # which it has
    assert info.scan == ("your offer has IPv6 candidates; families says [4]",)
    assert "  your offer has IPv6 candidates; families says [4]" in done.stdout.splitlines()
    assert end["left_out"]["the IUT's pics lack components 2"] > 3
    (group,) = end["not_judged"]
    assert group["reason"].startswith("segments of our own need a network of the run's own")
    assert (group["variants"], group["cases"]) == (sum(r.verdict is Verdict.NOT_APPLICABLE for r in results), 5)
    values = {p.get("name"): p.get("value") for p in etree.parse(tmp_path / "junit.xml").iter("property")}
    assert values["pics.components"] == "1"
    assert values["scan.1"] == "your offer has IPv6 candidates; families says [4]"
    assert values["requirements.judged"] == str(len(judged))
    assert values["requirements.testable"] == str(info.testable)
    assert values["requirements.with_cases"] == str(info.with_cases)


ONE = ("--case", "RFC4571-2/length_equals_the_request[answerer]")


def test_a_method_that_is_declared_and_not_there_is_a_failed_case(tmp_path) -> None:
    done = run(tmp_path, *ONE, says={"restart": True, "connects": ["active", "passive"]}, does="--refuse restart")
    assert done.returncode == 1, done.stdout + done.stderr
    failed = {r.case: r.reason for r in read(tmp_path / "record.jsonl")[1] if r.verdict is Verdict.FAIL}
    why = "pics declare restart; told to restart ICE, it makes no offer with new credentials"
    assert failed == {"adapter/declared_and_not_done[restart]": why}


def test_what_is_done_and_not_declared_is_used(tmp_path) -> None:
    does = "--drop restart --drop connects --drop ice2"
    done = run(tmp_path, *ONE, says={}, does=does)
    assert done.returncode == 0, done.stdout + done.stderr
    info, _ = read(tmp_path / "record.jsonl")
    does_too = [
        f"the IUT does what pics do not declare: {what}" for what in ("connects passive", "connects active", "restart")
    ]
    assert info.scan == ("your offer says ice-options ice2; pics leave ice2 out", *does_too)
    assert {
        "restart": True,
        "trickle": True,
        "ice2": True,
        "connects": ["passive", "active"],
    }.items() <= info.pics.items()


def test_one_that_only_answers_is_held_against_its_answer(tmp_path) -> None:
    done = run(tmp_path, *ONE, says={"sides": ["answerer"], "offers": ["passive"], "components": 2})
    assert done.returncode == 0, done.stdout + done.stderr
    info, _ = read(tmp_path / "record.jsonl")
    assert "your answer has active candidates; offers says [passive]" in info.scan
    assert info.pics["offers"] == ["passive", "active", "so"]


@pytest.mark.parametrize(("required", "status"), [("100%", 3), ("0.1", 0)])
def test_a_gate_can_require_how_much_is_judged(tmp_path, required, status) -> None:
    some = ("--case", "RFC4571-2/length_equals_the_request[offerer]", "--require-reach", required)
    done = run(tmp_path, *some, says={"components": 1})
    assert done.returncode == status, done.stdout + done.stderr
    assert ("not judged: too little was judged (" in done.stdout) is (status == 3)


@pytest.mark.parametrize("wrong", ["most", "101%", "-1", "nan"])
def test_a_percentage_is_one(tmp_path, wrong) -> None:
    done = run(tmp_path, f"--require-reach={wrong}", says={})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is not a percentage from 0% to 100%" in done.stderr


# -- counting ---------------------------------------------------------------------------------------------------------


def result(case: str, verdict: Verdict, reason: str = "", requirement: str = "R-1") -> Result:
    return Result(
        case=case, title="", section="", requirements=(requirement,), level=Level.MUST, verdict=verdict, reason=reason
    )


def test_reasons_are_not_split_by_ports_and_addresses() -> None:
    reasons = [
        f"the adapter cannot open this way: port {port} of 127.16.0.{port % 7}:{port} is taken"
        for port in (9, 40123, 5000)
    ]
    results = [result(f"a/x[{n}]", Verdict.NOT_APPLICABLE, reason) for n, reason in enumerate(reasons)]
    results += [result("a/y", Verdict.NOT_APPLICABLE, "the IUT's pics lack trickle; the IUT's pics have offers so")]
    first, second = reach.not_judged(results)
    assert (first.reason, first.variants, first.cases) == (
        "the adapter cannot open this way: port N of ADDRESS:N is taken", 3, {"a/x"}
    )  # fmt: skip
    assert first.remedy == "an adapter that serves open with these parameters"
    assert second.remedy == "an IUT that declares trickle in its pics and an IUT without offers so"


def test_only_pass_and_fail_judge() -> None:
    verdicts = [Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR, Verdict.NOT_APPLICABLE, Verdict.NONE]
    results = [result(f"c{n}", verdict, requirement=f"R-{n}") for n, verdict in enumerate(verdicts)]
    assert reach.judged(results) == {"R-0", "R-1"}


def test_too_little_is_not_green_but_a_failure_stays_one() -> None:
    run = RunInfo(
        iut="x", iut_version="1", command="x", seed=0, icetcp_version="0", python="3", platform="p", link="lab",
        started=1.0, testable=40, with_cases=10, judged_requirements=7, required_reach=0.8,
    )  # fmt: skip
    green, red = [result("c", Verdict.PASS)], [result("c", Verdict.FAIL)]
    assert reach.status(green, run, Level.MUST) is ExitStatus.COULD_NOT_JUDGE
    assert reach.status(red, run, Level.MUST) is ExitStatus.DOES_NOT_CONFORM
    assert reach.told(run) == "7 of 40 testable requirements judged, 18 %; of the 10 with cases 70 %"
    run.judged_requirements = 8
    assert reach.status(green, run, Level.MUST) is ExitStatus.CONFORMS
    assert reach.status(green, None, Level.MUST) is ExitStatus.CONFORMS


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.PASS, ExitStatus.CONFORMS),
        (Verdict.FAIL, ExitStatus.DOES_NOT_CONFORM),
        (Verdict.NOT_APPLICABLE, ExitStatus.COULD_NOT_JUDGE),
    ],
)
def test_rules_that_find_nothing_wrong_have_judged_no_variant(verdict, status) -> None:
    rule = result("RFC6544-7.1/judge_checks_are_framed", Verdict.PASS)
    assert reach.status([rule, result("RFC6544-7.1/check_is_framed", verdict)], None, Level.MUST) is status


def test_a_stack_is_met_at_its_candidate_of_the_family_that_its_pics_declare(tmp_path: Path) -> None:
    """It may have others as well, which are told."""
    done = run(tmp_path, "--case", "RFC4571-2/length_equals_the_request", says={"families": ["6"]})
    _, results = read(tmp_path / "record.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [result.case for result in results if result.verdict is Verdict.FAIL] == []
    assert "has IPv4 candidates; families says [6]" in done.stdout

"""The soak notices a verdict that depends on the rate, and a run that comes to none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from soak import RATES, Rate, Soak, judge, races, soak

ONE = ("--case", "RFC4571-2/length_equals_the_request[offerer]", "--link", "sockets")
HOSTILE = Path(__file__).parents[1] / "run" / "hostile_adapter.py"


def line(variant: str, verdict: str, reason: str = "") -> dict[str, str]:
    return {"kind": "verdict", "variant": variant, "verdict": verdict, "reason": reason}


def test_a_verdict_that_changes_with_the_rate_is_told() -> None:
    found = Soak("x")
    found.take("slow", [line("steady", "fail"), line("unsteady", "inconc", "early"), line("unsteady", "fail", "came")])
    found.take("fast", [line("steady", "fail"), line("unsteady", "pass")])
    found.settle()
    assert list(found.unsteady()) == ["unsteady"]
    assert found.told() == ["x: unsteady", "    slow: 1 fail", "    fast: 1 pass", "    fail, 1 times: came"]


def test_a_rule_that_is_broken_once_is_told() -> None:
    found = Soak("x")
    for lines in ([line("R/judge_rule", "fail", "sent twice")], [], []):
        found.take("fast", lines)
    found.settle()
    assert "    fast: 1 fail, 2 pass" in found.told()


def test_the_consequence_of_a_known_race_is_no_other_verdict() -> None:
    (race,) = [race for race in races("libjuice") if "LENGTH of both" in race]
    found = Soak("libjuice", races("libjuice"))
    for verdict, known in (("pass", ""), ("inconc", race), ("pass", "")):
        found.take("fast", [line("S/case", verdict) | {"known": known}, line("S/other", "n/a")])
    found.settle()
    assert not found.unsteady()
    assert found.struck == {("S/case", "fast"): 1}
    found.take("fast", [line("S/case", "inconc") | {"known": "something else"}])
    assert list(found.unsteady()) == ["S/case"]


def test_a_stack_without_known_failures_has_no_races() -> None:
    assert races("reference") == races("exec:true") == frozenset()


@pytest.mark.timeout(120)
def test_the_reference_agent_comes_to_the_same_verdict_at_each_rate(tmp_path) -> None:
    found = soak("reference", 1, tmp_path, ONE)
    assert not found.unsteady()
    assert {rate: found.runs[rate.name] for rate in RATES} == dict.fromkeys(RATES, 1)
    assert dict(found.verdicts[ONE[1]]) == {rate.name: {"pass": 1} for rate in RATES}


@pytest.mark.timeout(120)
def test_an_iut_that_fails_now_and_then_is_unsteady(tmp_path) -> None:
    iut = f"exec:{sys.executable} {HOSTILE} wrong-id 1 {tmp_path / 'flag'}"
    found = Soak("x")
    for number in range(2):
        found.take("slow", judge(iut, Rate("slow", ("-j", "1")), tmp_path / str(number), ONE))
    found.settle()
    assert found.told()[1] == "    slow: 1 inconc, 1 pass"


def test_a_run_without_verdicts_is_no_steady_one(tmp_path) -> None:
    with pytest.raises(RuntimeError, match="status 2"):
        judge("no-such-stack", Rate("slow"), tmp_path, ONE)


def test_an_interrupted_soak_goes_on_where_it_was(tmp_path) -> None:
    lines = [line("x", "pass"), {"kind": "end"}]
    (tmp_path / "record.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert judge("no-such-stack", Rate("slow"), tmp_path, ONE, resume=True) == lines
    with pytest.raises(RuntimeError, match="status 2"):
        judge("no-such-stack", Rate("slow"), tmp_path, ONE)
    (tmp_path / "record.jsonl").write_text(json.dumps(lines[0]))
    with pytest.raises(RuntimeError, match="status 2"):
        judge("no-such-stack", Rate("slow"), tmp_path, ONE, resume=True)

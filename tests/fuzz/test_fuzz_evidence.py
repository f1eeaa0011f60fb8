"""What a campaign has seen is not lost: deaths that never come again, doubtful growth, interrupts, own kills."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import etree

from conformance.iut import stacks
from fuzz.campaign.coordinator import conduct
from fuzz.campaign.iut import Iut, starter
from fuzz.campaign.shard import Shard
from fuzz.campaign.spec import Spec
from fuzz.command import fuzz
from fuzz.judging.oracle import judge
from fuzz.judging.runner import Runner
from fuzz.judging.session import fatal
from fuzz.player.outcome import PLAN
from fuzz.player.render import request

HOSTILE = Path(__file__).with_name("hostile.py")
TARGET = f"exec:{sys.executable} -m fuzz.targets"


def hostile(tmp_path, mode, at="60"):
    return f"exec:{sys.executable} {HOSTILE} {shlex.quote(mode)} {tmp_path / 'state'} {at}"


def campaign(tmp_path, iut, *options, cases="150"):
    out = tmp_path / "out"
    arguments = ["--iut", iut, "--cases", cases, "--classes", "request", "--out", str(out), *options]
    done = CliRunner().invoke(fuzz, arguments, standalone_mode=False, catch_exceptions=False)
    return done, out, json.loads((out / "summary.json").read_text())


@pytest.mark.parametrize(
    ("mode", "at", "kind", "cause", "hits"),
    [
        ("panic", "60", "death", "Go panic", 1),
        ("panic", "60,190,320", "death", "Go panic", 3),
        ("signal", "60", "death", "SIGSEGV", 1),
        ("late panic", "60", "death", "Go panic", 1),
        ("exception", "60", "exception", "ValueError", 1),
        ("late exception", "60", "exception", "ValueError", 1),
        ("sanitizer", "60", "exception", "AddressSanitizer", 1),
        ("garbage", "60", "garbage", "process", 1),
    ],
)
def test_a_death_or_exception_that_never_comes_again_is_a_finding(tmp_path, mode, at, kind, cause, hits):
    done, out, summary = campaign(tmp_path, hostile(tmp_path, mode, at), cases="400" if hits > 1 else "150")
    assert done.return_value == 1, done.output
    (finding,) = summary["findings"]
    assert finding["kind"] == kind
    assert cause in finding["cause"]
    assert finding["hits"] == hits
    shown, tried = map(int, finding["rate"].split("/"))
    assert shown == 0
    assert tried > 0
    assert not finding["reproduced"]
    assert f"seen {hits} times, reproduced in 0/" in done.output
    folder = out / "findings" / finding["bucket"]
    history = (folder / "history.txt").read_text()
    assert " sent " in history
    assert " received " in history
    assert history.split()[:3] == ["0.000000", "call", "open"]
    if mode not in ("signal", "garbage"):
        said = {"Go panic": "goroutine 34", "ValueError": "ValueError: seldom", "AddressSanitizer": "stun_parse"}[cause]
        assert said in (folder / "stderr.txt").read_text()
        assert said in history
    assert finding["case"]["steps"]
    junit = etree.parse(out / "junit.xml")
    assert [one.get("type") for one in junit.iter("failure")] == [kind]


def test_a_death_when_the_campaign_is_over_is_a_finding(tmp_path):
    """It comes after the last case, while nobody asks the IUT anything."""
    out = tmp_path / "out"
    out.mkdir()
    shard = Shard(Spec(iut=TARGET, out=str(out), cases=20, classes=["request"]), lambda status: None, lambda: False)
    look = shard._last_look

    def kill_and_look():
        os.kill(shard._runner.iut.pid, signal.SIGKILL)
        shard._runner.iut.dies(5)
        look()

    shard._last_look = kill_and_look
    status = shard.run()
    ((found,), (history,)) = status.found, out.glob("*/*/history.txt")
    assert (found["kind"], found["cause"]) == ("death", "SIGKILL")
    assert " sent " in history.read_text()


def test_a_death_between_two_sessions_has_the_history_of_the_first(tmp_path):
    """The next session cannot be opened, so that nothing of it could be told."""
    out = tmp_path / "out"
    out.mkdir()
    shard = Shard(Spec(iut=TARGET, out=str(out), cases=40, classes=["request"]), lambda status: None, lambda: False)
    watch, killed = shard._watch, []

    def kill_and_watch(parts):
        if not killed:
            killed.append(shard._runner.iut.pid)
            os.kill(killed[0], signal.SIGKILL)
            shard._runner.iut.dies(5)
        watch(parts)

    shard._watch = kill_and_watch
    status = shard.run()
    ((found,), (history,)) = status.found, out.glob("*/*/history.txt")
    assert (found["kind"], found["cause"]) == ("death", "SIGKILL")
    assert " sent " in history.read_text()


def test_a_death_before_the_first_session_works_is_no_green(tmp_path):
    done, _, summary = campaign(tmp_path, hostile(tmp_path, "panic", "1,2,3,4,5,6,7,8,9"))
    assert done.return_value == 3, done.output
    assert summary["findings"] == []


@pytest.mark.parametrize(
    ("mode", "kind", "cases"), [("grow", "leak", "3000"), ("hang", "hang", "150"), ("spin", "spin", "100000")]
)
def test_growth_hangs_and_spins_that_do_not_come_again_fail_unless_allowed(tmp_path, mode, kind, cases):
    options = ["--time", "5s"] if mode == "spin" else []
    for more, status in (([], 1), (["--unconfirmed-ok"], 0))[: 2 if mode == "hang" else 1]:
        (tmp_path / "state").unlink(missing_ok=True)
        done, out, summary = campaign(tmp_path, hostile(tmp_path, mode), *options, *more, cases=cases)
        assert done.return_value == status, done.output
        assert summary["findings"] == []
        assert [one["kind"] for one in summary["unconfirmed"]] == [kind]
        assert "unconfirmed in" in done.output
        assert list((out / "unconfirmed").iterdir())
        assert not (out / "findings").exists()
        junit = etree.parse(out / "junit.xml")
        assert len(list(junit.iter("failure"))) == status
        assert len(list(junit.iter("skipped"))) == 1 - status


def test_growth_is_seen_however_fast_the_sessions_are(tmp_path, monkeypatch):
    """What a process holds is measured once in a while, and also once in a few sessions."""
    monkeypatch.setattr("fuzz.campaign.shard._MEASURE", 3600)
    out, iut = tmp_path / "out", hostile(tmp_path, "grow")
    out.mkdir()
    status = Shard(
        Spec(iut=iut, out=str(out), cases=3000, classes=["request"]), lambda status: None, lambda: False
    ).run()
    assert [one["kind"] for one in status.found] == ["leak"]


def test_a_replay_of_what_the_fuzzer_killed_is_no_death():
    iut = Iut(stacks.resolve(TARGET))
    iut.greet()
    assert iut.usable
    iut.kill()
    iut.dies(5)
    assert not iut.usable
    assert (iut.death, iut.failure, fatal(iut)) == ("", "", [])


def test_two_iuts_that_differ_all_the_time_yield_no_death(tmp_path):
    """Each disagreement is handed over with a new process; the session before has lost its own."""
    done, _, summary = campaign(
        tmp_path, TARGET, "--against", f"{TARGET} --bugs unknown-accepted,no-integrity", cases="200"
    )
    assert {one["kind"] for one in summary["findings"]} == {"disagreement"}
    assert summary["unconfirmed"] == []
    assert done.return_value == 0


def test_a_shard_that_breaks_off_is_no_green(tmp_path):
    """It may be a fault of ours, or somebody killed it: what it would have found is not known."""
    killed = []

    def kill(total):
        if not killed and any(status.cases for status in total.shards.values()):
            shard = subprocess.run(
                ["pgrep", "-f", f"fuzz.campaign.*{tmp_path}"], capture_output=True, text=True, check=True
            )
            killed.extend(int(pid) for pid in shard.stdout.split())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    total = conduct([Spec(TARGET, str(tmp_path), seconds=60.0)], kill)
    assert killed
    assert ["before it was done" in one for one in total.problems] == [True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("found", [True, False])
def test_a_signal_ends_a_campaign_in_order(tmp_path, number, found):
    iut = f"{TARGET} --bugs null-frame-closes" if found else TARGET
    out = tmp_path / "out"
    command = [sys.executable, "-m", "conformance", "fuzz", "--iut", iut, "--time", "10m", "--workers", "2"]
    process = subprocess.Popen([*command, "--out", out], stdout=subprocess.PIPE, text=True, start_new_session=True)
    for line in process.stdout:
        if ("closed: " in line) if found else (" cases " in line and " 0 cases" not in line):
            break
    begun = time.monotonic()
    for one in (number, signal.SIGHUP):  # a terminal that is closed and its shell: to the shards too
        os.killpg(process.pid, one)
        time.sleep(0.01)  # two of one number at the very same time would be one for the kernel
    text, _ = process.communicate(timeout=60)
    assert process.returncode == (1 if found else 3), text
    assert "interrupted" in text
    assert time.monotonic() - begun < 30
    summary = json.loads((out / "summary.json").read_text())
    assert summary["interrupted"]
    assert bool(summary["findings"]) == found
    assert all(one["kind"] != "death" for one in summary["findings"])
    assert etree.parse(out / "junit.xml").getroot().tag == "testsuites"
    assert len(list(out.glob("log-*.jsonl"))) == 2


@pytest.mark.parametrize("many", [True, False])
def test_a_check_behind_thousands_of_others_is_not_missed(many):
    """The answers come in order: an IUT that is busy with what came before is not deaf."""
    runner = Runner(starter(stacks.resolve(f"{TARGET} --bugs split-length")))
    try:
        session = runner.session(PLAN, 0.3)
        first = {"do": "send", "on": 1, "frames": [{"octets": "80"}], "cuts": [1], "gap": 5}  # deaf from here on
        frames = [{"message": request()}] * (400 if many else 10)
        outcome = session.player.play([first, {"do": "send", "on": 1, "frames": frames, "probe": True}])
        assert not outcome.probes[-1][2]
        assert [one.kind for one in judge(outcome, session.view)] == ([] if many else ["deaf"])
        session.close()
    finally:
        runner.close()


@pytest.mark.parametrize("ended", [True, False])
def test_who_gives_up_when_its_only_connection_was_ended_is_not_deaf(ended):
    """All its pairs have failed, and with them the check list (RFC 8445 section 6.1.2.1)."""
    runner = Runner(starter(stacks.resolve(f"{TARGET} --bugs split-length")))
    try:
        session = runner.session(PLAN, 0.3)
        deaf = {"do": "send", "on": 0, "frames": [{"octets": "80"}], "cuts": [1], "gap": 5, "probe": True}
        steps = [{"do": "end", "on": 0, "how": "rst"}, deaf] if ended else [deaf]
        assert [one.kind for one in session.play({"steps": steps})] == ([] if ended else ["deaf"])
        assert session.over == ended
        session.close()
    finally:
        runner.close()

"""Campaigns against the target with planted bugs: found, told apart, handed over, resumed; a healthy one stays without finding."""

import json
import os
import queue
import signal
import subprocess
import sys
import time
from random import Random

import pytest
from click.testing import CliRunner

from conformance.iut import stacks
from conformance.iut.signals import ENDING
from fuzz.campaign.coordinator import Total
from fuzz.campaign.folder import hand_over
from fuzz.campaign.interrupt import interruptible
from fuzz.campaign.iut import starter
from fuzz.campaign.log import Past
from fuzz.campaign.shard import Shard
from fuzz.campaign.spec import Spec
from fuzz.command import fuzz, replay
from fuzz.findings import Finding
from fuzz.generate import SERVED
from fuzz.judging.runner import Runner
from fuzz.judging.session import ASK_ROLE
from fuzz.judging.symptom import Evidence
from fuzz.player.render import refusal, request, success
from fuzz.player.steps import PLAN
from fuzz.report import coverage_lines, status_line

TARGET = f"exec:{sys.executable} -m fuzz.targets"


def target(*bugs: str) -> str:
    return f"{TARGET} --bugs {','.join(bugs)}" if bugs else TARGET


def run(tmp_path, *bugs, **more):
    spec = Spec(iut=target(*bugs), out=str(tmp_path), **{"cases": 250, **more})
    return Shard(spec, lambda status: None, lambda: False).run()


def send(*frames, on=0, **more):
    return {"do": "send", "on": on, "frames": list(frames), "probe": True, **more}


def with_attribute(kind, value, place=3):
    spec = request()
    spec["attributes"].insert(place, {"type": kind, "value": value})
    return {"message": spec}


def changed(kind, **change):
    spec = request()
    for one in spec["attributes"]:
        if one["type"] == kind:
            one.update(change)
    return {"message": spec}


HEAR = [send({"message": request()}, on=1), {"do": "hear", "on": 1}]
MAPPED = {**success(), "attributes": [{"type": 0x20, "value": "0007"}, *success()["attributes"][1:]]}
SHORT = {**refusal(400), "attributes": [{"type": 9, "value": "0000"}, *refusal(400)["attributes"][1:]]}
CASES = {
    "split-length": ("deaf", [send({"octets": ""}, cuts=[1], gap=5)]),
    "coalesced-lost": ("deaf", [send(*[{"message": request()}] * 8)]),
    "null-frame-closes": ("closed", [send({"octets": ""})]),
    "length-wraps": ("death", [{**send({"octets": "00", "length": 0xFFFF}, on=1), "probe": False}]),
    "big-frame-stalls": ("deaf", [send({"octets": "80*9000"})]),
    "shared-buffer": ("deaf", [{"do": "send", "on": 1, "frames": [{"message": request()}], "stop": 30}, {"do": "end", "on": 1, "how": "closed"}, SERVED, SERVED]),
    "reset-in-read": ("death", [{"do": "raw", "on": 1, "octets": "0040"}, {"do": "wait", "ms": 20}, {"do": "end", "on": 1, "how": "rst"}]),
    "short-header": ("death", [send({"octets": "0001"})]),
    "length-beyond": ("death", [send({"message": {**request(), "delta": 4}})]),
    "length-odd": ("death", [send({"message": {**request(), "delta": 3}})]),
    "type-zero": ("death", [send({"message": {**request(), "type": 0}})]),
    "attribute-past-end": ("death", [send(changed(6, length=900))]),
    "trailing-octets": ("hang", [send({"message": {**request(), "tail": "00"}})]),
    "short-error-code": ("death", [*HEAR, send({"message": SHORT}, on=1)]),
    "priority-size": ("exception", [send(changed(0x24, value="00*3"))]),
    "truncated-integrity": ("answered", [send(changed(8, value=""))]),
    "after-integrity": ("refused", [send(with_attribute(0x7001, "", 4))]),
    "long-username": ("death", [send(changed(6, value="41*600"))]),
    "many-attributes": ("death", [send({"message": request(*[{"type": 0x9000, "value": ""}] * 50)})]),
    "unknown-accepted": ("answered", [send(with_attribute(0x7001, ""))]),
    "no-integrity": ("answered", [send({"message": {"type": 1, "attributes": [a for a in request()["attributes"] if a["type"] != 8]}})]),
    "mapped-family": ("death", [*HEAR, send({"message": MAPPED}, on=1)]),
    "fingerprint-unchecked": ("answered", [send(changed(0x8028, value="$fingerprint:wrong"))]),
    "unlisted-types": ("uninitialised octets", [send({"message": request({"type": 0x7001, "value": ""}, {"type": 0x7002, "value": ""})})]),
    "indication-answered": ("answered", [send({"message": {**request(), "type": 0x0011}})]),
    "response-echo": ("answered", [send({"message": {**success(), "id": "aa*12"}})]),
    "conflict-ignored": ("answered", [send(changed("$role", type="$antirole", value="00*8"))]),
    "early-check": ("death", [send({"message": request()})], {"state": "early"}),
    "second-description": ("death", [{"do": "accept"}]),
    "role-error-loop": ("hang", [*HEAR, send({"message": refusal(487)}, on=1)]),
    "stale-media": ("media never sent", [send({"octets": "80"}), send({"octets": "80"})], {"state": "completed"}),
    "wrong-component": ("wrong component", [send({"message": request()}, on=1, component=2), send({"octets": "8001"}, on=1, component=2), send({"octets": ""})], {"components": 2}),
    "long-foundation": ("death", [], {"sdp": [["insert", 99, "a=candidate:" + "A" * 40 + " 1 TCP 1 {address} 9 typ host tcptype active"]]}),
    "port-parse": ("death", [], {"sdp": [["insert", 99, "a=candidate:1 1 TCP 1 {address} nine typ host tcptype active"]]}),
}  # fmt: skip
LEAKS = {
    "eof-in-body": ("spin", [{"do": "raw", "on": 1, "octets": "004041"}, {"do": "wait", "ms": 10}, {"do": "end", "on": 1, "how": "half"}]),
    "half-open-leak": ("leak", [{"do": "raw", "on": 1, "octets": "00"}, {"do": "end", "on": 1, "how": "half"}]),
    "software-leak": ("leak", [send(with_attribute(0x8022, "41*8"))]),
    "silent-thread": ("leak", [{"do": "open", "on": 1}]),
}  # fmt: skip


@pytest.fixture(scope="module")
def healthy():
    runner = Runner(starter(stacks.resolve(TARGET)))
    runner.calibrate(PLAN)
    yield runner
    runner.close()


@pytest.mark.parametrize("bug", [*CASES, "slow-reader"])
def test_each_planted_bug_is_noticed_and_its_absence_too(bug, healthy):
    flood = {"do": "flood", "on": 1, "times": 6000, "frame": {"message": request()}}
    kind, steps, *more = CASES.get(bug, ("hang", [flood]))
    case = {"plan": {**PLAN, **(more[0] if more else {})}, "steps": steps}
    assert healthy.trial(case) == []
    broken = Runner(starter(stacks.resolve(target(bug))))
    broken.quick = True
    try:
        assert kind in [symptom.kind for symptom in broken.trial(case)]
    finally:
        broken.close()


@pytest.mark.parametrize("bug", LEAKS)
def test_what_grows_or_spins_is_measured(bug):
    kind, steps = LEAKS[bug]
    runner = Runner(starter(stacks.resolve(target(bug))))
    try:
        runner.calibrate(PLAN)
        assert runner.leak({"plan": PLAN, "steps": [send({"message": request()})]}, 3) == []
        assert kind in [one.kind for one in runner.leak({"plan": PLAN, "steps": steps})]
    finally:
        runner.close()


def test_a_healthy_target_yields_nothing(tmp_path):
    status = run(tmp_path, cases=720)
    assert status.problem == ""
    assert status.found == []
    assert status.unconfirmed == {}
    assert status.cases >= 720
    assert len(status.coverage) > 30
    total = Total(shards={0: status})
    lines = coverage_lines(total)
    assert len(lines) > len(status.rows) >= 12
    assert any(line.startswith("answerer active completed") for line in lines)  # reached or not
    never = sum(text == "0" for line in lines[1:] for text in line.split()[3:])
    assert not never or f"{never} of " in lines[-1]
    assert "coverage" in status_line(total)


def test_a_campaign_finds_tells_apart_and_goes_on_after_a_death(tmp_path):
    status = run(tmp_path, "length-odd", "null-frame-closes", "unknown-accepted", cases=250)
    kinds = {found["kind"] for found in status.found}
    assert {"death", "closed", "answered"} <= kinds
    assert status.cases >= 250
    assert status.restarts > 0
    for found in status.found:
        folder = tmp_path / "findings" / found["bucket"]
        assert {path.name for path in folder.iterdir()} == {
            "finding.json", "replay.py", "capture.pcapng", "ladder.txt", "stderr.txt",
            *(["history.txt"] if found["kind"] in ("death", "exception") else [])}  # fmt: skip
        assert found["rate"] == "3/3"


def test_the_same_seed_makes_the_same_campaign(tmp_path):
    """Cases, what came of them, and what joined the corpus, though the machine is as busy as it happens to be."""
    logs = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, "unknown-accepted", cases=300)
        lines = [json.loads(line) for line in (tmp_path / name / "log-0.jsonl").read_text().splitlines()]
        cases = [line[:4] for line in lines if isinstance(line, list)]
        logs.append((cases, [line for line in lines if isinstance(line, dict) and line["event"] == "new"]))
    assert logs[0] == logs[1]
    assert len(logs[0][1]) > 10


def test_a_frame_in_two_parts_and_a_candidate_by_its_number(healthy):
    session = healthy.session(PLAN)
    part = {"do": "send", "on": 1, "candidate": 7, "frames": [{"message": request()}], "stop": -3}
    session.play({"steps": [part, {"do": "rest", "on": 1, "probe": True}]})
    (connection,) = [
        connection for connection in session.outcome.connections if connection is session.outcome.probes[0][0]
    ]
    assert len(connection.answers) == 2  # both the one that came in parts and the check behind it
    session.close()


def test_a_session_that_answers_nothing_any_more_is_left(healthy):
    """The next case gets one that works: else each costs a deadline, and shows nothing."""
    session = healthy.session(PLAN)
    assert healthy.health(session) == []
    assert not session.over
    session.player.alive = lambda within: False
    assert healthy.health(session) == []  # for a new session works
    assert session.over
    session.close()


def test_who_did_not_answer_is_not_waited_for_as_long_again():
    """A check that is late is still its connection's; one that is answered restores the patience."""
    runner = Runner(starter(stacks.resolve(target("split-length"))))
    try:
        session = runner.session(PLAN, 2.0)
        deaf = send({"octets": "80"}, on=1, cuts=[1], gap=5)
        begun = time.monotonic()
        outcome = session.player.play([deaf, send({"message": request()}, on=1), SERVED])
        assert [answered for _, _, answered in outcome.probes] == [False, False, True]
        assert 2.0 <= time.monotonic() - begun < 4.0  # one whole deadline, and a part of the next
        connection = session.player.connections[0]
        connection.late = True
        assert session.player.probe(connection)
        assert not connection.late
        session.close()
    finally:
        runner.close()


@pytest.mark.parametrize("side", ["offerer", "answerer"])
def test_after_a_conflict_the_session_goes_on_with_the_role_that_the_iut_has(side, healthy):
    """An offerer is controlling until then; an answerer becomes so by it, until it loses to the check behind."""
    session = healthy.session({**PLAN, "side": side})
    tie = "ff*8" if side == "offerer" else "00*8"
    assert session.play({"steps": [send(changed("$role", type="$antirole", value=tie))]}) == []
    assert session.unclear
    assert not session.over
    lawful = {"steps": [ASK_ROLE, send({"message": request()}), send({"message": request()}, on=1)]}
    assert session.play(lawful) == []
    assert session.player.env.controlling
    assert not session.view.iut_controlling
    assert not session.unclear
    assert all(answered for _, _, answered in session.outcome.probes)
    session.close()


@pytest.mark.parametrize("iut", ["active", "so"])
@pytest.mark.parametrize("state", ["fresh", "completed"])
def test_an_iut_that_connects_to_us(iut, state, healthy):
    """An S-O candidate too: to ours, where somebody listens, so that no SYNs need to cross."""
    session = healthy.session({**PLAN, "side": "answerer", "iut": iut, "state": state})
    assert [kind for _, kind, _, _ in session.player.candidates] == [iut]
    assert session.play({"steps": [send({"message": request()})]}) == []
    assert session.answered
    session.close()


@pytest.mark.parametrize(
    "last", [SERVED, {"do": "raw", "on": 0, "octets": "00"}, {"do": "rest", "on": 0, "probe": True}]
)
def test_nothing_is_sent_on_a_connection_whose_sending_side_we_closed(last, healthy):
    """An agent may close it then, and answers nothing that never reached it."""
    assert healthy.trial({"plan": PLAN, "steps": [{"do": "end", "on": 0, "how": "half"}, last]}) == []


def test_what_is_made_ahead_is_what_would_be_made_in_its_turn(healthy):
    """Once: the next time the ids are new. Not if roles have changed since, nor what is about the last request."""
    session = healthy.session(PLAN)
    player, case = session.player, {"steps": [send({"message": request()}, on=1)]}
    for ahead in (True, True, False):
        if ahead:
            player.foresee(case["steps"])
            assert len(player._spare) == 1
        assert session.play(case) == []
        assert player._spare == {}
        (connection,) = session.outcome.connections
        assert len(connection.answers) == 2
    player.foresee(case["steps"])
    frames = case["steps"][0]["frames"]
    made = player._make(frames)
    assert player._make(frames) != made
    player.foresee(case["steps"])
    player.env.controlling = not player.env.controlling
    assert b"\x80\x2a" in player._make(frames)
    about_the_last = [{"message": success()}]
    player.foresee([send(*about_the_last)])
    assert player._made == {}
    session.close()


def test_who_does_not_tell_its_role_is_left(healthy):
    session = healthy.session(PLAN)
    session.play({"steps": [send(changed("$role", type="$antirole", value="ff*8"))]})
    session.player.connections[0].end("closed")
    session.play({"steps": [ASK_ROLE, send({"message": request()}, on=1)]})
    assert session.over
    session.close()


def test_a_session_that_was_begun_is_taken_only_if_it_is_the_one_that_is_wanted(healthy):
    healthy.foresee(PLAN)
    begun, _ = healthy._foreseen
    session = healthy.session(PLAN, foreseen=True)
    assert session is begun
    assert session.play({"steps": [send({"message": request()})]}) == []
    healthy.foresee({**PLAN, "side": "answerer"})
    other = healthy.session(PLAN, foreseen=True)
    assert other.plan == PLAN
    assert healthy._foreseen is None
    other.close()
    session.close()


def test_a_frame_that_never_became_whole_is_in_the_ladder(tmp_path):
    steps = [{"do": "raw", "on": 1, "octets": "0070aa"}, SERVED]
    finding = Finding("deaf", "connection", "text", [], {"plan": PLAN, "steps": steps})
    runner = Runner(starter(stacks.resolve(TARGET)))
    try:
        runner.calibrate(PLAN)
        folder = hand_over(finding, tmp_path, runner, TARGET, Evidence())
    finally:
        runner.close()
    assert "3 octets of a frame that never became whole" in (folder / "ladder.txt").read_text()


def test_killed_and_resumed(tmp_path):
    spec = {"iut": target("type-zero"), "out": str(tmp_path), "cases": 100000}
    process = subprocess.Popen([sys.executable, "-m", "fuzz.campaign", json.dumps(spec)], stdout=subprocess.PIPE)
    for line in process.stdout:
        status = json.loads(line)
        if status["found"] and status["cases"] > 60:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    past = Past(tmp_path / "log-0.jsonl")
    assert past.cases + len(past.dangerous) > 40
    again = run(tmp_path, "type-zero", cases=past.cases + 50, resume=True)
    assert [found["bucket"] for found in again.found] == [found["bucket"] for found in status["found"]]
    assert again.cases >= past.cases + 50
    events = [json.loads(line) for line in (tmp_path / "log-0.jsonl").read_text().splitlines()]
    numbers = [event[0] for event in events if isinstance(event, list)]
    assert len(numbers) == len(set(numbers))


def test_killed_at_any_moment_nothing_is_lost(tmp_path):
    """What the log tells of is in the findings' folders after the next run, whole, and no case is counted twice."""
    random = Random(7)
    spec = {
        "iut": target("type-zero", "length-odd", "no-integrity"),
        "out": str(tmp_path),
        "cases": 100000,
        "resume": True,
    }
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-m", "fuzz.campaign", json.dumps(spec)], stdout=subprocess.PIPE)
        process.stdout.readline()  # it has begun
        time.sleep(random.uniform(0.05, 2.0))
        process.kill()
        process.wait()
        process.stdout.close()
    past = Past(tmp_path / "log-0.jsonl")
    status = run(tmp_path, "type-zero", "length-odd", "no-integrity", cases=past.cases + 20, resume=True)
    entries = [json.loads(line) for line in (tmp_path / "log-0.jsonl").read_text().splitlines()]
    numbers = [entry[0] for entry in entries if isinstance(entry, list)]
    assert len(numbers) == len(set(numbers))
    told = {entry["bucket"] for entry in entries if isinstance(entry, dict) and entry["event"] == "finding"}
    assert told
    assert told <= {found["bucket"] for found in status.found}
    for bucket in told:
        assert len(list((tmp_path / "findings" / bucket).glob("*"))) >= 5
        json.loads((tmp_path / "findings" / bucket / "finding.json").read_text())
    symptoms = [entry for entry in entries if isinstance(entry, dict) and entry["event"] in ("symptom", "settled")]
    assert symptoms[-1]["event"] == "settled"


def test_what_was_being_looked_into_is_finished_by_the_next_run(tmp_path):
    case = {"class": "request", "plan": PLAN, "steps": [send({"message": {**request(), "type": 0}})]}
    event = {
        "event": "symptom",
        "number": 3,
        "kind": "death",
        "cause": "SIGABRT",
        "text": "x",
        "sessions": [[], [case]],
    }
    (tmp_path / "log-0.jsonl").write_text(f'[3,0,"request","",1.00]\n{json.dumps(event)}\n[4,0,"requ')
    status = run(tmp_path, "type-zero", cases=4, resume=True)
    assert [(found["kind"], found["cause"], found["number"]) for found in status.found] == [("death", "SIGABRT", 3)]
    folder = tmp_path / "findings" / status.found[0]["bucket"]
    for file in folder.iterdir():  # killed before it was handed over: the log knows it still
        file.unlink()
    again = run(tmp_path, "type-zero", cases=4, resume=True)
    assert [found["bucket"] for found in again.found] == [status.found[0]["bucket"]]
    assert (folder / "finding.json").is_file()


def test_another_campaign_cannot_be_resumed(tmp_path):
    arguments = ["--iut", TARGET, "--cases", "3", "--out", str(tmp_path)]
    assert CliRunner().invoke(fuzz, arguments, standalone_mode=False).return_value == 0
    done = CliRunner().invoke(fuzz, [*arguments, "--resume", "--seed", "5"])
    assert done.exit_code == 2
    assert "had seed" in done.output


def test_the_command_its_files_and_its_replays(tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(
        fuzz, ["--iut", target("length-odd"), "--cases", "200", "--out", str(out)], standalone_mode=False
    )
    assert done.return_value == 1, done.output
    assert "death: status 1: Python" in done.output
    junit = (out / "junit.xml").read_text()
    assert 'type="death"' in junit
    assert "disabled" not in junit
    (folder,) = (out / "findings").iterdir()
    assert "SYN" in (folder / "ladder.txt").read_text()
    command = [sys.executable, "-I", str(folder / "replay.py"), sys.executable, "-m", "fuzz.targets"]
    environment = {**os.environ, "PYTHONPATH": ""}
    for more, status in (["--bugs", "length-odd"], 1), ([], 0):
        alone = subprocess.run([*command, *more], capture_output=True, text=True, env=environment, check=False)
        assert alone.returncode == status, alone.stdout + alone.stderr
    for options, status in ([], 1), (["--iut", TARGET], 0):
        again = CliRunner().invoke(replay, [str(folder), "--times", "1", *options], standalone_mode=False)
        assert again.return_value == status, again.output


def test_two_iuts_that_differ(tmp_path):
    status = run(tmp_path, cases=150, against=target("unknown-accepted"))
    assert {found["kind"] for found in status.found} == {"disagreement"}
    assert any("420" in found["cause"] and "ok" in found["cause"] for found in status.found)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--time", "soon"], "not a time"),
        (["--shard", "3/2"], "not a shard"),
        (["--iut", "nobody"], "no stack"),
    ],
)
def test_usage(arguments, text):
    done = CliRunner().invoke(fuzz, arguments)
    assert done.exit_code == 2
    assert text in done.output


def test_an_iut_that_cannot_be_used_is_no_green(tmp_path):
    done = CliRunner().invoke(
        fuzz, ["--iut", "exec:false", "--cases", "10", "--out", str(tmp_path)], standalone_mode=False
    )
    assert done.return_value == 3


def test_a_shard_takes_over_what_others_found_and_the_log_keeps_it(tmp_path):
    known: queue.SimpleQueue[dict] = queue.SimpleQueue()
    case = {"class": "request", "plan": dict(PLAN), "steps": [send({"message": request()})]}
    finding = Finding("death", "signal 11 in parse", "it died", [], case, shard=7, number=3)
    known.put({"finding": finding.data()})
    known.put({"case": case, "result": "told by another"})
    known.put({"case": case, "result": "told by another"})  # by two others, the same
    shard = Shard(
        Spec(iut=target(), out=str(tmp_path), cases=20, shared=True), lambda status: None, lambda: False, known
    )
    status = shard.run()
    assert [(one["bucket"], one["shard"]) for one in status.found] == [(finding.bucket, 7)]
    assert not (tmp_path / "findings").exists()  # its folder is where it was found
    events = [json.loads(line) for line in (tmp_path / "log-0.jsonl").read_text().splitlines() if line.startswith("{")]
    assert [one["case"] for one in events if one["event"] == "shared"] == [case]
    assert [one["bucket"] for one in events if one["event"] == "known"] == [finding.bucket]
    assert case in Past(tmp_path / "log-0.jsonl").corpus


@pytest.mark.parametrize("number", set(ENDING) - {signal.SIGALRM}, ids=lambda number: number.name)
def test_every_signal_that_would_end_a_campaign_ends_it_in_order(number) -> None:
    """SIGALRM is pytest-timeout's here."""
    before = signal.signal(number, signal.SIG_DFL)  # whoever started the tests may have ignored it
    try:
        with interruptible() as stopping:
            signal.raise_signal(number)
            assert stopping.is_set()
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)

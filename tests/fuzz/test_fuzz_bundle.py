"""What a replay ships: the modules of player and judging, and what they import; nothing but the standard library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.iut import stacks
from fuzz.campaign.bundle import MODULES, replay_program, source
from fuzz.campaign.iut import starter
from fuzz.findings import Finding
from fuzz.judging.replay import Known, again
from fuzz.judging.runner import Runner
from fuzz.player.adapter import Adapter
from fuzz.player.outcome import PLAN
from fuzz.player.render import request

ROOT = Path(__file__).parents[2]


def imported(name, *, checked=True):
    """Return the modules that a module imports when it runs; with `checked`, those for type checkers too."""
    file = ROOT.joinpath(*name.split("."))
    file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    tree = ast.parse(file.read_text())
    if not checked:
        tree.body = [
            one for one in tree.body if not (isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test))
        ]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{one.name}" for one in node.names}
            modules = {one for one in names if ROOT.joinpath(*one.split(".")).with_suffix(".py").is_file()}
            found |= modules or {node.module}
    return found


def room(name):
    return {f"fuzz.{name}.{file.stem}" for file in (ROOT / "fuzz" / name).glob("*.py") if file.stem != "__init__"}


@pytest.mark.parametrize("module", sorted(room("player")))
def test_the_player_imports_nothing_but_the_standard_library_and_itself(module):
    others = {one for one in imported(module) if one.partition(".")[0] not in sys.stdlib_module_names}
    assert others <= room("player")


def test_the_bundle_holds_both_rooms_and_each_module_after_what_it_imports():
    assert room("player") | room("judging") <= set(MODULES)
    known = set()
    for name in MODULES:
        ours = {one for one in imported(name, checked=False) if one.partition(".")[0] in ("conformance", "fuzz")}
        assert ours <= known, name
        known.add(name)


def test_modules_keep_constants_of_the_same_name_apart(tmp_path):
    """Most modules have private constants: in one namespace, the last would win."""
    finding = Finding("deaf", "connection", "text", [], {"plan": PLAN, "steps": []})
    (tmp_path / "replay.py").write_text(replay_program(finding))
    program = "import replay, fuzz.player.session as s, fuzz.judging.runner as r; print(s._FORESEEN, r._FORESEEN)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    one, other = done.stdout.split()
    assert one != other


def test_a_replay_without_a_command_or_with_a_broken_adapter_says_so(tmp_path):
    finding = Finding("deaf", "connection", 'a "title" with \\ in it', [], {"plan": PLAN, "steps": []})
    program = tmp_path / "replay.py"
    program.write_text(replay_program(finding))
    for arguments, status, text in (
        ([], 2, "usage: "),
        (["false"], 3, "cannot be used"),
        (["/nowhere"], 3, "cannot be used"),
    ):
        done = subprocess.run([sys.executable, "-IS", program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert text in done.stdout


def test_a_module_that_cannot_be_quoted_is_refused(monkeypatch):
    monkeypatch.setattr("inspect.getsource", lambda module: "x = '''text'''")
    with pytest.raises(ValueError, match="three single quotes"):
        source("fuzz.player.render")


def step(*frames, on=0, **more):
    return {"do": "send", "on": on, "frames": list(frames), "probe": True, **more}


def changed(kind, **change):
    spec = request()
    next(one for one in spec["attributes"] if one["type"] == kind).update(change)
    return {"message": spec}


CHECK = {"message": request()}
WITHOUT = [one for one in request()["attributes"] if one["type"] != 8]
UNKNOWN = {"type": 0x7001, "value": ""}
EARLY_END = {"do": "end", "on": 1, "how": "half"}
KINDS = {
    "death": ("length-odd", [step({"message": {**request(), "delta": 3}})]),
    "exception": ("priority-size", [step(changed(0x24, value="00*3"))]),
    "hang": ("trailing-octets", [step({"message": {**request(), "tail": "00"}})]),
    "deaf": ("split-length", [step({"octets": ""}, cuts=[1], gap=5)]),
    "closed": ("null-frame-closes", [step({"octets": ""})]),
    "answered": ("no-integrity", [step({"message": {"type": 1, "attributes": WITHOUT}})]),
    "refused": ("after-integrity", [step({"message": {"type": 1, "attributes": [*request()["attributes"][:4], UNKNOWN, request()["attributes"][4]]}})]),
    "uninitialised octets": ("unlisted-types", [step({"message": request(UNKNOWN, {"type": 0x7002, "value": ""})})]),
    "media never sent": ("stale-media", [step({"octets": "80"}), step({"octets": "80"})], {"state": "completed"}),
    "wrong component": ("wrong-component", [step(CHECK, on=1, component=2), step({"octets": "8001"}, on=1, component=2), step({"octets": ""})], {"components": 2}),
    "leak": ("half-open-leak", [{"do": "raw", "on": 1, "octets": "00"}, EARLY_END]),
    "spin": ("eof-in-body", [{"do": "raw", "on": 1, "octets": "004041"}, {"do": "wait", "ms": 10}, EARLY_END]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_ends_with_1_when_the_finding_comes_again_and_with_0_when_not(tmp_path, kind):
    bug, steps, *plan = KINDS[kind]
    case = {"plan": {**PLAN, **(plan[0] if plan else {})}, "steps": steps}
    repeat = 12 if kind in ("leak", "spin") else 1
    runner = Runner(starter(stacks.resolve(f"exec:{sys.executable} -m fuzz.targets --bugs {bug}")))
    try:
        (symptom, *_) = [one for one in again(runner, Known(kind, "", case, repeat)) if one.kind == kind]
    finally:
        runner.close()
    program = tmp_path / "replay.py"
    program.write_text(replay_program(Finding(kind, symptom.cause, symptom.text, [], case, repeat=repeat)))
    for more, status in (["--bugs", bug], 1), ([], 0):
        command = [sys.executable, "-I", program, sys.executable, "-m", "fuzz.targets", *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        assert ("the finding comes again" in done.stdout) == bool(status)


REFUSING = """import json, sys
for line in sys.stdin:
    request = json.loads(line)
    answer = {"result": {"name": "refusing", "version": "1", "pics": {}}}
    if request["method"] != "hello":
        answer = {"error": {"code": -32000, "message": "no session today"}}
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}), flush=True)
"""


@pytest.mark.parametrize("kind", ["leak", "closed", "disagreement"])
def test_a_replay_that_cannot_play_its_case_does_not_say_that_the_finding_is_gone(tmp_path, kind):
    program, adapter = tmp_path / "replay.py", tmp_path / "adapter.py"
    adapter.write_text(REFUSING)
    finding = Finding(kind, "descriptors", "text", [], {"plan": PLAN, "steps": [step({"octets": "00"})]}, repeat=3)
    program.write_text(replay_program(finding))
    command = [sys.executable, "-I", program, sys.executable, str(adapter)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "attempt 1: not played: open: " in done.stdout
    assert "no session today" in done.stdout
    assert "does not come again" not in done.stdout


def test_an_answer_that_came_before_anyone_waits_for_it_is_not_lost():
    """On a busy machine the thread that reads runs before the one that has asked."""
    adapter = Adapter([sys.executable, "-m", "fuzz.targets"])
    try:
        first, second = adapter.send("hello", {"protocol": 1}), adapter.send("hello", {"protocol": 1})
        assert adapter.wait(second, 60.0)["name"] == "icetcp fuzz target"
        assert adapter.wait(first, 60.0)["name"] == "icetcp fuzz target"
    finally:
        adapter.kill()


def test_a_replay_of_a_disagreement_asks_for_the_same_answer(tmp_path):
    case = {"plan": PLAN, "steps": [step({"message": request(UNKNOWN)})]}
    program = tmp_path / "replay.py"
    program.write_text(replay_program(Finding("disagreement", "420+ok / ok", "text", [], case)))
    for more, status in ([], 1), (["--bugs", "unknown-accepted"], 0):
        command = [sys.executable, program, sys.executable, "-m", "fuzz.targets", *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr

"""`icetcp mutants`: a signal at any moment, an agent that breaks the adapter contract, and a folder in use."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from reports.folder import MUTANTS, OutputFolder

HOSTILE = Path(__file__).parents[1] / "run" / "hostile_adapter.py"
CASES = ("--case", "RFC4571-2/length_equals_the_request", "--case", "RFC4571-2/length_equals_the_response")
FAULT = ("--quick", "--fault", "length-includes-itself")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
pytestmark = pytest.mark.timeout(120)

AT = Path(__file__).parents[1] / "signalled.py"
# Lets the reference agent be another program.
INSTEAD = """
import sys
from dataclasses import replace
from conformance.commands import cli
from conformance.mutants import agents
original = agents.stacks.resolve
command = sys.argv[1:sys.argv.index("--")]
agents.stacks.resolve = lambda name: replace(original(name), command=command)
cli.main(sys.argv[sys.argv.index("--") + 1:])
"""


def signalled(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(AT), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


def python(script: str, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


STEPS = [
    ("conformance.mutants.execution", "Bench", "__init__", 1, "after"),
    ("conformance.mutants.execution", "Bench", "tidy", 1, "after"),
    ("conformance.mutants.execution", "Bench", "tidy", 5, "before"),
    ("conformance.mutants.execution", "Bench", "__exit__", 1, "before"),
    ("conformance.mutants.reports", "", "write", 1, "before"),
    ("reports.junit", "", "document", 1, "before"),
    ("conformance.commands.mutants_output", "", "matrix", 1, "after"),
]


@pytest.mark.parametrize(
    ("step", "number"),
    list(zip(STEPS, itertools.cycle(SIGNALS))),
    ids=[f"{when}-{name}-{nth}" for _, _, name, nth, when in STEPS],
)
def test_a_signal_at_any_step_leaves_the_reports_of_what_was_done(tmp_path, step, number) -> None:
    done = signalled(*step, int(number), "mutants", *CASES, *FAULT, "--out", "out", cwd=tmp_path)
    assert "Traceback" not in done.stderr
    matrix = json.loads((tmp_path / "out" / "mutants.json").read_text())
    assert done.returncode == (3 if matrix["interrupted"] else 0), done.stdout + done.stderr
    assert ("interrupted: the matrix holds what was done" in done.stdout) == matrix["interrupted"]
    verdicts = [*matrix["healthy"].values(), *matrix["faults"][0]["verdicts"].values()]
    if step[2] == "tidy":
        assert matrix["interrupted"]
        assert len(verdicts) >= step[3] - (step[4] == "before")
    assert set(matrix["healthy"].values()) <= {"pass"}
    root = etree.parse(tmp_path / "out" / "junit.xml")
    assert [case.get("name") for case in root.iter("testcase")] == ["length-includes-itself"]


def test_a_signal_among_lawful_variations_leaves_what_was_found(tmp_path) -> None:
    step = ("conformance.mutants.lawful", "", "once", 3, "after")
    done = signalled(*step, int(signal.SIGTERM), "mutants", "--lawful", *CASES, "--out", "out", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    written = json.loads((tmp_path / "out" / "lawful.json").read_text())
    assert written["interrupted"]
    assert written["executed"] >= 2


LAWFUL = ("--lawful", "--examples", "2")


@pytest.mark.parametrize(
    ("what", "mode", "words"),
    [
        (FAULT, "abort", "died: the adapter was killed by SIGABRT"),
        (FAULT, "exit", "died: the adapter exited with status 0"),
        (FAULT, "hang", "hung: the adapter never answered open"),
        (FAULT, "flood", "flooded: the adapter floods session"),
        (FAULT, "wrong-id", "wrong id: the adapter wrote a response to nothing that was asked"),
        (FAULT, "close-stdout", "closed stdout: the adapter closed its stdout and goes on running"),
        (LAWFUL, "abort", "died: the adapter was killed by SIGABRT"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_an_agent_that_breaks_the_contract_once_leaves_nothing_green(tmp_path, what, mode, words) -> None:
    agent = (sys.executable, HOSTILE, mode, 2, tmp_path / "flag")
    done = python(INSTEAD, *agent, "--", "mutants", *CASES, *what, "--out", "out", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"the reference agent: {words}" in done.stdout
    assert "RFC4571-2/length_equals_the" in done.stdout.partition(words)[2].partition("\n")[0]  # the case it came from
    written = json.loads((tmp_path / "out" / ("lawful.json" if "--lawful" in what else "mutants.json")).read_text())
    assert any(words in text for text in written["incidents"])
    if "--lawful" not in what:
        root = etree.parse(tmp_path / "out" / "junit.xml")
        assert any(words in str(p.get("value")) for p in root.iter("property"))


def test_two_do_not_write_into_one_folder(tmp_path) -> None:
    claimed = OutputFolder.claim(tmp_path / "out", MUTANTS)
    command = [sys.executable, "-m", "conformance", "mutants", *CASES, *FAULT, "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    claimed.release()
    assert done.returncode == 2
    assert done.stderr.startswith("icetcp: another run is writing to out")


def test_files_that_are_not_ours_stay(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "junit.xml").write_text("the user's")
    command = [sys.executable, "-m", "conformance", "mutants", *CASES, *FAULT, "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "out/junit.xml is not an earlier run's" in done.stderr
    assert (tmp_path / "out" / "junit.xml").read_text() == "the user's"

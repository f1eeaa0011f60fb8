"""One signal at any moment of a run: the reports of what has finished are written, and no process is left behind."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lxml import etree
from processes import left_of

from conformance.run.interrupts import descendants

RUN = ("run", "--section", "RFC4571-2", "--link", "sockets", "--out", "out")
COMMAND = [sys.executable, "-m", "conformance", *RUN, "--variants", "usual"]
SIGNALS = [
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
    signal.SIGXCPU,
]  # fmt: skip
pytestmark = pytest.mark.timeout(120)

AT = Path(__file__).parents[1] / "signalled.py"


def check(folder: Path, done: subprocess.CompletedProcess[str] | subprocess.Popen[str], out: str, err: str) -> None:
    """Whatever the moment was: a clean end, and a report of every verdict that was shown."""
    assert err in ("icetcp: interrupted\n", ""), err
    assert done.returncode == (3 if err else 0), (done.returncode, err)
    shown = set(re.findall(r"^(?:pass|fail|inconc|error|n/a) +(\S+)", out, re.MULTILINE))
    if not shown:
        return
    root = etree.parse(folder / "out" / "junit.xml")
    reported = {f"RFC4571-2/{case.get('name')}" for case in root.iter("testcase")}
    assert reported >= shown
    lines = [json.loads(line) for line in (folder / "out" / "record.jsonl").read_text().splitlines()]
    assert lines[-1]["kind"] == "end"
    assert {line["variant"] for line in lines if line["kind"] == "verdict"} >= shown


STEPS = [
    ("conformance.run.testers", "Testers", "__init__", 1, "before"),
    ("conformance.run.testers", "Testers", "__init__", 1, "after"),
    ("conformance.run.testers", "Testers", "start", 1, "after"),
    ("conformance.run.testers", "Testers", "_take", 3, "before"),
    ("conformance.run.testers", "Testers", "stop", 1, "before"),
    ("conformance.run.testers", "Testers", "close", 1, "before"),
    ("conformance.run.testers", "Testers", "close", 1, "after"),
    ("conformance.run.testers", "Testers", "kill", 1, "before"),
    ("conformance.run.premise", "Premise", "begin", 1, "before"),
    ("conformance.run.premise", "", "greet", 1, "after"),
    ("conformance.run.run", "Run", "begin", 1, "after"),
    ("conformance.run.run", "Run", "record", 2, "before"),
    ("conformance.run.run", "Run", "record", 2, "after"),
    ("reports.record", "Recorder", "write", 3, "after"),
    ("conformance.run.run", "Run", "finish", 1, "before"),
    ("conformance.run.reading", "ReadingProcess", "readings", 1, "before"),
    ("conformance.run.reading", "ReadingProcess", "readings", 1, "after"),
    ("conformance.run.reading", "ReadingProcess", "kill", 1, "before"),
    ("reports.record", "Recorder", "close", 1, "before"),
    ("reports.junit", "", "document", 1, "before"),
    ("reports.junit", "", "write", 1, "after"),
    ("conformance.run.premise", "Premise", "end", 1, "after"),
    ("conformance.commands.display", "Display", "summary", 1, "before"),
]


@pytest.mark.parametrize(
    ("step", "number"),
    list(zip(STEPS, itertools.cycle(SIGNALS))),
    ids=[f"{when}-{owner}.{name}" for _, owner, name, _, when in STEPS],
)
def test_a_signal_at_a_step_of_the_run(tmp_path, step, number) -> None:
    words = [str(word) for word in (*step, int(number))]
    testers = ["--testers", "2"] if step[1] == "Testers" else []
    done = subprocess.run(
        [sys.executable, str(AT), *words, *RUN, "--quick", *testers],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    check(tmp_path, done, done.stdout, done.stderr)


LATE = """
import atexit, os, sys
from conformance.__main__ import main
atexit.register(os.kill, os.getpid(), int(sys.argv.pop(1)))
main()
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_when_all_is_reported_changes_nothing(tmp_path, number) -> None:
    """While the interpreter is ending, which takes a while on a busy machine."""
    command = [sys.executable, "-c", LATE, str(int(number)), *RUN, "-k", "length_equals_the_request"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    check(tmp_path, done, done.stdout, done.stderr)


@pytest.mark.parametrize("share", [0.2, 0.45, 0.7, 0.9])
def test_a_signal_at_any_time(tmp_path, share) -> None:
    """At shares of the time that such a run takes on this machine at the moment."""
    begun = time.monotonic()
    subprocess.run(COMMAND, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    took = time.monotonic() - begun
    process = subprocess.Popen(COMMAND, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while b"conformance" not in loaded(process.pid):
        time.sleep(0.01)
    try:
        out, err = process.communicate(timeout=took * share)
    except subprocess.TimeoutExpired:
        children = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert not left_of(children)
    if process.returncode == -signal.SIGTERM:  # it was still being loaded
        assert (out, err) == ("", "")
        return
    check(tmp_path, process, out, err)


@pytest.mark.parametrize(
    "numbers",
    [
        (signal.SIGTERM, signal.SIGHUP),
        (signal.SIGHUP, signal.SIGHUP),
        (signal.SIGINT, signal.SIGTERM),
        (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    ],
)
def test_signals_that_come_together_are_one(tmp_path, numbers) -> None:
    """As of a terminal that is closed and of its shell, or of a service manager."""
    process = subprocess.Popen(COMMAND, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = ""
    while not re.search("^(?:pass|fail) ", said, re.MULTILINE):
        said += process.stdout.readline()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.01)  # two of one number at the very same time would be one for the kernel
    rest, err = process.communicate(timeout=60)
    check(tmp_path, process, said + rest, err)
    assert (tmp_path / "out" / "junit.xml").exists()


def loaded(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()

"""`icetcp mutants` as a user starts it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest
from processes import left_of

from conformance.run.interrupts import descendants

COMMAND = [sys.executable, "-m", "conformance", "mutants"]


def icetcp(tmp_path, *arguments):
    command = [*COMMAND, "--out", str(tmp_path / "out"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_fault_of_a_section_is_killed(tmp_path) -> None:
    done = icetcp(tmp_path, "--section", "4.2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "other-pref-shared\tRFC6544-4.2-11\tkilled\tRFC6544-4.2:" in done.stdout
    assert "every fault is killed, none by accident" in done.stdout
    written = json.loads((tmp_path / "out" / "mutants.json").read_text())
    assert {row["standing"] for row in written["faults"]} == {"killed"}
    assert set(written["healthy"].values()) == {"pass"}
    assert (tmp_path / "out" / "junit.xml").exists()


def test_a_fault_without_a_selected_case_is_not_judged(tmp_path) -> None:
    done = icetcp(tmp_path, "--quick", "-k", "port_9", "--fault", "never-nominates")
    assert done.returncode == 3
    assert "never-nominates\tRFC6544-8-01\tnot run" in done.stdout


def test_a_fault_that_nobody_knows_is_a_usage_error(tmp_path) -> None:
    done = icetcp(tmp_path, "--fault", "no-such")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "icetcp: no fault is called no-such; see python -m conformance.agent --list-faults\n"


def test_nothing_selected_is_a_usage_error(tmp_path) -> None:
    assert icetcp(tmp_path, "-k", "no_case_has_this_name").returncode == 2


def test_an_interrupt_keeps_what_is_done(tmp_path) -> None:
    command = [*COMMAND, "--out", str(tmp_path), "--section", "4.5", "-j", "16"]
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        environment = {**os.environ, "TERM": "xterm"}  # as a terminal has it; without, no bar is drawn
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment)
        os.close(theirs)
        shown = b""
        while not re.search(rb" [3-9]\d?/\d\d+", shown):  # the bar says how many are done
            try:
                shown += terminal.read(4096)
            except OSError:  # nobody has the terminal any more
                pytest.fail(f"it ended by itself: {process.communicate(timeout=60)[0]} {shown.decode()}")
        testers = descendants(process.pid)
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 3, out
    assert "interrupted: the matrix holds what was done" in out
    written = json.loads((tmp_path / "mutants.json").read_text())
    assert written["interrupted"]
    assert len(written["healthy"]) >= 3
    assert not left_of(testers)

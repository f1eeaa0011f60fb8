"""`icetcp nat-table`: a signal at any moment, agents that break the adapter contract, and a folder in use."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from reports.folder import NAT_TABLE, OutputFolder

HOSTILE = Path(__file__).parents[1] / "run" / "hostile_adapter.py"
pytestmark = pytest.mark.timeout(120)

AT = Path(__file__).parents[1] / "signalled.py"
# Lets the agents be other programs.
INSTEAD = """
import sys
from conformance.commands import cli
from conformance.nattable import execution
original = execution.Bench.__init__
def replaced(self, *arguments):
    original(self, *arguments)
    self._command = sys.argv[1:sys.argv.index("--")]
execution.Bench.__init__ = replaced
cli.main(["nat-table", *sys.argv[sys.argv.index("--") + 1:]])
"""


def signalled(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(AT), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


def python(script: str, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


def reported(folder: Path) -> list[str]:
    """Return the rows of the reports, the same in both."""
    rows = [row["row"] for row in json.loads((folder / "nat-table.json").read_text())]
    root = etree.parse(folder / "junit.xml")
    assert sorted(str(case.get("name")) for case in root.iter("testcase")) == sorted(rows)
    return rows


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_among_the_rows_leaves_those_that_are_done(tmp_path, number) -> None:
    step = ("conformance.nattable.captures", "", "write", 3, "after", int(number))
    done = signalled(*step, "nat-table", "--quick", "--out", "out", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("icetcp: interrupted\n")
    rows = reported(tmp_path / "out")
    assert len(rows) >= 3
    assert len(re.findall("^ok\t", done.stdout, re.MULTILINE)) == len(rows)


def test_a_signal_after_the_last_row_changes_nothing(tmp_path) -> None:
    step = ("conformance.commands.nat_table_output", "", "results", 1, "after", int(signal.SIGTERM))
    done = signalled(*step, "nat-table", "--quick", "-k", "no S-O", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert reported(tmp_path / "out")


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("abort", "died: the adapter was killed by SIGABRT"),
        ("wrong-id", "wrong id: the adapter wrote a response to nothing that was asked"),
        ("close-stdout", "closed stdout: the adapter closed its stdout and goes on running"),
    ],
)
def test_an_agent_that_breaks_the_contract_leaves_nothing_green(tmp_path, mode, words) -> None:
    agent = (sys.executable, HOSTILE, mode, 1, tmp_path / "flag")
    done = python(INSTEAD, *agent, "--", "--quick", "-k", "no S-O", "--out", "out", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"icetcp: the reference agent: {words}" in done.stderr
    rows = reported(tmp_path / "out")
    assert any(row in done.stderr.partition(words)[2] for row in rows)  # the row that it came from
    root = etree.parse(tmp_path / "out" / "junit.xml")
    assert any(words in str(p.get("value")) for p in root.iter("property"))


def test_two_do_not_write_into_one_folder(tmp_path) -> None:
    claimed = OutputFolder.claim(tmp_path / "out", NAT_TABLE)
    command = [sys.executable, "-m", "conformance", "nat-table", "--quick", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    claimed.release()
    assert done.returncode == 2
    assert done.stderr.startswith("icetcp: another run is writing to out")

"""Tester processes of the kill matrix: what a case comes to depends on none of them, nor on the end of one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(120)
CASES = ("RFC4571-2/length_equals_the_request", "RFC4571-2/length_equals_the_response")
FAULTS = ("", "length-includes-itself", "full-says-lite")
# Executes what is above in so many processes; with "kill" the first result is the end of one of them.
SCRIPT = f"""
import json, os, signal, sys
from dataclasses import replace
from pathlib import Path
from conformance.iut.errors import AdapterError
from conformance.mutants import agents
from conformance.mutants.execution import Bench
from conformance.mutants.matrix import KillMatrix
from conformance.run.discovery import discover
from conformance.run.interrupts import descendants
count, what = int(sys.argv[1]), sys.argv[2:]
if "broken" in what:
    original = agents.stacks.resolve
    agents.stacks.resolve = lambda name: replace(original(name), command=["false"])
cases = [case for case in discover().every if case.id.startswith({CASES!r})]
pairs = [(case, fault) for fault in {FAULTS!r} for case in cases]
matrix = KillMatrix()
def progress(fault, result):
    if "kill" in what:
        what.clear()
        tester = next(p for p in descendants(os.getpid()) if p in started)
        os.kill(tester, signal.SIGKILL)
try:
    with Bench(Path("out"), processes=count, cases=cases) as bench:
        started = [one.process for one in getattr(bench._agents, "_testers", ())]
        bench.execute(pairs, matrix, jobs=8, progress=progress)
except AdapterError as error:
    sys.exit(f"AdapterError: {{error}}")
verdicts = {{fault: {{r.case: [r.verdict.value, r.reason] for r in matrix.of(fault)}} for fault in {FAULTS!r}}}
observed = {{case: sorted(seen) for case, seen in matrix.observed.items() if seen is not None}}
left = [one for one in started if one in descendants(os.getpid())]
logs = sorted(path.name for path in Path("out", "logs").iterdir())
print(json.dumps(dict(verdicts=verdicts, observed=observed, left=left, logs=logs, pairs=len(pairs))))
"""


def executed(folder, *words):
    command = [sys.executable, "-c", SCRIPT, *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_several_processes_come_to_the_verdicts_and_observations_of_one(tmp_path) -> None:
    found = {}
    for count in (1, 2):
        (tmp_path / str(count)).mkdir()
        done = executed(tmp_path / str(count), count)
        assert (done.returncode, done.stderr) == (0, "")
        found[count] = json.loads(done.stdout)
    kinds = [
        {fault: {c: v for c, (v, _) in row.items()} for fault, row in found[n]["verdicts"].items()} for n in (1, 2)
    ]
    assert kinds[0] == kinds[1]
    assert {"pass", "fail"} <= {verdict for row in kinds[0].values() for verdict in row.values()}
    assert sum(map(len, kinds[0].values())) == found[2]["pairs"]
    assert found[1]["observed"].keys() == found[2]["observed"].keys() == kinds[0][""].keys()
    assert all("length-includes-itself" in seen for seen in found[2]["observed"].values())
    assert found[2]["left"] == []
    failed = sum(verdict != "pass" for row in kinds[1].values() for verdict in row.values())
    assert len(found[2]["logs"]) == failed, "logs are kept of what did not pass, and of nothing else"


def test_a_killed_process_costs_what_it_had_and_no_more(tmp_path) -> None:
    done = executed(tmp_path, 2, "kill")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    verdicts = [verdict for row in found["verdicts"].values() for verdict in row.values()]
    assert len(verdicts) == found["pairs"]
    lost = [reason for verdict, reason in verdicts if verdict == "error"]
    assert set(lost) == {"the tester process that had this case was killed by SIGKILL"}
    assert len(lost) < found["pairs"] / 2
    assert found["left"] == []


@pytest.mark.parametrize("count", [1, 2])
def test_an_agent_that_cannot_be_started_is_told_as_such(tmp_path, count) -> None:
    done = executed(tmp_path, count, "broken")
    assert done.returncode == 1
    assert done.stderr.startswith("AdapterError: the adapter exited with status 1")

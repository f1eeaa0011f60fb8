"""Nothing lawful fails, and what fails is shrunk and can be repeated."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time

import pytest

from conformance.agent.variation import NAMES, read
from conformance.mutants.execution import Bench
from conformance.mutants.lawful import Lawful, draw, run, unlawful, write
from conformance.mutants.matrix import representatives, usual_variants
from conformance.peer.pixit import Pixit
from conformance.run.discovery import discover
from conformance.verdict import ExitStatus, Level, Result, Verdict

CASES = usual_variants(discover().every)


def result(case, verdict, level=Level.MUST):
    return Result(
        case=case.id, title="", section=case.section, requirements=(), level=level, verdict=verdict, reason="why"
    )


class Scripted:
    """A bench on which variations that hold certain differences fail."""

    def __init__(self, holds, verdict=Verdict.FAIL, level=Level.MUST, times=1000) -> None:
        self.holds, self.verdict, self.level, self.times = holds, verdict, level, times

    def run(self, case, *, variation):
        if self.times and self.holds(variation):
            self.times -= 1
            return result(case, self.verdict, self.level)
        return result(case, Verdict.PASS)

    def tidy(self, _result) -> None:
        pass


def search(bench, drawn, cases=CASES[:1]):
    found = Lawful(7)
    run(cases, bench, found, drawn)
    return found


def test_variations_are_drawn_from_the_seed_and_are_valid() -> None:
    drawn = draw(200, 1)
    assert drawn == draw(200, 1) != draw(200, 2)
    assert {name for variation in drawn for name in variation} == set(NAMES)
    for variation in drawn:
        read(json.loads(json.dumps(variation)))


def test_a_failing_variation_is_shrunk_to_what_matters(tmp_path) -> None:
    drawn = [{"seed": 5}, {"seed": 4, "null_frames": 2, "ufrag": 9, "delay": 0.1}]
    found = search(Scripted(lambda v: v.get("null_frames") == 2 and "delay" in v), drawn)
    (finding,) = found.findings
    assert finding.variation == {"null_frames": 2, "delay": 0.1}
    assert found.status() is ExitStatus.DOES_NOT_CONFORM
    words = shlex.split(finding.repeat)
    assert json.loads(words[words.index("--variation") + 1]) == finding.variation
    (path,) = write(tmp_path, found)
    assert json.loads(path.read_text())["findings"][0]["variation"] == finding.variation


@pytest.mark.parametrize(
    ("bench", "findings", "weaker"),
    [
        (Scripted(lambda v: True, times=1), 0, 0),  # the load's doing: not so the second time
        (Scripted(lambda v: True, level=Level.SHOULD), 0, 2),
        (Scripted(lambda v: True, Verdict.NOT_APPLICABLE), 0, 0),
        (Scripted(lambda v: True, Verdict.INCONC), 1, 0),
    ],
)
def test_what_counts_as_a_finding(bench, findings, weaker) -> None:
    found = search(bench, [{"seed": 1}, {"seed": 2}])
    assert (len(found.findings), found.weaker) == (findings, weaker)


def test_a_fault_in_the_bench_comes_out() -> None:
    class Broken(Scripted):
        stopped = False

        def stop(self) -> None:
            self.stopped = True

        def run(self, case, *, variation):
            raise OSError("no more descriptors")

    bench = Broken(None)
    with pytest.raises(OSError, match="no more descriptors"):
        search(bench, [{"seed": 1}])
    assert bench.stopped


def test_no_lawful_variation_fails_a_case(tmp_path) -> None:
    cases = representatives(CASES)
    found = Lawful(11)
    with Bench(tmp_path, response=Pixit().response) as bench:
        run(cases, bench, found, draw(len(cases), found.seed))
    assert not [(f.case, f.variation, f.result.reason) for f in found.findings]
    assert found.executed >= len(cases)


def test_an_interrupt_stops_what_is_in_execution(tmp_path) -> None:
    command = [sys.executable, "-m", "conformance", "mutants", "--lawful", "--out", str(tmp_path), "--section", "7.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not list((tmp_path / "logs").glob("*")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (3, False), err
    assert "interrupted: this is what was done" in out


@pytest.mark.parametrize("name", ["null_frames", "segments", "more_attributes", "listeners"])
def test_what_once_was_held_against_a_lawful_agent_is_not(name, tmp_path) -> None:
    case = next(case for case in CASES if "check_is_framed" in case.id)
    with Bench(tmp_path) as bench:
        verdict = bench.run(case, variation={name: NAMES[name].metadata["high"]})
    assert not unlawful(verdict), verdict.reason


def test_the_command_executes_one_variation(tmp_path) -> None:
    command = [sys.executable, "-m", "conformance", "mutants", "--lawful", "--out", str(tmp_path), "-k", "port_9"]
    done = subprocess.run([*command, "--variation", '{"delay": 0.1}'], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "no lawful variation fails" in done.stdout
    wrong = subprocess.run([*command, "--variation", '{"delay": 9}'], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (2, "icetcp: --variation: delay is no number from 0.0 to 0.2\n")

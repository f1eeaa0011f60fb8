"""`icetcp interop`: interrupted, it keeps what is done; the same command goes on where it stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from conformance.peer.lab import can_enter

AGENT = f"exec:{sys.executable} -m conformance.agent"
COMMAND = [sys.executable, "-m", "conformance", "interop", f"one={AGENT}", f"two={AGENT}", "--quick", "-j", "1"]
FOUR = {"one -> one [IPv4]", "one -> two [IPv4]", "two -> one [IPv4]", "two -> two [IPv4]"}


def begun(folder, *more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    command = [*COMMAND, "--out", str(folder), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.timeout(240)
@pytest.mark.skipif(can_enter() is not None, reason="the kernel refuses user and network namespaces")
def test_an_interrupted_table_keeps_what_is_done_and_goes_on(tmp_path) -> None:
    first = begun(tmp_path)
    line = first.stdout.readline()
    assert line.startswith("works      one -> one [IPv4]"), line + first.stderr.read()
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 3
    assert "the same command goes on where this one stopped" in err
    found = json.loads((tmp_path / "interop.json").read_text())
    done = {cell["id"] for cell in found["cells"]}
    assert found["interrupted"]
    assert "one -> one [IPv4]" in done
    assert done < FOUR, out
    facts = tmp_path / "cells" / "one-one-IPv4" / "facts.json"
    before = facts.stat().st_mtime_ns

    out, err = begun(tmp_path).communicate(timeout=120)
    assert "4 cells of 4, 4 work" in out, out + err
    assert {cell["id"] for cell in json.loads((tmp_path / "interop.json").read_text())["cells"]} == FOUR
    assert len(list(etree.parse(tmp_path / "junit.xml").getroot().iter("testcase"))) == len(FOUR)
    assert facts.stat().st_mtime_ns == before, "it was not played again"


HOSTILE = Path(__file__).parents[1] / "run" / "hostile_adapter.py"


@pytest.mark.timeout(240)
@pytest.mark.skipif(can_enter() is not None, reason="the kernel refuses user and network namespaces")
@pytest.mark.parametrize(
    ("mode", "came_to", "words"),
    [
        ("abort", "", "died: the adapter was killed by SIGABRT"),
        ("wrong-id", "works: media, but ", "wrong id: the adapter wrote a response to nothing that was asked"),
        ("stay", "works: media, but ", "hung: the adapter stayed for 5 s after its input had ended"),
    ],
)
def test_what_an_adapter_does_against_the_contract_is_told_and_not_green(tmp_path, mode, came_to, words) -> None:
    command = [*COMMAND[:4], f"it=exec:{sys.executable} {HOSTILE} {mode} 1", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"undecided: {came_to}it (offerer)" in done.stdout
    assert words in done.stdout
    (cell,) = json.loads((tmp_path / "interop.json").read_text())["cells"]
    assert any(words in text for text in cell["incidents"])
    root = etree.parse(tmp_path / "junit.xml")
    assert any(words in (one.get("value") or "") for one in root.iter("property"))
    assert len(list(root.iter("error"))) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the stacks, or say --all"),
        (("reference", "--all"), "name the stacks, or say --all"),
        (("reference", "reference"), "two stacks have the same name"),
        (("nonsense",), "no stack is called 'nonsense'"),
        (("reference", "--nat", "EI"), "MAPPING/FILTERING"),
        (("reference", "--tcptypes", "active"), "OFFERER/ANSWERER"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(arguments, said) -> None:
    command = [*COMMAND[:4], *arguments]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert said in told.stderr

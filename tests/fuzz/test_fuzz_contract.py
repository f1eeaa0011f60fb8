"""An adapter that breaks the contract in a campaign, once and never again, is a finding."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

HOSTILE = Path(__file__).parents[1] / "run" / "hostile_adapter.py"


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("wrong-id", "the adapter wrote a response to nothing that was asked"),
        ("garbage", "the adapter wrote no JSON on its stdout"),
    ],
)
def test_what_an_adapter_writes_against_the_contract_is_a_finding(tmp_path, mode, words) -> None:
    iut = f"exec:{sys.executable} {HOSTILE} {mode} 3 {tmp_path / 'flag'}"
    options = ("--classes", "request", "--cases", "20", "--out", "out")
    command = [sys.executable, "-m", "conformance", "fuzz", "--iut", iut, *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=140, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    (folder,) = (tmp_path / "out" / "findings").iterdir()
    finding = json.loads((folder / "finding.json").read_text())
    assert (finding["kind"], finding["cause"]) == ("garbage", "process")
    assert words in finding["text"]
    (failure,) = etree.parse(tmp_path / "out" / "junit.xml").iter("failure")
    assert words in failure.get("message")


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (4, "the second IUT ended 1 times: the adapter was killed by SIGABRT"),
        (1, "the second IUT does not do the simplest thing"),
    ],
)
def test_the_end_of_the_second_iut_is_told_and_not_green(tmp_path, number, words) -> None:
    against = f"exec:{sys.executable} {HOSTILE} abort {number} {tmp_path / 'flag'}"
    target = f"exec:{sys.executable} -m fuzz.targets"
    options = ("--classes", "request", "--cases", "200", "--out", "out", "--against", against)
    command = [sys.executable, "-m", "conformance", "fuzz", "--iut", target, *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=140, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert words in done.stderr
    assert any(words in text for text in json.loads((tmp_path / "out" / "summary.json").read_text())["problems"])
    (error,) = etree.parse(tmp_path / "out" / "junit.xml").iter("error")
    assert words in error.get("message")

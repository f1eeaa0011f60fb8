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

"""Runs against agents whose candidates name addresses that nobody can reach: each ends in order and says what it is."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.verdict import Verdict
from reports.record import read

ADAPTER = Path(__file__).with_name("offering_adapter.py")


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [
        ("1b4e28ba-2fa1-41d2-883f-0016d3cca427.local", "-", "is not an IP address but a name"),
        ("fe80::1%lo", "-", "has a zone"),
        ("0.0.0.0", "-", "is the unspecified address"),
        ("255.255.255.255", "-", "is the broadcast address"),
        ("::ffff:127.0.0.1", "-", "is an IPv4-mapped IPv6 address"),
        ("-", "0", "says port 0"),
        ("session", "-", "at the session level"),
    ],
)
def test_the_run_ends_in_order_and_names_it(tmp_path, address, port, why) -> None:
    iut = f"exec:{shlex.quote(sys.executable)} {shlex.quote(str(ADAPTER))} {shlex.quote(address)} {port}"
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--iut", iut, "--out", str(tmp_path)]
    for section in ("RFC6544-7.2", "RFC6544-4.5"):
        command += ["--section", section]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (1, 3), done.stdout + done.stderr
    _, results = read(tmp_path / "record.jsonl")
    wrong = [f"{result.case}: {result.reason}" for result in results if result.verdict is Verdict.ERROR]
    assert not wrong
    assert "name resolution" not in done.stdout + done.stderr
    told = [result for result in results if why in result.reason]
    assert told
    assert {result.verdict for result in told} <= {Verdict.INCONC, Verdict.FAIL}

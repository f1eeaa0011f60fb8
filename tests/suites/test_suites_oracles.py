"""What a reasonable implementer may do passes, and the fault that looks like it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.verdict import Verdict
from reports.record import read

UNLISTING = Path(__file__).with_name("unlisting_adapter.py")
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("arguments", "verdict"), [("", Verdict.PASS), (" --fault pairs-passive-with-passive", Verdict.FAIL)]
)
def test_active_candidates_that_a_description_leaves_out_may_connect(tmp_path, arguments, verdict) -> None:
    iut = f"exec:{sys.executable} {UNLISTING}{arguments}"
    case = ("--case", "RFC6544-6.2/passive_is_not_paired_with_passive", "--quick")
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(tmp_path), *case]
    subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    results = read(tmp_path / "record.jsonl")[1]
    (result,) = [one for one in results if one.case.startswith("RFC6544-6.2/passive_is")]
    assert result.verdict is verdict, result.reason
    assert result.note == "it connects from an active candidate that its description leaves out"

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


LEFT_OUT = "it connects from an active candidate that its description leaves out"
PASSIVE = "passive_is_not_paired_with_passive"
PRUNED = "pairs_with_a_local_passive_candidate_are_pruned"


@pytest.mark.parametrize(
    ("name", "arguments", "verdict", "note"),
    [
        (PASSIVE, "", Verdict.PASS, LEFT_OUT),
        (PASSIVE, " --fault pairs-passive-with-passive", Verdict.FAIL, LEFT_OUT),
        (PASSIVE, " --listed", Verdict.PASS, ""),
        (PASSIVE, " --listed --fault pairs-passive-with-passive", Verdict.FAIL, ""),
        (PRUNED, " --listed", Verdict.PASS, ""),
        (PRUNED, " --listed --fault pairs-active-with-active", Verdict.NOT_APPLICABLE, ""),  # another case judges that
    ],
)
def test_passive_candidates_are_told_from_the_active_ones_beside_them(tmp_path, name, arguments, verdict, note) -> None:
    """An active candidate may connect, whether the description has it or leaves it out."""
    iut = f"exec:{sys.executable} {UNLISTING}{arguments}"
    case = ("--case", f"RFC6544-6.2/{name}", "--quick")
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(tmp_path), *case]
    subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    results = read(tmp_path / "record.jsonl")[1]
    (result,) = [one for one in results if one.case.startswith(f"RFC6544-6.2/{name}")]
    assert (result.verdict, result.note) == (verdict, note), result.reason

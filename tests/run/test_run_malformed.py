"""An IUT that writes malformed values is failed for them, and no disagreement of decoders is charged to the tester."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.verdict import Verdict
from reports.record import read

ADAPTER = Path(__file__).with_name("malformed_adapter.py")
FINDINGS = {
    "error-class-misplaced": ("RFC8489-6.3.1.1/judge_error_has_a_code", "every_length"),
    "error-code-short": ("RFC8489-6.3.1.1/judge_error_has_a_code", "every_length"),
    "user-name-not-utf-8": ("RFC8489-14.3/judge_user_name_is_text", "length_equals"),
    "unknown-attributes-odd": ("RFC8489-6.3.1.1/judge_unknown_attributes_are_listed", "nothing_stands_between"),
    "priority-short": ("RFC8445-16.1/judge_priority_has_32_bits", "length_equals"),
    "role-short": ("RFC8445-16.1/judge_tie_breaker_has_64_bits", "length_equals"),
    "mapped-address-short": ("RFC8489-14.2/judge_mapped_address_is_well_formed", "length_equals"),
    "mapped-address-of-no-family": ("RFC8489-14.2/judge_mapped_address_is_well_formed", "length_equals"),
}


@pytest.mark.parametrize("kind", FINDINGS)
def test_what_is_malformed_is_a_finding_against_its_sender(tmp_path: Path, kind: str) -> None:
    rule, cases = FINDINGS[kind]
    iut = f"exec:{sys.executable} {ADAPTER} {kind}"
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--iut", iut, "--out", str(tmp_path)]
    done = subprocess.run([*command, "-k", cases], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    _, results = read(tmp_path / "record.jsonl")
    assert [(r.case, r.reason) for r in results if r.verdict is Verdict.ERROR] == []
    broken = {r.case for r in results if "/judge_" in r.case and r.verdict is Verdict.FAIL}
    assert broken == {rule}


@pytest.mark.parametrize(
    ("kind", "failed", "cases"),
    [
        ("role-long", {"RFC8445-16.1-s03"}, "conflict or tie_breaker or says_so"),
        ("priority-short", {"RFC8445-16.1-s02"}, "priority"),
    ],
)
def test_a_malformed_value_fails_no_case_that_is_not_about_how_it_is_written(tmp_path, kind, failed, cases) -> None:
    """A role is claimed by an attribute's type, whatever its value is: conflicts are repaired as ever."""
    iut = f"exec:{sys.executable} {ADAPTER} {kind}"
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--iut", iut, "--out", str(tmp_path)]
    subprocess.run([*command, "-k", cases], capture_output=True, text=True, timeout=100, check=False)
    _, results = read(tmp_path / "record.jsonl")
    found = {result.requirements[0]: result.reason for result in results if result.verdict is Verdict.FAIL}
    assert set(found) == failed, found
    assert [result.case for result in results if result.verdict is Verdict.ERROR] == []

"""What a target shows only when its input has ended is a finding: leaks that a sanitizer tells, crashes of a teardown."""

import subprocess
import sys

import pytest
from test_fuzz_evidence import HOSTILE, campaign, hostile

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("mode", "kind", "cause"),
    [
        ("leak at end", "exception", "AddressSanitizer: detected"),
        ("panic at end", "exception", "Go panic: runtime error"),
        ("signal at end", "death", "SIGSEGV"),
    ],
)
def test_a_crash_at_the_end_of_input_is_a_finding_that_its_replay_repeats(tmp_path, mode, kind, cause):
    done, out, summary = campaign(tmp_path, hostile(tmp_path, mode), cases="10")
    assert done.return_value == 1, done.output
    (finding,) = summary["findings"]
    assert (finding["kind"], finding["cause"].endswith(" when its input had ended")) == (kind, True)
    assert cause in finding["cause"]
    replay = [sys.executable, str(out / "findings" / finding["bucket"] / "replay.py"), sys.executable, str(HOSTILE)]
    for target, status in ((mode, 1), ("status at end", 0)):
        again = subprocess.run([*replay, target, str(tmp_path / "state")], capture_output=True, text=True, check=False)
        assert again.returncode == status, again.stdout + again.stderr


def test_another_status_at_the_end_of_input_is_no_finding(tmp_path):
    done, _, summary = campaign(tmp_path, hostile(tmp_path, "status at end"), cases="10")
    assert (done.return_value, summary["findings"]) == (0, []), done.output

"""What the IUT described and nobody could read is unknown: no rule takes it for something that was never said."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.iut.upper import Upper
from conformance.run.judging import judge_case
from conformance.run.recording import CaseCapture
from conformance.verdict import Inconclusive, Verdict
from conformance.wire.sdp import SessionDescription
from pcaps.golden.build import FOLDER
from reports.record import read

ADAPTER = Path(__file__).with_name("unreadable_adapter.py")


@pytest.mark.parametrize("kind", ["no-sdp", "junk", "zone"])
def test_a_description_that_cannot_be_read_is_unknown(tmp_path: Path, kind: str) -> None:
    iut = f"exec:{sys.executable} {ADAPTER} {kind}"
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--iut", iut, "--out", str(tmp_path)]
    subprocess.run([*command, "-k", "length_equals"], capture_output=True, text=True, timeout=100, check=False)
    _, results = read(tmp_path / "record.jsonl")
    cases = [result for result in results if "/judge_" not in result.case]
    assert cases
    assert Verdict.INCONC in {result.verdict for result in cases} <= {Verdict.INCONC, Verdict.NOT_APPLICABLE}
    rules = [(r.case, r.reason) for r in results if "/judge_" in r.case and r.verdict is Verdict.FAIL]
    assert rules == []


@pytest.mark.parametrize("kind", ["no-sdp", "junk"])
def test_what_was_said_once_and_cannot_be_read_is_not_undone_by_saying_it_again(tmp_path: Path, kind: str) -> None:
    iut = f"exec:{sys.executable} {ADAPTER} {kind} 7"  # the scan's session has the first of a process
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "-j", "2", "--out", str(tmp_path)]
    done = subprocess.run([*command, "-k", "length_equals"], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 3, done.stdout
    _, results = read(tmp_path / "record.jsonl")
    unread = [result for result in results if result.verdict is Verdict.INCONC]
    assert unread
    assert all("cannot be parsed" in result.reason and not result.executions for result in unread)
    assert len([result for result in results if result.verdict is Verdict.PASS]) > 6


@pytest.mark.parametrize("kind", ["component-in-words", "stream-in-a-list", "no-component"])
def test_a_notification_that_names_no_component_is_no_error_of_ours(tmp_path: Path, kind: str) -> None:
    iut = f"exec:{sys.executable} {ADAPTER} {kind}"
    command = [sys.executable, "-m", "conformance", "run", "--quick", "--iut", iut, "--out", str(tmp_path)]
    done = subprocess.run([*command, "-k", "framed_media"], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (3, "")
    _, results = read(tmp_path / "record.jsonl")
    cases = [result for result in results if "/judge_" not in result.case]
    assert {result.verdict for result in cases} == {Verdict.INCONC}
    assert all("notification has a" in result.reason for result in cases)


def test_a_selected_pair_of_no_component_is_no_error_of_ours() -> None:
    adapter = SimpleNamespace(
        died=None, notifications=deque([SimpleNamespace(method="selected", params={"stream": []})])
    )
    waiter = SimpleNamespace(wake=None, wait=lambda condition, _within: condition())
    upper = Upper(lambda: adapter, waiter, pics={"reports": ["selected"]}, addresses=["192.0.2.1"], timeout=1)
    with pytest.raises(Inconclusive, match="has a stream that is no number"):
        upper.await_selected(within=0)


@pytest.mark.parametrize(
    ("names", "failed"), [(("tester",), 0), (("IUT", "tester", "unknown"), 0), (("IUT", "tester"), 1)]
)
def test_a_name_is_nobodys_only_if_all_descriptions_are_known(names: tuple[str, ...], failed: int) -> None:
    """The checks of this capture have the fragments of neither description."""
    told = {name: SessionDescription.parse((FOLDER / "usual.offer.sdp").read_bytes()) for name in names}
    other = str(told["tester"]).replace("a=ice-ufrag:Lfrg", "a=ice-ufrag:Other")
    told["IUT" if "IUT" in told else "tester"] = SessionDescription.parse(other)
    path = FOLDER / "clean-controlling-offerer.pcapng"
    capture = CaseCapture("x", path, frozenset({"198.51.100.2"}), list(told.items()))
    found = {j.rule.name: j for j in judge_case(path.read_bytes(), capture).judgements}
    assert bool(found["check_has_the_user_name"].breaches) is bool(failed)

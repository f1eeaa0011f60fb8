"""The process that reads captures during the run: it says what this process would say, or this process says it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.run.crosscheck import disagreements
from conformance.run.reading import ReadingProcess, Readings, Work
from conformance.run.recording import SHARED, CaseCapture
from conformance.verdict import Verdict
from conformance.wire.attributes import Address
from pcaps.tshark import TsharkFailed, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden"
ABOUT = ("the IUT", "again {case}")
LEFT = "192.0.2.1"


def capture(name: str, **change: object) -> CaseCapture:
    return CaseCapture(f"RFC6544-7.1/{name}", GOLDEN / f"{name}.pcapng", frozenset(), **change)


SOME = [
    capture(name)
    for name in ("clean-consent", "broken-retransmission", "broken-no-frames", "clean-null-frames-and-cuts")
]


@pytest.fixture
def reader() -> Iterator[ReadingProcess]:
    reader = ReadingProcess(*ABOUT, GOLDEN)
    yield reader
    reader.kill()


def read_here(captures: Iterable[CaseCapture], folder: Path) -> Readings:
    work = Work(*ABOUT, GOLDEN, folder / "together")
    cases = {capture.case: (capture, work.read(capture)) for capture in captures}
    readings = work.sums()
    readings.cases = cases
    return readings


def told(readings: Readings) -> dict[str, object]:
    findings = [(r.case, r.verdict, r.reason, r.repeat, r.capture, r.ladder) for r in readings.findings]
    cases = {case: reading for case, (_, reading) in readings.cases.items()}
    return {"findings": findings, "held": readings.held, "cases": cases}


def kill(reader: ReadingProcess) -> None:
    while reader._process is None:
        time.sleep(0.001)
    os.kill(reader._process.pid, signal.SIGKILL)


def test_it_says_what_this_process_says(reader: ReadingProcess, tmp_path: Path) -> None:
    for one in SOME:
        reader.take(one)
    reader.end()
    found = reader.readings()
    assert told(found) == told(read_here(SOME, tmp_path))
    assert {finding.case for finding in found.findings if finding.verdict is Verdict.FAIL} == {
        "RFC6544-7.1/judge_check_is_not_retransmitted",
        "RFC6544-7.1/judge_opened_connection_is_framed",
    }
    assert {reading.view is not None for _, reading in found.cases.values()} == {True}
    assert len(found.cases) == len(SOME)


def test_tshark_is_given_exactly_what_was_read(reader: ReadingProcess) -> None:
    """Of a case that was executed again only the last capture."""
    again = CaseCapture("RFC6544-7.1/x", GOLDEN / "clean-consent.pcapng", frozenset({LEFT}))
    reader.take(CaseCapture("RFC6544-7.1/x", GOLDEN / "clean-restart.pcapng", frozenset({LEFT})))
    reader.ladder("RFC6544-7.1/x")  # read by now
    reader.take(again)
    reader.end()
    readings = reader.readings()
    view = readings.cases["RFC6544-7.1/x"][1].view
    seen = reader.tshark_view(readings)
    assert view is not None
    assert view.messages == seen.messages
    assert disagreements({"x": (again, view)}, seen) == {}


def test_of_a_case_that_was_executed_again_the_last_capture_counts(tmp_path: Path) -> None:
    again = CaseCapture("RFC6544-7.1/x", GOLDEN / "clean-consent.pcapng", frozenset())
    first = CaseCapture("RFC6544-7.1/x", GOLDEN / "broken-retransmission.pcapng", frozenset())
    assert told(read_here([first, again], tmp_path)) == told(read_here([again], tmp_path))


def test_if_it_dies_nothing_is_lost(reader: ReadingProcess, tmp_path: Path) -> None:
    reader.take(SOME[0])
    kill(reader)
    for one in SOME[1:]:
        reader.take(one)
    reader.end()
    readings = reader.readings()
    assert told(readings) == told(read_here(SOME, tmp_path))
    assert reader.tshark_view(readings).messages


def test_a_ladder_is_there_as_soon_as_its_capture_was_read(reader: ReadingProcess) -> None:
    drawn = capture("broken-retransmission", draw=True)
    reader.take(drawn)
    assert "Binding request" in reader.ladder(drawn.case)
    assert reader.ladder("RFC6544-7.1/without_a_capture") == ""


def test_a_ladder_that_nobody_foresaw_is_drawn_later(reader: ReadingProcess) -> None:
    plain = capture("broken-retransmission")
    reader.take(plain)
    assert "Binding request" in reader.ladder(plain.case)


def test_a_ladder_is_drawn_here_if_the_process_dies(reader: ReadingProcess) -> None:
    reader.take(SOME[0])
    kill(reader)
    drawn = capture("broken-retransmission", draw=True)
    reader.take(drawn)
    assert "Binding request" in reader.ladder(drawn.case)
    reader.end()
    assert reader.readings().cases.keys() == {SOME[0].case, drawn.case}


def test_a_capture_that_cannot_be_read_is_named(reader: ReadingProcess, tmp_path: Path) -> None:
    broken = tmp_path / "x.pcapng"
    broken.write_bytes(b"no capture")
    whole = (GOLDEN / "clean-consent.pcapng").read_bytes()
    cut_off = tmp_path / "y.pcapng"
    cut_off.write_bytes(whole[: len(whole) // 2 + 1])
    for name, path in (("x", broken), ("y", cut_off), ("z", tmp_path / "gone")):
        reader.take(CaseCapture(f"RFC6544-7.1/{name}", path, frozenset()))
    reader.end()
    readings = reader.readings()
    for _, reading in readings.cases.values():
        assert reading.view is None
        assert "cannot be read" in reading.problem
    assert len(readings.cases) == 3


def test_no_room_for_tsharks_copy_is_no_secret(tmp_path: Path) -> None:
    reader = ReadingProcess(*ABOUT, GOLDEN)
    reader._together = tmp_path / "no such folder" / "together"
    reader.take(SOME[0])
    reader.end()
    readings = reader.readings()
    with pytest.raises(TsharkFailed, match="TMPDIR"):
        reader.tshark_view(readings)
    reader.kill()


def test_a_run_without_captures_has_nothing_to_say(reader: ReadingProcess) -> None:
    reader.end()
    readings = reader.readings()
    assert readings.findings == []
    assert reader.tshark_view(readings) == View()


def test_killed_it_is_gone(reader: ReadingProcess) -> None:
    reader.take(SOME[0])
    while reader._process is None:
        time.sleep(0.001)
    process = reader._process
    reader.kill()
    assert process.poll() is not None


# -- the comparison, case by case --------------------------------------------------------------------------------------

ONE, OTHER = (Address("127.16.0.1", 4), Address("127.0.0.1", 5)), (Address("127.16.0.2", 4), Address("127.0.0.1", 5))
SIX = (Address(SHARED, 4), Address(SHARED, 5))


def case_of(*tester: str) -> CaseCapture:
    return CaseCapture("x", Path(), frozenset(tester))


def test_a_case_is_compared_with_its_own_addresses_alone() -> None:
    seen = View({ONE: [(1, "aa")], OTHER: [(1, "bb")]})
    views = {
        "one": (case_of(ONE[0].ip), View({ONE: [(1, "aa")]})),
        "other": (case_of(OTHER[0].ip), View({OTHER: [(1, "cc")]})),
    }
    assert disagreements(views, seen).keys() == {"other"}


def test_at_the_address_that_cases_share_the_ports_tell() -> None:
    seen = View({SIX: [(1, "aa")], SIX[::-1]: [(1, "bb")]})
    assert disagreements({"x": (case_of(SHARED), View({SIX: [(1, "aa")]}))}, seen) == {}
    assert disagreements({"x": (case_of(SHARED), View({SIX: [(1, "cc")]}))}, seen).keys() == {"x"}

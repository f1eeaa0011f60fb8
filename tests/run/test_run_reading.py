"""The process that reads captures during the run: it says what this process would say, or this process says it."""

from __future__ import annotations

import io
import os
import pickle
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from processes import left_of

from conformance.run import crosscheck
from conformance.run.crosscheck import disagreements
from conformance.run.interrupts import descendants
from conformance.run.reading import ReadingProcess, Readings, Work, _put
from conformance.run.recording import SHARED, CaseCapture
from conformance.verdict import Verdict
from conformance.wire import ip
from conformance.wire.attributes import Address
from pcaps.reading import read_capture
from pcaps.tshark import View, own_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pcaps.growth import Growth

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
    work = Work(*ABOUT, GOLDEN, folder)
    cases = {capture.case: (capture, work.read(capture)) for capture in captures}
    readings = work.sums()
    readings.cases = cases
    return readings


def told(readings: Readings) -> dict[str, object]:
    findings = [(r.case, r.verdict, r.reason, r.repeat, r.capture, r.ladder) for r in readings.findings]
    cases = {case: reading for case, (_, reading) in readings.cases.items()}
    return {"findings": findings, "held": readings.held, "cases": cases, "differences": readings.differences}


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
    assert found.unchecked == ""
    assert found.differences.keys() == {one.case for one in SOME}  # nobody said which addresses are whose
    assert len(found.cases) == len(SOME)


@pytest.mark.parametrize("batch", [1, 100])
def test_tshark_is_given_exactly_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Of a case that was executed again only the last capture, in whichever batch the first one was."""
    monkeypatch.setattr(crosscheck, "_BATCH", batch)
    name = "RFC6544-7.1/x"
    right, wrong = (GOLDEN / f"clean-{one}.pcapng" for one in ("consent", "restart"))
    seen = own_view(read_capture(right).connections)
    for first, said in ((seen, {}), (own_view(read_capture(wrong).connections), {name})):
        check = crosscheck.CrossCheck(tmp_path)
        check.add(CaseCapture(name, wrong, frozenset({LEFT})), wrong.read_bytes(), View())
        check.add(CaseCapture(name, right, frozenset({LEFT})), right.read_bytes(), first)
        assert check.differences().keys() == set(said)
        assert check.problem == ""
    assert list(tmp_path.iterdir()) == []


def test_each_batch_is_compared_with_its_own_captures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "_BATCH", 1)  # all captures have the same addresses
    check = crosscheck.CrossCheck(tmp_path)
    for number, one in enumerate(SOME + SOME[:1]):
        view = own_view(read_capture(one.path).connections) if number else View()
        check.add(replace(one, case=f"case {number}", tester=frozenset({LEFT})), one.path.read_bytes(), view)
    assert check.differences().keys() == {"case 0"}


def test_what_tshark_cannot_read_costs_its_batch_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosscheck, "_BATCH", 1)
    check = crosscheck.CrossCheck(tmp_path)
    check.add(SOME[0], b"no capture", View({ONE: [(1, "aa")]}))
    check.add(replace(SOME[1], tester=frozenset({LEFT})), SOME[1].path.read_bytes(), View())
    assert check.differences().keys() == {SOME[1].case}
    assert "tshark could not read" in check.problem


def test_tshark_reads_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tshark is given all captures, the first ones before the last are there, and what it says is of them all."""
    monkeypatch.setattr(crosscheck, "_PIECE", 1)
    asked, starts, first = crosscheck.ask_tshark, [], threading.Event()

    def noted(path: Path, growth: Growth) -> View:
        starts.append(path)
        first.set()
        return asked(path, growth)

    monkeypatch.setattr(crosscheck, "ask_tshark", noted)
    check = crosscheck.CrossCheck(tmp_path)
    octets, other = SOME[0].path.read_bytes(), "192.0.2.7"
    check.add(replace(SOME[0], tester=frozenset({LEFT})), octets, own_view(read_capture(SOME[0].path).connections))
    assert first.wait(10)
    elsewhere = octets.replace(ip.packed(LEFT), ip.packed(other))
    check.add(replace(SOME[0], case="late", tester=frozenset({other})), elsewhere, View())
    assert check.differences().keys() == {"late"}
    assert len(starts) == 1
    assert check.problem == ""


def test_a_tshark_that_ends_early_is_waited_for_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads no further than what it cannot read, and more than its pipe holds comes behind that."""
    monkeypatch.setattr(crosscheck, "_PIECE", 1)
    check = crosscheck.CrossCheck(tmp_path)
    for number in range(20):
        check.add(replace(SOME[0], case=f"case {number}"), b"no capture" + bytes(100_000), View())
    assert check.differences() == {}
    assert "tshark could not read" in check.problem


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
    assert told(reader.readings()) == told(read_here(SOME, tmp_path))


def test_it_says_how_many_captures_wait_and_when_one_was_read(reader: ReadingProcess, tmp_path: Path) -> None:
    left: list[int] = []
    reader.on_read = lambda: left.append(reader.unread())
    reader._feeder.start()  # before the captures come, so that each is told of
    for capture in SOME:
        reader.take(capture)
    reader.end()
    reader.readings()
    assert len(left) == len(SOME) + 1
    assert left[-1] == 0
    assert all(0 <= count <= len(SOME) for count in left)


def test_nothing_waits_for_a_process_that_has_failed(reader: ReadingProcess) -> None:
    told: list[int] = []
    reader.on_read = lambda: told.append(reader.unread())
    reader._feeder.start()
    kill(reader)
    for capture in SOME:
        reader.take(capture)
    reader._feeder.join()
    assert (told, reader.unread()) == ([0], 0)


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
        assert "cannot be read" in reading.problem
    assert len(readings.cases) == 3


def test_no_room_for_tsharks_copy_is_no_secret(tmp_path: Path) -> None:
    reader = ReadingProcess(*ABOUT, GOLDEN)
    reader._copies = tmp_path / "no such folder"
    reader.take(SOME[0])
    reader.end()
    assert "TMPDIR" in reader.readings().unchecked
    reader.kill()


def test_a_run_without_captures_has_nothing_to_say(reader: ReadingProcess) -> None:
    reader.end()
    readings = reader.readings()
    assert (readings.findings, readings.differences, readings.unchecked) == ([], {}, "")


def test_killed_it_is_gone_with_what_it_started(reader: ReadingProcess) -> None:
    reader.take(SOME[0])
    reader.end()
    while reader._process is None or not descendants(reader._process.pid):
        time.sleep(0.001)
    process, tshark = reader._process, descendants(reader._process.pid)
    reader.kill()
    assert process.poll() is not None
    assert not left_of(tshark)


class Interrupted(io.RawIOBase):
    """A pipe that takes a few octets at a time, as a full one does when signals come."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, octets) -> int:
        self.taken += bytes(octets[:1000])
        return min(1000, len(octets))


def test_an_answer_is_written_whole_however_little_the_pipe_takes() -> None:
    pipe = Interrupted()
    answer = {"exchange": bytes(range(256)) * 300}
    _put(pipe, answer)
    assert pickle.loads(pipe.taken) == answer


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

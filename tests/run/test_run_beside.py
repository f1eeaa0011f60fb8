"""The process that reads captures beside the run: it says what this process would say, or this process says it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.run.reading import Reader, Readings, read_all
from conformance.run.recording import CaseCapture

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parents[2] / "pcaps" / "golden"
ABOUT = ("the IUT", "again {case}")


def captures(*names: str) -> list[CaseCapture]:
    return [CaseCapture(f"RFC6544-7.1/{name}", GOLDEN / f"{name}.pcapng", frozenset()) for name in names]


SOME = captures("clean-consent", "broken-retransmission", "broken-no-frames", "clean-null-frames-and-cuts")


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader(*ABOUT, GOLDEN)
    yield reader
    reader.kill()


def told(readings: Readings) -> dict[str, object]:
    findings = [(r.case, r.verdict, r.reason, r.repeat, r.capture, r.ladder) for r in readings.findings]
    return {"findings": findings, "held": readings.held, "views": readings.views, "problems": readings.problems}


def test_it_says_what_this_process_says(reader: Reader) -> None:
    for capture in SOME:
        reader.take(capture)
    reader.end()
    found = reader.readings()
    assert told(found) == told(read_all(SOME, *ABOUT, GOLDEN))
    assert {finding.case for finding in found.findings} == {
        "RFC6544-7.1/judge_check_is_not_retransmitted",
        "RFC6544-7.1/judge_opened_connection_is_framed",
    }
    assert len(found.views) == len(SOME)


def test_of_a_case_that_was_executed_again_the_last_capture_counts() -> None:
    again = CaseCapture("RFC6544-7.1/x", GOLDEN / "clean-consent.pcapng", frozenset())
    first = CaseCapture("RFC6544-7.1/x", GOLDEN / "broken-retransmission.pcapng", frozenset())
    assert told(read_all([first, again], *ABOUT, GOLDEN)) == told(read_all([again], *ABOUT, GOLDEN))


def test_if_it_dies_nothing_is_lost(reader: Reader) -> None:
    reader.take(SOME[0])
    while reader._process is None:
        time.sleep(0.001)
    os.kill(reader._process.pid, signal.SIGKILL)
    for capture in SOME[1:]:
        reader.take(capture)
    reader.end()
    assert told(reader.readings()) == told(read_all(SOME, *ABOUT, GOLDEN))


def test_a_capture_that_cannot_be_read_is_named(reader: Reader, tmp_path: Path) -> None:
    broken = tmp_path / "x.pcapng"
    broken.write_bytes(b"no capture")
    reader.take(CaseCapture("RFC6544-7.1/x", broken, frozenset()))
    reader.end()
    assert "RFC6544-7.1/x" in reader.readings().problems


def test_a_run_without_captures_has_nothing_to_say(reader: Reader) -> None:
    reader.end()
    assert reader.readings().findings == []


def test_killed_it_is_gone(reader: Reader) -> None:
    reader.take(SOME[0])
    while reader._process is None:
        time.sleep(0.001)
    process = reader._process
    reader.kill()
    assert process.poll() is not None

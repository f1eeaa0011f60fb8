"""What a process says to no session: each log of a case that uses it has it, in the order of time."""

from __future__ import annotations

import pytest

from conformance.iut.lease import CaseLog
from conformance.iut.said import _MOST, Said


def texts(path):
    return [line[10:] for line in path.read_text().splitlines()]


def test_each_log_has_what_was_said_while_it_was_open(tmp_path) -> None:
    said = Said()
    said.add("stderr", "before both")
    first = CaseLog(tmp_path / "first", said)
    first.write("->", "asked")
    said.add("stderr", "to the first")
    second = CaseLog(tmp_path / "second", said)
    said.add("stderr", "to both")
    first.write("<-", "answered")
    first.close()
    said.add("stderr", "to the second")
    second.close()
    assert texts(tmp_path / "first") == ["->      asked", "stderr  to the first", "stderr  to both", "<-      answered"]
    assert texts(tmp_path / "second") == ["stderr  to both", "stderr  to the second"]


def test_a_log_that_is_not_kept_is_not_written(tmp_path) -> None:
    said = Said()
    log = CaseLog(tmp_path / "log", said)
    log.write("->", "asked")
    said.add("stderr", "said")
    log.close(keep=False)
    log.write("->", "late")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_kept_for_nobody_and_little_for_those_who_take_none(tmp_path) -> None:
    said = Said()
    log = CaseLog(tmp_path / "log", said)
    for number in range(3 * _MOST):
        said.add("stderr", str(number))
        assert len(said._lines) <= _MOST + 1
    log.close()
    assert [int(text.split()[1]) for text in texts(tmp_path / "log")] == list(range(3 * _MOST))
    said.add("stderr", "to nobody")
    assert said._lines == []


@pytest.mark.parametrize("late", [False, True])
def test_a_log_that_cannot_be_written_stops(tmp_path, late) -> None:
    log = CaseLog(tmp_path / "missing" / "log", Said())
    log.write("->", "asked")
    log.flush()
    if late:
        log.write("->", "again")
    log.close()
    assert not (tmp_path / "missing").exists()

"""record.jsonl: appended line by line, superseded by later lines, readable after a kill."""

from __future__ import annotations

import pytest

from conformance.verdict import Level, Result, Verdict
from reports.record import Recorder, ReportError, RunInfo, read

RUN = RunInfo(
    iut="x", iut_version="1", command="x", seed=0, icetcp_version="0", python="3", platform="p", link="lab", started=1.0,
    notes=("no network of its own",),
)  # fmt: skip


def result(case: str, verdict: Verdict, **change) -> Result:
    return Result(
        case=case,
        title="t",
        section="RFC6544-8",
        requirements=("RFC6544-8-01",),
        level=Level.MUST,
        verdict=verdict,
        **change,
    )


def test_what_is_written_is_read(tmp_path) -> None:
    path = tmp_path / "record.jsonl"
    recorder = Recorder(path, RUN)
    recorder.write(result("a", Verdict.PASS, parameters={"side": "offerer"}))
    recorder.write(result("b", Verdict.PASS))
    recorder.write(result("a", Verdict.ERROR, reason="tshark disagrees"))
    before = path.read_bytes()
    run, results = read(path)
    assert run == RUN
    assert [(r.case, r.verdict) for r in results] == [("a", Verdict.ERROR), ("b", Verdict.PASS)]
    recorder.close(RUN)
    assert path.read_bytes().startswith(before)
    assert read(path)[1] == results


def test_a_torn_last_line_is_passed_over(tmp_path) -> None:
    path = tmp_path / "record.jsonl"
    recorder = Recorder(path, RUN)
    recorder.write(result("a", Verdict.PASS))
    whole = path.read_bytes()
    recorder.write(result("b", Verdict.PASS))
    for length in range(len(whole), len(path.read_bytes())):
        torn = tmp_path / "torn.jsonl"
        torn.write_bytes(path.read_bytes()[:length])
        names = [r.case for r in read(torn)[1]]
        assert names == (["a"] if length < len(path.read_bytes()) - 1 else ["a", "b"])
    recorder.close(RUN)


@pytest.mark.parametrize(
    ("octets", "what"),
    [(b"", "not a record"), (b"{}\n", "not a record"), (b"nonsense\n{}\n", "line 1"), (b"[1]\n{}\n", "no JSON object")],
)
def test_what_is_no_record(tmp_path, octets, what) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(octets)
    with pytest.raises(ReportError, match=what):
        read(path)


def test_a_record_that_cannot_be_read_or_written(tmp_path) -> None:
    with pytest.raises(ReportError, match="cannot read"):
        read(tmp_path / "none")
    with pytest.raises(ReportError, match="cannot write"):
        Recorder(tmp_path / "none" / "record.jsonl", RUN)


def test_a_full_disk_is_named_with_its_remedy(tmp_path) -> None:
    from pathlib import Path

    with pytest.raises(ReportError, match="free some space"):
        Recorder(Path("/dev/full"), RUN)


def test_lone_surrogates_do_not_lose_the_record(tmp_path) -> None:
    path = tmp_path / "record.jsonl"
    recorder = Recorder(path, RUN)
    recorder.write(result("a", Verdict.FAIL, reason="\ud800"))
    recorder.close(RUN)
    assert read(path)[1][0].reason == "\\ud800"

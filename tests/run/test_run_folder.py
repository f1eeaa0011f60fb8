"""The folder of a run: whose it is, what may be replaced in it, and that two runs do not share it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.verdict import Result
from reports.folder import CAMPAIGN, INTEROP, MARKER, MATRIX, FolderError, OutputFolder, default_folder
from reports.record import read

COMMAND = [sys.executable, "-m", "conformance", "run"]
ONE = ("--case", "RFC4571-2/length_equals_the_request[offerer]")


def icetcp(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=folder)


def content(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def a_run(folder: Path) -> None:
    """Leave what a run leaves."""
    claimed = OutputFolder.claim(folder)
    claimed.clear("some IUT")
    (folder / "captures" / "old.pcapng").write_text("old")
    (folder / "logs" / "old.log").write_text("old")
    (folder / "record.jsonl").write_text("old")
    (folder / "junit.xml").write_text("old")
    claimed.release()


def test_a_run_replaces_the_files_of_an_earlier_one_and_no_others(tmp_path) -> None:
    a_run(tmp_path)
    (tmp_path / "logs" / "notes.txt").write_text("the user's")
    (tmp_path / "captures" / "mine").mkdir()
    (tmp_path / "mine.html").write_text("the user's")
    claimed = OutputFolder.claim(tmp_path)
    claimed.clear()
    assert content(tmp_path).keys() == {MARKER, "captures", "captures/mine", "logs", "logs/notes.txt", "mine.html"}
    claimed.release()


def test_a_claim_alone_touches_nothing(tmp_path) -> None:
    a_run(tmp_path)
    before = content(tmp_path)
    OutputFolder.claim(tmp_path).release()
    assert content(tmp_path) == before
    OutputFolder.claim(tmp_path / "new" / "folder").release()
    assert content(tmp_path) == before


@pytest.mark.parametrize("report", ["junit.xml", "record.jsonl"])
@pytest.mark.parametrize("folder", ["logs", "captures"])
def test_somebody_elses_report_gives_no_right_to_its_neighbours(tmp_path, report, folder) -> None:
    (tmp_path / report).write_text("<testsuites/>")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "mine.log").write_text("precious")
    before = content(tmp_path)
    with pytest.raises(FolderError, match=f"{folder} holds files that are not an earlier run's; choose another"):
        OutputFolder.claim(tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("report", ["junit.xml", "record.jsonl"])
def test_somebody_elses_report_is_not_replaced(tmp_path, report) -> None:
    (tmp_path / report).write_text("<testsuites/>")
    with pytest.raises(FolderError, match=f"{report} is not an earlier run's; choose another folder with --out"):
        OutputFolder.claim(tmp_path)
    assert content(tmp_path) == {report: b"<testsuites/>"}


def test_a_run_of_an_older_version_is_known_by_its_record(tmp_path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.log").write_text("old")
    (tmp_path / "record.jsonl").write_text(json.dumps({"kind": "run", "icetcp_version": "0.1.0"}) + "\n")
    claimed = OutputFolder.claim(tmp_path)
    claimed.clear()
    assert content(tmp_path).keys() == {MARKER, "captures", "logs"}
    claimed.release()


def test_a_folder_belongs_to_one_run_at_a_time(tmp_path) -> None:
    first = OutputFolder.claim(tmp_path)
    first.clear("some IUT")
    (tmp_path / "logs" / "now.log").write_text("being written")
    before = content(tmp_path)
    with pytest.raises(FolderError, match=r"another run \(process \d+, since .*\) is writing to .*--out"):
        OutputFolder.claim(tmp_path)
    assert content(tmp_path) == before
    first.release()
    OutputFolder.claim(tmp_path).release()


def test_each_iut_has_a_folder_of_its_own_by_default() -> None:
    iuts = ["reference", "libnice", "exec:libnice", "exec:a b", "exec:a-b", "exec:python3 x.py", "exec:python3 d/x.py"]
    folders = [default_folder(iut) for iut in iuts]
    assert folders[:2] == ["reports/run-reference", "reports/run-libnice"]
    assert len(set(folders)) == len(iuts)
    assert all(Path(folder).parent == Path("reports") for folder in folders)
    assert "x.py" in folders[-1]


def test_a_second_run_in_the_same_folder_is_refused_and_disturbs_nothing(tmp_path) -> None:
    first = subprocess.Popen(
        [*COMMAND, "--section", "7.2", "-j", "1"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    for line in first.stdout:
        if line.startswith("pass"):
            break
    out = tmp_path / "reports" / "run-reference"
    kept = {path.name for path in (out / "logs").iterdir()}
    second = icetcp(tmp_path, *ONE)
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert f"another run (process {first.pid}, since" in second.stderr
    assert "choose another folder with --out" in second.stderr
    first.send_signal(signal.SIGINT)
    assert first.communicate(timeout=60)[1] == "icetcp: interrupted\n"
    assert kept <= {path.name for path in (out / "logs").iterdir()}
    assert read(out / "record.jsonl")[1]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--iut", "exec:false"), 3),
        (("--iut", "exec:no-such-program"), 2),
        (("--iut", "libnice-but-misspelt"), 2),
        (("--case", "RFC4571-2/no_such"), 2),
        (("-k", "zebra"), 2),
        (("-k", "and and"), 2),
    ],
)
def test_a_run_that_cannot_start_touches_nothing(tmp_path, arguments, status) -> None:
    assert icetcp(tmp_path, *ONE, "--out", "out").returncode == 0
    before = content(tmp_path / "out")
    done = icetcp(tmp_path, *arguments, "--out", "out")
    assert done.returncode == status, done.stdout + done.stderr
    assert content(tmp_path / "out") == before
    assert icetcp(tmp_path, *arguments, "--out", "new").returncode == status
    assert not (tmp_path / "new").exists()


def cases(folder: Path) -> list[Result]:
    """Return the verdicts of cases; the judge's rules have theirs in addition."""
    return [result for result in read(folder / "record.jsonl")[1] if "/judge_" not in result.case]


def test_a_repeat_has_a_folder_of_its_own(tmp_path) -> None:
    assert icetcp(tmp_path, *ONE, "--out", "a folder").returncode == 0
    before = content(tmp_path / "a folder")
    (result,) = cases(tmp_path / "a folder")
    done = icetcp(tmp_path, *shlex.split(result.repeat)[2:])
    assert done.returncode == 0, done.stderr
    after = content(tmp_path / "a folder")
    assert {name: after[name] for name in before} == before
    (again,) = cases(tmp_path / "a folder" / "repeat")
    assert again.case == result.case
    assert again.repeat != result.repeat


# -- what other commands write ----------------------------------------------------------------------------------------

OTHERS = {  # command: what it writes
    ("matrix", "reference"): MATRIX,
    ("interop", "reference", "A=reference"): INTEROP,
    ("fuzz", "--cases", "1"): CAMPAIGN,
}


def other(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("contents", OTHERS.values(), ids=lambda contents: contents.reports[-1])
def test_somebody_elses_files_are_not_taken_for_an_earlier_ones(tmp_path, contents) -> None:
    files = [*(report.replace("*", "0") for report in contents.reports), *(f"{tree}/file" for tree in contents.trees)]
    for number, file in enumerate(files):
        path = tmp_path / str(number) / file
        path.parent.mkdir(parents=True)
        path.write_text("{}\n")
        before = content(tmp_path)
        with pytest.raises(FolderError, match="not an earlier run's; choose another folder with --out"):
            OutputFolder.claim(tmp_path / str(number), contents)
        assert content(tmp_path) == before


@pytest.mark.parametrize("command", list(OTHERS), ids=" ".join)
def test_no_command_replaces_somebody_elses_files(tmp_path, command) -> None:
    path = tmp_path / "out" / OTHERS[command].trees[0] / "file"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    before = content(tmp_path / "out")
    done = other(tmp_path, *command, "--out", "out")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout + done.stderr
    assert "not an earlier run's; choose another folder with --out" in done.stderr
    assert content(tmp_path / "out") == before


@pytest.mark.parametrize("command", list(OTHERS), ids=" ".join)
def test_no_two_commands_write_to_one_folder(tmp_path, command) -> None:
    with OutputFolder.claim(tmp_path / "out") as first:
        first.go_on("an IUT")
        before = content(tmp_path / "out")
        done = other(tmp_path, *command, "--out", "out")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stdout + done.stderr
        assert "is writing to out" in done.stderr.replace(f"{tmp_path}/", "")
        assert content(tmp_path / "out") == before


def test_a_campaign_that_cannot_start_costs_no_finding_of_an_earlier_one(tmp_path) -> None:
    with OutputFolder.claim(tmp_path / "out", CAMPAIGN) as earlier:
        earlier.clear()
        (tmp_path / "out" / "findings" / "crash").mkdir(parents=True)
        (tmp_path / "out" / "findings" / "crash" / "finding.json").write_text("{}")
        (tmp_path / "out" / "summary.json").write_text("{}")
    before = content(tmp_path / "out")
    done = other(tmp_path, "fuzz", "--iut", "exec:false", "--cases", "1", "--out", "out")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stdout + done.stderr
    assert "cannot fuzz exec:false" in done.stderr
    assert content(tmp_path / "out") == before
    assert other(tmp_path, "fuzz", "--iut", "exec:false", "--cases", "1", "--out", "new").returncode == 3
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("contents", "file", "text"),
    [
        (MATRIX, "runs/reference/record.jsonl", '{"kind":"run","icetcp_version":"0"}\n'),
        (INTEROP, "interop.json", '{"cells":[]}'),
        (INTEROP, "cells/a-b/spec.json", '{"cell":{}}'),
        (CAMPAIGN, "log-0.jsonl", '{"event":"begin","shard":0}\n{"event":"status"}\n'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_older_version_left_without_a_marker_is_known(tmp_path, contents, file, text) -> None:
    for report in (*contents.reports, *(f"{tree}/a-file" for tree in contents.trees)):
        if "*" not in report:
            (tmp_path / report).parent.mkdir(exist_ok=True)
            (tmp_path / report).write_text("")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    before = content(tmp_path)
    with OutputFolder.claim(tmp_path, contents) as folder:
        folder.go_on()
        assert {name: text for name, text in content(tmp_path).items() if name != MARKER} == before
        folder.clear()
        assert set(content(tmp_path)) == {MARKER}

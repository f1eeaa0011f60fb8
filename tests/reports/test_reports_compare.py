"""Two runs compared: what counts as new, gone, newly and no longer judged, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from conformance.verdict import ExitStatus, Level, Result, Verdict
from reports.compare import Change, by_requirement, compare
from reports.record import Recorder, RunInfo

RUN = RunInfo(
    iut="x", iut_version="1", command="x", seed=0, icetcp_version="0", python="3", platform="p", link="lab", started=1.0
)  # fmt: skip
PASS, FAIL, INCONC, ERROR, NA = Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR, Verdict.NOT_APPLICABLE


def result(variant: str, verdict: Verdict, **change) -> Result:
    fields = {"title": "t", "section": "RFC6544-8", "requirements": ("RFC6544-8-01",), "level": Level.MUST, **change}
    return Result(case=variant, verdict=verdict, **fields)


def changes(before: list[Result], after: list[Result], **options) -> dict[str, str]:
    return {d.variant: d.change.value for d in compare(before, after, **options).differences}


@pytest.mark.parametrize(
    ("before", "after", "change", "status"),
    [
        (PASS, FAIL, "new failure", 1),
        (NA, FAIL, "new failure", 1),
        (INCONC, FAIL, "new failure", 1),
        (None, FAIL, "new case", 0),
        (FAIL, PASS, "gone failure", 0),
        (NA, PASS, "newly judged", 0),
        (INCONC, PASS, "newly judged", 0),
        (None, PASS, "new case", 0),
        (FAIL, NA, "no longer judged", 0),
        (PASS, None, "no longer judged", 0),
        (PASS, INCONC, "no longer judged", 3),
        (FAIL, ERROR, "no longer judged", 3),
        (FAIL, Verdict.NONE, "no longer judged", 3),
    ],
)
def test_each_change_has_its_name_and_its_exit_status(before, after, change, status) -> None:
    both = result("s/both", PASS)
    old = [both, *([result("s/a[1]", before)] if before else [])]
    new = [both, *([result("s/a[1]", after)] if after else [])]
    found = compare(old, new)
    assert [d.change.value for d in found.differences] == [change]
    assert found.status(Level.MUST) == status
    assert (found.differences[0].before, found.differences[0].after) == (before or "absent", after or "absent")


@pytest.mark.parametrize(("before", "after"), [(NA, NA), (NA, INCONC), (INCONC, None), (PASS, PASS), (None, NA)])
def test_what_neither_run_judged_is_no_change(before, after) -> None:
    old, new = ([result("s/a", verdict)] if verdict else [] for verdict in (before, after))
    assert changes(old, new) == {}


def test_a_failure_with_other_numbers_is_the_same_failure() -> None:
    one = result("s/a", FAIL, reason="no answer from 127.0.3.4:4711 within 2 s")
    assert changes([one], [replace(one, reason="no answer from 127.0.9.9:815 within 2 s")]) == {}
    assert changes([one], [replace(one, reason="closed the connection after 3 s")]) == {"s/a": "other failure"}


def test_a_failed_should_counts_only_where_it_is_asked_for() -> None:
    found = compare([result("s/a", PASS)], [result("s/a", FAIL, level=Level.SHOULD)])
    alike = compare([result("s/b", PASS)], [result("s/b", PASS)])
    found.unchanged += alike.unchanged
    assert (found.status(Level.MUST), found.status(Level.SHOULD)) == (0, 1)


def test_a_failure_that_the_later_run_knows_is_told_and_does_not_count() -> None:
    found = compare([result("s/a", PASS)], [result("s/a", FAIL, known="issue 4")])
    assert found.of(Change.NEW_FAILURE)[0].known == "issue 4"
    assert found.status(Level.MUST) is ExitStatus.CONFORMS


def test_a_failure_of_a_new_case_counts_only_where_it_is_asked_for() -> None:
    old, new = [result("s/a", PASS)], [result("s/a", PASS), result("s/b[1]", FAIL), result("s/c", PASS)]
    found = compare(old, new)
    assert [(d.variant, d.before, d.after) for d in found.of(Change.NEW_CASE)] == [
        ("s/b[1]", "absent", "fail"),
        ("s/c", "absent", "pass"),
    ]
    assert (found.status(Level.MUST), found.status(Level.MUST, new_cases=True)) == (0, 1)
    known = compare(old, [new[0], replace(new[1], known="issue 4"), new[2]])
    assert known.status(Level.MUST, new_cases=True) == 0


def test_a_further_variant_of_a_case_is_no_new_case() -> None:
    old = [result("s/a[1]", PASS), result("s/b[1]", NA)]
    new = [*old, result("s/a[2]", FAIL), result("s/b[2]", FAIL), result("s/a[3]", PASS)]
    assert changes(old, new) == {"s/a[2]": "new failure", "s/b[2]": "new failure", "s/a[3]": "newly judged"}


def test_a_case_that_an_unfinished_run_lacks_may_be_an_old_one() -> None:
    old, new = [result("s/a", PASS)], [result("s/a", PASS), result("s/b", FAIL), result("s/c", PASS)]
    assert changes(old, new, unfinished=True) == {"s/b": "new failure", "s/c": "newly judged"}


def test_a_case_that_was_renamed_is_no_new_case() -> None:
    old, new = [result("old/a[1]", PASS)], [result("new/a[1]", FAIL)]
    assert changes(old, new, renamed=lambda name: (name.replace("old", "new"),)) == {"new/a[1]": "new failure"}


def test_the_selection_of_a_run_is_no_change() -> None:
    old, new = [result("s/a", PASS), result("s/b", PASS)], [result("s/b", PASS), result("s/c", FAIL)]
    found = compare(old, new, partial=True)
    assert (found.differences, found.only, found.newly_judged, found.no_longer_judged) == ([], (1, 1), [], [])
    assert len(compare(old, new).differences) == 2


def test_runs_without_a_common_verdict_cannot_be_compared() -> None:
    assert compare([], []).status(Level.MUST) is ExitStatus.COULD_NOT_JUDGE
    assert compare([result("s/a", PASS)], [result("s/b", PASS)], partial=True).status(Level.MUST) == 3


def test_a_case_that_was_renamed_is_still_the_same_case() -> None:
    old, new = [result("old/a", FAIL)], [result("new/a", PASS)]
    assert changes(old, new, renamed=lambda name: (name.replace("old", "new"),)) == {"new/a": "gone failure"}


def test_requirements_are_judged_when_any_variant_says_something() -> None:
    old = [result("s/a", NA), result("s/b", PASS, requirements=("RFC6544-7.1-01",))]
    new = [result("s/a", PASS), result("s/b", NA, requirements=("RFC6544-7.1-01",))]
    found = compare(old, new)
    assert (found.newly_judged, found.no_longer_judged) == (["RFC6544-8-01"], ["RFC6544-7.1-01"])
    assert list(by_requirement(found.differences)) == ["RFC6544-7.1-01", "RFC6544-8-01"]


def test_variants_of_a_case_are_compared_one_by_one() -> None:
    old = [result("s/a[1]", FAIL), result("s/a[2]", PASS)]
    new = [result("s/a[1]", PASS), result("s/a[2]", FAIL)]
    assert changes(old, new) == {"s/a[1]": "gone failure", "s/a[2]": "new failure"}


# -- the command ---------------------------------------------------------------------------------------------------------


def written(folder, results, *, whole=True, **run) -> str:
    folder.mkdir()
    recorder = Recorder(folder / "record.jsonl", replace(RUN, **run))
    for one in results:
        recorder.write(one)
    recorder.close(replace(RUN, interrupted=not whole, **run))
    return str(folder)


def icetcp(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", "compare", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_tells_what_changed_by_requirement_and_case(tmp_path) -> None:
    old = written(tmp_path / "old", [result("RFC6544-8/a[1]", PASS), result("RFC6544-8/b", FAIL, reason="silent")])
    failing = result("RFC6544-8/a[1]", FAIL, reason="it closed", repeat="icetcp run --case a")
    new = written(tmp_path / "new", [failing, result("RFC6544-8/b", PASS)], iut_version="2")
    told = icetcp(old, f"{new}/record.jsonl")
    assert (told.returncode, told.stderr) == (1, "")
    lines = told.stdout.splitlines()
    assert lines[:2] == [f"A: x 1 ({old})", f"B: x 2 ({new}/record.jsonl)"]
    assert "new failures: 1 variant" in lines
    assert any(line.startswith("  RFC6544-8-01 (MUST)  ") for line in lines)
    assert "    RFC6544-8/a: pass -> fail, 1 variant" in lines
    assert "      RFC6544-8/a[1]: it closed" in lines
    assert "gone failures: 1 variant" in lines
    found = json.loads(icetcp(old, new, "--json").stdout)
    assert found["counts"]["new failure"] == found["exit_status"] == 1
    assert found["differences"][0]["repeat"] == "icetcp run --case a"
    assert icetcp(new, old).returncode == 1, "b fails in the old one"


def test_the_command_tells_new_cases_from_new_failures(tmp_path) -> None:
    old = written(tmp_path / "old", [result("RFC6544-8/a", PASS)])
    failing = result("RFC6544-8/b", FAIL, reason="it closed")
    new = written(tmp_path / "new", [result("RFC6544-8/a", PASS), failing, result("RFC6544-8/c", PASS)])
    told = icetcp(old, new)
    assert (told.returncode, told.stderr) == (0, "")
    assert "new failures: 0 variants" in told.stdout.splitlines()
    assert "new cases: 2 variants, of which 1 fail" in told.stdout.splitlines()
    assert "    RFC6544-8/b: absent -> fail, 1 variant" in told.stdout.splitlines()
    assert icetcp(old, new, "--new-cases").returncode == 1
    found = json.loads(icetcp(old, new, "--json").stdout)
    assert (found["counts"]["new case"], found["counts"]["new failure"], found["exit_status"]) == (2, 0, 0)
    cut = written(tmp_path / "cut", [result("RFC6544-8/a", PASS)], whole=False)
    assert "new failures: 1 variant" in icetcp(cut, new).stdout


def test_a_run_that_did_not_end_cannot_show_that_all_is_well(tmp_path) -> None:
    old = written(tmp_path / "old", [result("RFC6544-8/a", PASS)])
    cut = written(tmp_path / "cut", [result("RFC6544-8/a", PASS)], whole=False)
    assert icetcp(old, old).returncode == 0
    told = icetcp(old, cut)
    assert told.returncode == 3
    assert f"note: {cut} is of a run that did not come to its end" in told.stdout
    failing = written(tmp_path / "failing", [result("RFC6544-8/a", FAIL)], whole=False)
    assert icetcp(old, failing).returncode == 1, "a failure is certain"


def test_what_is_no_run_is_a_usage_error(tmp_path) -> None:
    told = icetcp(str(tmp_path), str(tmp_path))
    assert told.returncode == 2
    assert "cannot read" in told.stderr

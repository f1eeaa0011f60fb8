"""What rows of the kill matrix come to, and what is written of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from lxml import etree

from conformance.agent.faults import BY_NAME, FAULTS
from conformance.catalogue import REQUIREMENTS
from conformance.commands.reference_run import run_info
from conformance.mutants import reports
from conformance.mutants.execution import CALM
from conformance.mutants.matrix import KillMatrix, Standing, related, representatives, usual_variants
from conformance.mutants.plan import Plan, run
from conformance.mutants.reach import REACHES, reason
from conformance.run.discovery import discover
from conformance.verdict import ExitStatus, Level, Result, Verdict

FAULT = BY_NAME["stream-portions-swapped"]
OWN, EXPLAINED, STRANGE = "RFC6544-10.1-s01", "RFC6544-10.1-03", "RFC6544-4.2-09"


@pytest.fixture(scope="module")
def cases():
    return discover().every


def result(requirement, verdict=Verdict.FAIL, name="case"):
    section = requirement.rpartition("-")[0]
    return Result(
        case=f"{section}/{name}",
        title=name,
        section=section,
        requirements=(requirement,),
        level=Level.MUST,
        verdict=verdict,
        reason="why",
    )


def matrix(*results, healthy=Verdict.PASS):
    made = KillMatrix()
    made.add("", result(OWN, healthy))
    for number, one in enumerate(results):
        if one.case in made.results.get(FAULT.name, {}):
            one.case += f"[{number}]"
        made.add(FAULT.name, one)
    return made


def judged(made, cited=(OWN,), **more):
    return reports.Judged(made, [made.row(FAULT, cited)], quick=False, **more)


@pytest.mark.parametrize(
    ("results", "standing", "status"),
    [
        ([result(OWN)], Standing.KILLED, ExitStatus.CONFORMS),
        ([result(OWN), result(EXPLAINED)], Standing.KILLED, ExitStatus.CONFORMS),
        ([result(OWN), result(STRANGE)], Standing.ACCIDENT, ExitStatus.DOES_NOT_CONFORM),
        ([result(OWN), result(STRANGE, Verdict.INCONC)], Standing.KILLED, ExitStatus.CONFORMS),
        ([result(OWN, Verdict.PASS), result(EXPLAINED)], Standing.SURVIVED, ExitStatus.DOES_NOT_CONFORM),
        ([result(OWN, Verdict.INCONC)], Standing.SURVIVED, ExitStatus.DOES_NOT_CONFORM),
        ([result(OWN), result(OWN, Verdict.ERROR)], Standing.KILLED, ExitStatus.COULD_NOT_JUDGE),
        ([result(STRANGE, Verdict.PASS)], Standing.NOT_RUN, ExitStatus.COULD_NOT_JUDGE),
    ],
)
def test_a_row_stands_by_who_killed_the_fault(results, standing, status) -> None:
    one = judged(matrix(*results))
    assert (one.rows[0].standing, one.status()) == (standing, status)


def test_a_fault_whose_requirement_no_case_cites_is_not_killed() -> None:
    one = judged(matrix(result(EXPLAINED)), cited=())
    assert (one.rows[0].standing, one.status()) == (Standing.NO_CASE, ExitStatus.DOES_NOT_CONFORM)


def test_a_healthy_agent_that_fails_outweighs_all_kills() -> None:
    assert judged(matrix(result(OWN), healthy=Verdict.FAIL)).status() is ExitStatus.DOES_NOT_CONFORM
    assert judged(matrix(result(OWN), healthy=Verdict.INCONC)).status() is ExitStatus.COULD_NOT_JUDGE


def test_an_interrupted_run_says_nothing_of_what_it_had_not_done() -> None:
    assert judged(matrix(result(OWN, Verdict.PASS)), interrupted=True).status() is ExitStatus.COULD_NOT_JUDGE
    assert judged(KillMatrix()).status() is ExitStatus.COULD_NOT_JUDGE


def test_all_three_files_tell_the_same(tmp_path) -> None:
    one = judged(matrix(result(OWN, name="own"), result(EXPLAINED), result(STRANGE, name="strange")))
    one.matrix.skipped = {(FAULT.name, "RFC6544-4.2/one"), (FAULT.name, "RFC6544-4.2/other")}
    reports.write(tmp_path, one, run_info(1.0, "sockets", interrupted=False, incidents=()))
    (row,) = json.loads((tmp_path / "mutants.json").read_text())["faults"]
    assert row["standing"] == "by accident"
    assert row["killed_by"] == ["RFC6544-10.1/own"]
    assert row["also_fails"] == {"RFC6544-10.1/case": reason(FAULT, [EXPLAINED])}
    assert row["by_accident"] == {"RFC6544-4.2/strange": "why"}
    page = (tmp_path / "mutants.md").read_text()
    assert "| `stream-portions-swapped` | RFC6544-10.1-s01 | by accident | !1 | 1+1 |" in page
    assert reason(FAULT, [EXPLAINED]) in page
    assert row["skipped"] == 2
    assert "4 executions. 2 more were skipped" in page
    (case,) = etree.parse(tmp_path / "junit.xml").iter("testcase")
    assert (case.get("name"), case.find("failure") is not None) == ("stream-portions-swapped", True)


def test_what_is_doubtful_is_what_a_second_look_could_change() -> None:
    made = matrix(result(OWN), result(STRANGE, name="strange"), healthy=Verdict.FAIL)
    assert made.doubtful([FAULT], [OWN]) == [("", "RFC6544-10.1/case"), (FAULT.name, "RFC6544-4.2/strange")]
    survivor = matrix(result(OWN, Verdict.PASS, "own"))
    assert survivor.doubtful([FAULT], [OWN]) == [(FAULT.name, "RFC6544-10.1/own")]
    assert matrix(result(OWN)).doubtful([FAULT], [OWN]) == []


class Bench:
    """Fails what a script says, as often as it says."""

    def __init__(self, fails) -> None:
        self.fails, self.rounds = dict(fails), []

    def execute(self, pairs, matrix, *, jobs, progress) -> None:
        self.rounds.append((len(pairs), jobs))
        for case, fault in pairs:
            left = self.fails.get((fault, case.id), 0)
            self.fails[fault, case.id] = left - 1
            verdict = Verdict.FAIL if left > 0 else Verdict.PASS
            one = result(case.requirements[0], verdict)
            one.case = case.id
            matrix.add(fault, one)


def test_what_fails_under_load_alone_is_no_accident(cases) -> None:
    swapped = related(FAULT, cases)
    plan, made = Plan([FAULT], cases, cases), KillMatrix()
    strange = next(case for case, _ in plan.pairs() if case.requirements == (STRANGE,))
    bench = Bench({(FAULT.name, swapped[0].id): 1, (FAULT.name, strange.id): 1, ("", strange.id): 1})
    assert run(plan, bench, made, jobs=50) == 2
    assert [bench.rounds[number] for number in (1, 3)] == [
        (1, CALM),
        (1, CALM),
    ]  # the healthy agent's before all faults
    (row,) = plan.rows(made)
    assert (row.standing, made.unhealthy()) == (Standing.KILLED, [])


def test_the_quick_form_executes_the_related_cases_and_the_healthy_agent(cases) -> None:
    usual = usual_variants(cases)
    quick = list(Plan([FAULT], cases, cases, quick=True).pairs())
    assert quick == [(case, FAULT.name) for case in related(FAULT, usual)]
    assert len(representatives(cases)) < len(usual) < len(cases)
    whole = list(Plan([FAULT], cases, cases).pairs())
    short = [case for case in cases if case.watches <= 5 or FAULT.requirement in case.requirements]
    assert len(short) < len(cases)
    assert {case.id.partition("[")[0] for case, fault in whole if fault} == {c.id.partition("[")[0] for c in short}
    assert len({(case.id, fault) for case, fault in whole}) == len(whole)


def test_other_cases_are_met_on_one_side_and_over_all_faults_on_each(cases) -> None:
    plan = Plan(FAULTS, cases, cases)
    pairs = list(plan.pairs())
    foreign = [(case, fault) for case, fault in pairs if BY_NAME[fault].requirement not in case.requirements]
    assert len({(case.id.partition("[")[0], fault) for case, fault in foreign}) == len(foreign)
    short = [case for case in representatives(cases) if case.watches <= 5]
    assert {case.id for case, _ in foreign} == {case.id for case in short}
    assert [(case.id, fault) for case, fault in pairs] == [(case.id, fault) for case, fault in plan.pairs()]


def test_what_watches_a_long_clock_meets_the_faults_of_its_own_requirement(cases) -> None:
    long = next(case for case in cases if case.watches > 5)
    own = next(fault for fault in FAULTS if fault.requirement == long.requirements[0])
    assert (long, own.name) in list(Plan([own], cases, cases).pairs())


def test_a_case_that_a_fault_could_not_change_is_skipped_and_counted(cases) -> None:
    swapped = related(FAULT, cases)
    bench, plan, made = Bench({(FAULT.name, swapped[0].id): 1}), Plan([FAULT], cases, cases), KillMatrix()
    made.observed = {case.id: frozenset({FAULT.name}) if case is swapped[0] else frozenset() for case in cases}
    run(plan, bench, made, jobs=50)
    assert [count for count, _ in bench.rounds] == [len(cases), 1]
    assert len(made.skipped) == len(list(plan.pairs())) - 1
    assert plan.rows(made)[0].standing is Standing.KILLED


def test_a_fault_that_seems_to_change_nothing_meets_all_cases_of_its_requirement(cases) -> None:
    swapped = related(FAULT, cases)
    bench, plan, made = Bench({(FAULT.name, swapped[1].id): 1}), Plan([FAULT], cases, cases), KillMatrix()
    made.observed = {case.id: frozenset() for case in cases}
    assert run(plan, bench, made, jobs=50) == len(swapped)
    assert plan.rows(made)[0].standing is Standing.KILLED
    assert not made.skipped & {(FAULT.name, case.id) for case in swapped}


def test_a_fault_that_no_usual_variant_shows_meets_the_others(cases) -> None:
    unusual = next(case for case in related(FAULT, cases) if case not in usual_variants(cases))
    bench, plan, made = Bench({(FAULT.name, unusual.id): 1}), Plan([FAULT], cases, cases, quick=True), KillMatrix()
    run(plan, bench, made, jobs=50)
    (row,) = plan.rows(made)
    assert [killer.case for killer in row.killers] == [unusual.id]


def test_failing_verdicts_are_counted_by_whether_they_name_what_is_broken() -> None:
    made = matrix(
        result(OWN), result(OWN, name="other"), result(STRANGE, name="strange"), result(EXPLAINED, Verdict.PASS)
    )
    naming = made.naming([FAULT])
    assert (naming.own, naming.also, dict(naming.foreign)) == (2, 0, {"RFC6544-4.2/strange": 1})
    assert (naming.share, naming.true) == (2 / 3, 2 / 3)
    assert KillMatrix().naming([FAULT]).share == 1.0


def test_a_case_counts_once_on_each_side_whatever_its_variants() -> None:
    made = KillMatrix()
    for side, variant in (("offerer", "x"), ("offerer", "y"), ("answerer", "x")):
        one = result(OWN, name=f"case[{side}-{variant}]")
        one.parameters = {"side": side}
        made.add(FAULT.name, one)
    assert made.naming([FAULT]).own == 2


def test_what_says_the_same_names_what_is_broken_and_so_does_what_the_deed_breaks_as_well() -> None:
    paced, packed = BY_NAME["checks-unpaced"], BY_NAME["no-triggered-check"]
    again = next(r.id for r in REQUIREMENTS.values() if packed.requirement in r.repeats)
    made = KillMatrix()
    made.add(packed.name, result(again, name="repeated"))
    made.add(paced.name, result("RFC8839-5.5-03", name="pace"))
    made.add(packed.name, result("RFC6544-7.2-01", name="hidden"))
    naming = made.naming([paced, packed])
    assert (naming.own, naming.also, dict(naming.foreign)) == (1, 1, {"RFC6544-7.2/hidden": 1})


def test_explanations_name_faults_and_requirements_that_exist() -> None:
    for reach in REACHES:
        assert reach.faults <= BY_NAME.keys()
        for listed in reach.requirements:
            assert any(
                identifier == listed or identifier.startswith((f"{listed}-", f"{listed}."))
                for identifier in REQUIREMENTS
            ), listed


def test_an_explanation_reaches_its_sections_and_no_others() -> None:
    fault = BY_NAME["direction-pref-9"]
    assert reason(fault, ["RFC6544-4.2-09"])
    assert not reason(fault, ["RFC6544-4.1-02"])
    assert not reason(FAULTS[0], ["RFC6544-4.2-09"])


def test_the_matrix_does_not_depend_on_what_was_executed_first() -> None:
    first, second = (replace(result(OWN), case=f"RFC6544-4.5/{name}") for name in ("first", "second"))
    forwards, backwards = KillMatrix(), KillMatrix()
    for made, order in ((forwards, (first, second)), (backwards, (second, first))):
        for one in order:
            made.add(FAULT.name, one)
    assert reports.data(judged(forwards))["faults"] == reports.data(judged(backwards))["faults"]

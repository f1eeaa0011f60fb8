"""Verdicts: the order of TTCN-3, and the exit status that follows from a run's results."""

from __future__ import annotations

import pytest

from conformance.verdict import (
    CaseOutcome,
    ExitStatus,
    Failed,
    JudgedElsewhere,
    Level,
    Result,
    Verdict,
    case_name,
    executions_of,
    exit_status,
    is_rule,
)


def result(verdict: Verdict, level: Level = Level.MUST) -> Result:
    return Result(case="c", title="", section="", requirements=(), level=level, verdict=verdict)


def test_a_worse_verdict_overwrites_and_a_better_one_does_not() -> None:
    order = [Verdict.NONE, Verdict.PASS, Verdict.INCONC, Verdict.FAIL, Verdict.ERROR]
    for worse, verdict in enumerate(order):
        for other in order[: worse + 1]:
            assert verdict.worse(other) is other.worse(verdict) is verdict


def test_overwriting_takes_the_reason_along() -> None:
    mine = result(Verdict.PASS)
    mine.overwrite(Verdict.FAIL, "why", expected="this", actual="that")
    mine.overwrite(Verdict.INCONC, "another")
    assert (mine.verdict, mine.reason, mine.expected, mine.actual) == (Verdict.FAIL, "why", "this", "that")


def test_levels_that_bind() -> None:
    assert [level.binding for level in Level] == [True, True, False, False]


def test_outcomes_carry_what_was_expected() -> None:
    failed = Failed("it did not", expected="this", actual="that")
    assert isinstance(failed, CaseOutcome)
    assert (str(failed), failed.verdict, failed.expected, failed.actual) == ("it did not", Verdict.FAIL, "this", "that")


@pytest.mark.parametrize(
    ("results", "fail_on", "status"),
    [
        ([], Level.MUST, ExitStatus.COULD_NOT_JUDGE),
        ([result(Verdict.NOT_APPLICABLE)], Level.MUST, ExitStatus.COULD_NOT_JUDGE),
        ([result(Verdict.PASS)], Level.MUST, ExitStatus.CONFORMS),
        ([result(Verdict.PASS), result(Verdict.NOT_APPLICABLE)], Level.MUST, ExitStatus.CONFORMS),
        ([result(Verdict.FAIL), result(Verdict.ERROR)], Level.MUST, ExitStatus.DOES_NOT_CONFORM),
        ([result(Verdict.FAIL, Level.STATED)], Level.MUST, ExitStatus.DOES_NOT_CONFORM),
        ([result(Verdict.FAIL, Level.SHOULD)], Level.MUST, ExitStatus.CONFORMS),
        ([result(Verdict.FAIL, Level.SHOULD)], Level.SHOULD, ExitStatus.DOES_NOT_CONFORM),
        ([result(Verdict.PASS), result(Verdict.INCONC)], Level.MUST, ExitStatus.COULD_NOT_JUDGE),
        ([result(Verdict.PASS), result(Verdict.ERROR)], Level.MUST, ExitStatus.COULD_NOT_JUDGE),
        ([result(Verdict.PASS), result(Verdict.NONE)], Level.MUST, ExitStatus.COULD_NOT_JUDGE),
    ],
)
def test_exit_status(results, fail_on, status) -> None:
    assert exit_status(results, fail_on) is status


def test_an_outcome_that_another_case_judges_names_it() -> None:
    outcome = JudgedElsewhere("no connection", case="RFC6544-7.1/x")
    assert (str(outcome), outcome.case) == ("no connection; RFC6544-7.1/x judges that", "RFC6544-7.1/x")
    assert outcome.verdict is Verdict.NOT_APPLICABLE


def test_ids_of_variants_and_rules() -> None:
    assert case_name("RFC6544-7.2/x[offerer-IPv6]") == case_name("RFC6544-7.2/x") == "RFC6544-7.2/x"
    assert is_rule("RFC6544-7.1/judge_check_is_not_retransmitted")
    assert not is_rule("RFC6544-7.1/check_is_not_retransmitted")


def test_each_execution_of_a_variant_has_a_name() -> None:
    once, twice = result(Verdict.PASS), result(Verdict.PASS)
    twice.executions = ("1 of 2: inconc", "2 of 2, alone in a process: pass")
    assert executions_of(once) == ["c"]
    assert executions_of(twice) == ["c", "c, execution 2"]

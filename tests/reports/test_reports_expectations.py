"""Known failures: what each word means, and a file that is written with its comments kept."""

from __future__ import annotations

import datetime

import pytest

from conformance.verdict import Breach, ExitStatus, Level, Result, Verdict, exit_status
from reports import causes, expectations_file
from reports.expectations import ExpectationError, Expectations, counts, parse, read

TODAY = datetime.date(2026, 11, 28)
FAIL, PASS, INCONC, NA = Verdict.FAIL, Verdict.PASS, Verdict.INCONC, Verdict.NOT_APPLICABLE


def result(case: str, verdict: Verdict = FAIL, reason: str = "a response did not come on 127.0.0.1") -> Result:
    return Result(
        case=case, title="", section="S", requirements=("RFC1-2-03",), level=Level.MUST, verdict=verdict, reason=reason
    )


def entry(*ids: str, **more: object) -> str:
    lines = ["[[deviation]]", f"cases = {list(ids)}".replace("'", '"'), 'reason = "an old bug"']
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in more.items()), ""])


def gate(text: str, *results: Result, partial: bool = False) -> tuple[dict[str, int], ExitStatus]:
    known = Expectations(parse(text))
    for one in results:
        known.mark(one, TODAY)
    every = [*results, *known.verdicts(results, partial=partial)]
    return {name: number for name, number in counts(every).items() if number}, exit_status(every)


def broken(case: str, *requirements: str) -> Result:
    found = result(case)
    found.broken = tuple(
        Breach(f"S/judge_{number}", one, f"rule {number}", f"did {number}", "127.0.0.1:9", number)
        for number, one in enumerate(requirements)
    )
    return found


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([broken("S/a[x]", "RFC1-4-01"), broken("S/a[y]", "RFC1-4-01")], ""),
        ([broken("S/a[x]", "RFC1-4-01", "RFC1-5-01")], ""),  # what follows from the known cause
        ([broken("S/a[x]", "RFC1-5-01")], "RFC1-5-01 in S/a[x], instead of RFC1-4-01"),
        ([broken("S/a[x]", "RFC1-4-01"), result("S/a[y]")], "RFC1-2-03 in S/a[y], in addition to RFC1-4-01"),
        ([result("S/a[x]", PASS), broken("S/a[y]", "RFC1-4-01")], ""),
    ],
)
def test_another_cause_behind_a_known_failure_is_told_and_fails_the_gate(results, said) -> None:
    """What is known joins causes in the list of causes; it must not hide a new one."""
    known = Expectations(parse(entry("S/a", cause='"RFC1-4-01"')))
    for one in results:
        known.mark(one, TODAY)
    causes.find(results)
    found = known.other_causes(results, causes.each(results))
    assert [one.reason for one in found] == ([f"other cause: {said} (an old bug)"] if said else [])
    assert (counts([*results, *found]).get("other cause", 0), exit_status([*results, *found])) == (
        bool(said),
        bool(said),
    )


@pytest.mark.parametrize(
    ("text", "results", "words", "status"),
    [
        (entry("S/a"), [result("S/a[x]"), result("S/b", PASS)], {"known": 1}, 0),
        (entry("S/a[x]"), [result("S/a[x]")], {"known": 1}, 0),
        (entry("RFC1-2-03"), [result("S/a[x]"), result("S/b")], {"known": 2}, 0),
        (entry("S/a[x]"), [result("S/a[x]"), result("S/a[y]")], {"known": 1, "new": 1}, 1),
        (entry("S/a"), [result("S/a[x]", PASS)], {"unexpected pass": 1}, 1),
        (entry("S/a"), [result("S/a[x]", PASS), result("S/a[y]")], {"known": 1}, 0),
        (entry("S/a", expires="2026-11-27"), [result("S/a")], {"expired": 1}, 1),
        (entry("S/a", expires="2026-11-28"), [result("S/a")], {"known": 1}, 0),
        (entry("S/gone"), [result("S/a", PASS)], {"vanished": 1}, 1),
        (entry("S/a"), [result("S/a", NA), result("S/b", PASS)], {"vanished": 1}, 1),
        (entry("S/a", message='"did not come"'), [result("S/a")], {"known": 1}, 0),
        (entry("S/a", message='"connection was closed"'), [result("S/a")], {"new": 1}, 1),
        (entry("S/a", verdict='"inconc"'), [result("S/a", INCONC), result("S/b", PASS)], {"known": 1}, 0),
        (entry("S/a"), [result("S/a", INCONC)], {"new": 1}, 3),
        (entry("S/judge_a"), [result("S/judge_a", PASS)], {}, 0),
        (entry("S/judge_a"), [result("S/judge_a")], {"known": 1}, 0),
        (entry("S/a", sometimes="true"), [result("S/a", PASS)], {}, 0),
        (entry("S/a", sometimes="true"), [result("S/a")], {"known": 1}, 0),
    ],
)
def test_each_has_a_word_of_its_own_and_only_known_failures_are_green(text, results, words, status) -> None:
    assert gate(text, *results) == (words, status)


@pytest.mark.parametrize(("variant", "alone"), [("S/a[x]", True), ("S/b[x]", True), ("S/b[y]", False), ("S/c", False)])
def test_who_needs_a_process_of_its_own_is_known_before_it_is_executed(variant, alone) -> None:
    text = entry("S/a", alone="true") + entry("S/b[x]", alone="true") + entry("S/b") + entry("S/c")
    assert Expectations(parse(text)).alone(variant) is alone


RULE = entry("S/judge_0", consequences="true")


@pytest.mark.parametrize(
    ("results", "words", "status"),
    [
        ([broken("S/a", "RFC1-4-01"), result("S/judge_0")], {"known": 2}, 0),
        ([broken("S/a", "RFC1-4-01", "RFC1-5-01"), result("S/judge_0")], {"known": 2}, 0),
        ([result("S/a"), result("S/judge_0")], {"known": 1, "new": 1}, 1),  # its capture breaks no rule
        ([result("S/a", PASS), result("S/judge_0")], {"known": 1}, 0),
        ([result("S/a", PASS), result("S/judge_0", PASS)], {}, 0),  # the race did not strike
        ([result("S/a", Verdict.ERROR), result("S/judge_0")], {"known": 1, "new": 1}, 3),
    ],
)
def test_what_follows_from_a_known_breach_is_known(results, words, status) -> None:
    assert gate(RULE, *results) == (words, status)


def test_a_consequence_is_known_where_the_case_has_an_entry_of_its_own() -> None:
    both = RULE + entry("S/a", message='"another thing"')
    assert gate(both, broken("S/a", "RFC1-4-01"), result("S/judge_0"))[0] == {"known": 2}
    other = result("S/a")
    other.broken = (Breach("S/judge_9", "RFC1-4-01", "another rule", "did it"),)
    assert gate(both, other, result("S/judge_0"))[0] == {"known": 1, "new": 1}


def test_only_rules_have_consequences() -> None:
    with pytest.raises(ExpectationError, match="consequences are of rules of the judge, not of S/a"):
        parse(entry("S/judge_0", "S/a", consequences="true"))


def test_what_a_part_of_the_suite_does_not_meet_has_not_vanished() -> None:
    assert gate(entry("S/elsewhere"), result("S/a", PASS), partial=True) == ({}, 0)


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("S/a[x]", {"unexpected pass": 1}),
        ("S/a", {}),  # its other variants may fail
        ("RFC1-2-03", {}),
        ("S/judge_rule", {}),  # it may be broken in other captures
    ],
)
def test_a_part_of_the_suite_knows_only_of_its_own_variants_that_they_pass(identifier, words) -> None:
    passed = [result("S/a[x]", PASS), result("S/judge_rule", PASS)]
    assert gate(entry(identifier), *passed, partial=True)[0] == words


def test_a_result_says_what_is_known_of_it() -> None:
    known, one = Expectations(parse(entry("S/a", owner='"ann"', expires="2027-01-01"))), result("S/a")
    one.note = "reads RFC 5245"
    known.mark(one, TODAY)
    known.mark(one, TODAY)
    assert one.known == "an old bug, owner ann, until 2027-01-01"
    assert one.note == "reads RFC 5245; known deviation: an old bug, owner ann, until 2027-01-01"
    one.verdict = Verdict.ERROR
    known.mark(one, TODAY)
    assert (one.known, one.note.count(";")) == ("", 1)
    assert "but came to error" in one.note


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[deviation]\n", "line 1"),
        ("[[deviation]]\ncases = []\nreason = 'x'", "deviation 1: cases must be a list of ids"),
        ("[[deviation]]\ncases = ['a']", "deviation 1: reason is missing"),
        (entry("a", verdict='"pass"'), "verdict must be one of fail, inconc, error"),
        (entry("a", expires='"soon"'), "expires must be a date such as"),
        (entry("a", onwer='"ann"'), "unknown key onwer; known: "),
        ("[deviations]\n", "only [[deviation]] tables are known, not deviations"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path, text, words) -> None:
    (tmp_path / "known.toml").write_text(text)
    with pytest.raises(ExpectationError) as found:
        read(tmp_path / "known.toml")
    assert "known.toml" in str(found.value)
    assert words in str(found.value)


FILE = """\
# What we know of our stack.

# the length field
[[deviation]]
verdict = "fail"
cases = [
    # on both sides
    "S/a[x]",
    "S/a[y]",  # only since 2.0
]
reason = "issue 17"  # fixed in 2.1

# nothing else
[[deviation]]
cases = ["S/b"]
reason = "issue 18"
"""


def update(text: str, *results: Result, shrink: bool = False, partial: bool = False) -> str:
    known = Expectations(parse(text))
    return expectations_file.updated(text, known, results, shrink=shrink, partial=partial, today=TODAY)


def test_a_file_that_is_right_stays_as_it_is() -> None:
    failures = [result("S/a[x]"), result("S/a[y]"), result("S/b")]
    for shrink in (False, True):
        assert update(FILE, *failures, shrink=shrink) == FILE


def test_what_fails_no_more_goes_and_comments_stay() -> None:
    text = update(FILE, result("S/a[x]", PASS), result("S/a[y]"), result("S/b", PASS), shrink=True)
    assert [known.ids for known in parse(text)] == [("S/a[y]",)]
    for comment in ("# What we know of our stack.", "# the length field", "# on both sides", "# fixed in 2.1", "2.0"):
        assert comment in text
    assert "# nothing else" not in text


def test_a_ratchet_adds_nothing() -> None:
    new = [result("S/a[x]"), result("S/a[y]"), result("S/b"), result("S/new")]
    assert update(FILE, *new, shrink=True) == FILE


def test_new_failures_are_written_by_what_they_have_in_common() -> None:
    new = [result("S/a[x]"), result("S/a[y]"), result("S/b"), result("S/c[1]"), result("S/c[2]"), result("S/d[1]")]
    text = update(FILE, *new, result("S/d[2]", PASS))
    assert text.startswith(FILE)
    added = parse(text)[2]
    assert (added.ids, added.message) == (("S/c", "S/d[1]"), "a response did not come on")
    assert gate(text, *new, result("S/d[2]", PASS))[1] is ExitStatus.CONFORMS
    assert update(text, *new, result("S/d[2]", PASS)) == text


def test_a_first_file_is_written_from_nothing() -> None:
    text = update("", result("S/a"), result("S/b", INCONC, "no offer came"))
    assert text.startswith("# Known failures.")
    assert [known.verdict for known in parse(text)] == [FAIL, INCONC]


def test_a_part_of_the_suite_removes_nothing_that_it_has_not_met() -> None:
    assert update(FILE, result("S/a[x]"), partial=True) == FILE

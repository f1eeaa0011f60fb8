"""Non-passes grouped by cause: by the rule that a capture breaks, by requirement, by symptom, by what is known."""

from conformance.catalogue import REQUIREMENTS
from conformance.verdict import Breach, Level, Result, Verdict
from reports import causes, junit
from reports.causes import find, in_words, of_data, tell
from reports.record import Recorder, RunInfo, read

FINGERPRINT = Breach(
    "RFC8445-7.2.4/judge_check_has_fingerprint",
    "RFC8445-7.2.4-02",
    "a check has a FINGERPRINT",
    "sent none",
    "127.0.0.1:5",
    7,
)
LENGTH = Breach(
    "RFC4571-2/judge_length_equals_the_message", "RFC4571-2-01", "LENGTH is right", "is 3 too long", "127.0.0.1:5", 3
)
RUN = RunInfo(
    iut="x",
    iut_version="1",
    command="x",
    seed=0,
    icetcp_version="1",
    python="3",
    platform="Linux",
    link="lab",
    started=1.0,
)


def result(case, verdict=Verdict.FAIL, requirements=None, **more):
    section = case.partition("/")[0]
    level = more.pop("level", Level.MUST)
    return Result(
        case=case,
        title=case,
        section=section,
        requirements=requirements or (f"{section}-01",),
        level=level,
        verdict=verdict,
        **more,
    )


def grouped(*results):
    return {cause.id: cause.variants for cause in find(results)}


def test_earliest_broken_rule_of_the_own_capture_is_the_cause():
    both = (LENGTH, FINGERPRINT)
    assert grouped(
        result("RFC6544-7.2/a", broken=both, reason="nothing came"),
        result("RFC8445-8.1.1/b", Verdict.INCONC, broken=both, reason="never connected"),
        result("RFC8445-7.2.4/c", broken=(FINGERPRINT,)),
        result("RFC4571-2/judge_length_equals_the_message", requirements=("RFC4571-2-01",)),
    ) == {
        "RFC4571-2-01": ["RFC4571-2/judge_length_equals_the_message", "RFC6544-7.2/a", "RFC8445-8.1.1/b"],
        "RFC8445-7.2.4-02": ["RFC8445-7.2.4/c"],
    }


def test_failures_under_the_rules_requirement_are_told_from_those_that_follow():
    cause = find(
        [
            result("RFC6544-7.2/a", broken=(LENGTH,)),
            result("RFC4571-2/b", broken=(LENGTH,), requirements=("RFC4571-2-01",)),
            result("RFC8445-8.1.1/c", Verdict.INCONC, broken=(LENGTH,)),
        ]
    )[0]
    assert (cause.failed, cause.follow, cause.unjudged) == (["RFC4571-2/b"], ["RFC6544-7.2/a"], ["RFC8445-8.1.1/c"])
    assert in_words(cause) == "1 fails, 2 more follow from it"
    assert cause.first == "RFC4571-2/b"


def test_requirement_all_of_whose_cases_fail_is_the_cause_and_not_the_one_that_imports_it():
    imported = "RFC6544-7.2-s01"
    results = [
        result("RFC8489-9.1.3/a", requirements=("RFC8489-9.1.3-05", imported)),
        result("RFC8489-9.1.3/b", requirements=(imported, "RFC8489-9.1.3-05")),
        result("RFC8489-6.3/c", Verdict.PASS, requirements=("RFC8489-6.3-01", imported)),
    ]
    assert grouped(*results) == {"RFC8489-9.1.3-05": ["RFC8489-9.1.3/a", "RFC8489-9.1.3/b"]}


def test_two_rules_that_one_deed_breaks_are_one_cause():
    def bare(rule, requirement, agent):
        return Breach(
            f"{requirement.rpartition('-')[0]}/judge_{rule}",
            requirement,
            rule,
            f"{agent} sent a STUN message without a frame",
            agent,
            1,
        )

    found = grouped(
        result("RFC6544-8/a", Verdict.INCONC, broken=(bare("accepted", "RFC6544-7.2-03", "127.0.0.1:40001"),)),
        result("RFC6544-8/b", Verdict.INCONC, broken=(bare("opened", "RFC6544-7.1-03", "[::1]:33333"),)),
    )
    assert found == {"RFC6544-7.1-03": ["RFC6544-8/a", "RFC6544-8/b"]}


def test_rule_gives_way_to_the_narrower_requirement_whose_cases_all_fail():
    broad = Breach(
        "RFC8489-9.1.3/judge_valid", "RFC8489-9.1.3-07", "only valid credentials succeed", "said yes", "x", 1
    )
    refused = ("RFC8489-9.1.3-05", "RFC8489-9.1.3-04", "RFC6544-7.2-s01")
    found = grouped(
        result("RFC8489-9.1.3/user", requirements=refused, broken=(broad,)),
        result("RFC8489-9.1.3/password", Verdict.PASS, requirements=("RFC8489-9.1.3-07",)),
        result("RFC8489-9.1.3/judge_valid", requirements=("RFC8489-9.1.3-07",), broken=(broad,)),
        result("RFC6544-7.2/other", Verdict.PASS, requirements=("RFC6544-7.2-s01",)),
    )
    assert found == {"RFC8489-9.1.3-04": ["RFC8489-9.1.3/user", "RFC8489-9.1.3/judge_valid"]}


def test_rule_stays_with_its_requirement_where_the_cases_of_that_fail():
    found = grouped(
        result(
            "RFC8489-9.1.3/a",
            requirements=("RFC8489-9.1.3-08", "RFC8489-9.1.3-07"),
            broken=(LENGTH._replace(requirement="RFC8489-9.1.3-07"),),
        )
    )
    assert list(found) == ["RFC8489-9.1.3-07"]


def test_precondition_follows_from_the_only_thing_that_is_wrong_and_from_nothing_if_there_are_two():
    bad = result("RFC8445-7.3.1.1/a", reason="it kept its role")
    lost = result("RFC4571-2/b", Verdict.INCONC, reason="the IUT did not nominate")
    assert list(grouped(bad, lost)) == ["RFC8445-7.3.1.1-01"]
    assert len(grouped(bad, result("RFC6544-10.1/c"), lost)) == 3


def test_failures_of_a_section_that_look_the_same_are_one_cause():
    reason = "the IUT did not accept a connection to 127.0.0.1:{}"
    found = grouped(
        result("RFC6544-7.2/b", requirements=("RFC6544-7.2-02",), reason=reason.format(40002)),
        result("RFC6544-7.2/a", requirements=("RFC6544-7.2-01",), reason=reason.format(40001)),
        result("RFC6544-11.1/c", requirements=("RFC6544-11.1-06",), reason=reason.format(40003)),
    )
    assert found == {"RFC6544-7.2-01": ["RFC6544-7.2/a", "RFC6544-7.2/b"], "RFC6544-11.1-06": ["RFC6544-11.1/c"]}


def test_most_basic_cause_comes_first():
    names = [
        "RFC6544-10.1/media",
        "RFC8445-8.1.1/nomination",
        "RFC4571-2/framing",
        "RFC6544-7.1/connecting",
        "RFC8489-5/header",
    ]
    ordered = [cause.variants[0] for cause in find([result(name) for name in names])]
    assert ordered == [
        "RFC4571-2/framing",
        "RFC8489-5/header",
        "RFC6544-7.1/connecting",
        "RFC8445-8.1.1/nomination",
        "RFC6544-10.1/media",
    ]


def test_unjudged_case_belongs_to_the_failure_with_its_symptom_whatever_the_addresses():
    reason = "a Binding error response 420 did not come on {}: a Binding success response"
    causes_ = grouped(
        result("RFC8489-6.3.1/refused", reason=reason.format("127.16.0.5:40001 -> 127.0.0.1:33001")),
        result("RFC8489-14.8/named", Verdict.INCONC, reason=reason.format("[fd6c::3]:1 -> [::1]:2") + "; but more"),
        result(
            "RFC8489-14.9/other", Verdict.INCONC, reason="the stack did not become connected within 8 s; it said []"
        ),
        result(
            "RFC8489-14.9/third",
            Verdict.INCONC,
            reason="the stack did not become connected within 8 s; it said ['new']",
        ),
        result("RFC6544-10.1/fourth", reason="no media"),
    )
    assert causes_["RFC8489-6.3.1-01"] == ["RFC8489-6.3.1/refused", "RFC8489-14.8/named"]
    precondition = next(name for name in causes_ if name.startswith("precondition-"))
    assert causes_[precondition] == ["RFC8489-14.9/other", "RFC8489-14.9/third"]
    assert len(causes_) == 3


def test_each_result_is_told_its_cause_and_passes_have_none():
    results = [
        result("RFC6544-7.2/a"),
        result("RFC6544-7.2/b", Verdict.PASS),
        result("RFC6544-7.2/c", Verdict.NOT_APPLICABLE),
    ]
    find(results)
    assert [one.cause for one in results] == ["RFC6544-7.2-01", "", ""]


def test_entry_of_the_known_failures_joins_what_it_explains():
    results = [
        result("RFC6544-7.2/a", reason="closed", known="it closes, owner ann"),
        result("RFC6544-10.2/b", reason="lost", known="it closes, owner ann"),
        result("RFC6544-11.1/c", Verdict.INCONC, reason="gone", known="it closes, owner ann"),
    ]
    found = find(results)
    assert [(cause.id, cause.known, len(cause.variants)) for cause in found] == [
        ("RFC6544-7.2-01", "it closes, owner ann", 3)
    ]


def test_errors_of_the_test_system_are_no_causes_of_the_iuts():
    cause = find([result("RFC6544-7.2/a", Verdict.ERROR, reason="KeyError: 'x'")])[0]
    assert (cause.kind, cause.requirement) == ("test system", "")


def test_record_keeps_causes_and_broken_rules(tmp_path):
    path = tmp_path / "record.jsonl"
    recorder = Recorder(path, RUN)
    bad = result("RFC6544-7.2/a", broken=(LENGTH,))
    recorder.write(bad)
    found = find([bad])
    RUN.causes, RUN.judged_requirements = [cause.data() for cause in found], 1
    recorder.close(RUN)
    run, results = read(path)
    assert of_data(run.causes) == found
    assert run.judged_requirements == 1
    assert results[0].broken == (LENGTH,)
    tell(results, of_data(run.causes))
    assert results[0].cause == "RFC4571-2-01"


def test_junit_begins_with_the_causes_and_says_what_a_failure_follows_from():
    results = [result("RFC6544-7.2/a", broken=(LENGTH,), reason="nothing came"), result("RFC8445-8.1.1/b", reason="x")]
    run = RunInfo(
        **{
            **{name: getattr(RUN, name) for name in RUN.__slots__},
            "causes": [c.data() for c in find(results, REQUIREMENTS)],
        }
    )
    text = junit.document(results, run).decode()
    assert text.index("causes, the most basic first") < text.index("<testcase")
    assert text.index("RFC4571-2-01 (MUST) not met: LENGTH is right") < text.index(
        f"RFC8445-8.1.1-01 ({REQUIREMENTS['RFC8445-8.1.1-01'].level.upper()}) not met: {REQUIREMENTS['RFC8445-8.1.1-01'].title}"
    )
    assert 'message="follows from RFC4571-2-01: nothing came"' in text


def test_grouping_takes_time_in_proportion():
    import time

    def seconds(count):
        results = [
            result(f"RFC6544-7.2/case{n}", Verdict.INCONC if n % 2 else Verdict.FAIL, reason=f"no {n} came: nothing")
            for n in range(count)
        ]
        begun = time.process_time()
        find(results)
        return time.process_time() - begun

    small = min(seconds(500) for _ in range(3))
    assert seconds(4000) < 8 * small * 4  # and not 64 times


def test_rank_of_sections_falls_back_to_what_holds_them():
    assert causes._rank_of("RFC8489-5-07") < causes._rank_of("RFC8489-9.1.3-05") < causes._rank_of("RFC6544-10.1-02")
    assert causes._rank_of("RFC7675-5.1-01") == len(causes._BASIC)

"""The table of what ordinary sessions show, held against a few faults of the day; `tox -e mutants` takes all of them."""

from __future__ import annotations

import datetime
import random

import pytest

from conformance.agent.faults import BY_NAME, FAULTS
from conformance.mutants.execution import Bench
from conformance.mutants.ordinary import sessions, shown, undeclared
from conformance.run.recording import SOCKETS
from conformance.run.shown import SHOWN, Step
from conformance.verdict import Verdict

DRAWN = 3
PLAIN = [case for case in sessions() if not case.needs and case.parameters["wanted"] is Step.DATA]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with Bench(tmp_path_factory.mktemp("ordinary"), wire=SOCKETS) as made:
        yield made


def test_a_few_faults_show_where_the_table_says(bench) -> None:
    today = datetime.datetime.now(tz=datetime.UTC).date()
    listed = {sentence for table in SHOWN.values() for found in table.values() for sentence in found}
    faults = [fault for fault in FAULTS if fault.requirement in listed]
    drawn = random.Random(today.toordinal()).sample(faults, DRAWN)
    assert undeclared(shown(bench, drawn, PLAIN)) == [], f"drawn on {today}: {[fault.name for fault in drawn]}"


def test_a_breach_is_found_at_the_step_that_shows_it(bench) -> None:
    faults = [BY_NAME["media-not-sent"], BY_NAME["active-never-paired"]]
    found = {opener: dict(sentences) for opener, sentences in shown(bench, faults, PLAIN).items()}
    assert found == {
        "IUT": {"RFC6544-10.1-01": {Step.DATA}, "RFC6544-6.2-s01": {Step.CHECK}},
        "tester": {"RFC6544-10.1-01": {Step.DATA}},
    }


def test_only_what_the_table_does_not_have_is_looked_at_twice(bench, monkeypatch) -> None:
    executed = []

    def late(case, _faults):
        executed.append(case.id)
        result, _ = bench.observe(case)
        result.overwrite(
            Verdict.INCONC, "DATA: nothing came" if executed.count(case.id) == 1 else "CHECK: nothing came"
        )
        return result

    monkeypatch.setattr(bench, "run", late)
    (known, new), case = (BY_NAME["media-not-sent"], BY_NAME["never-nominates"]), PLAIN[0]
    assert shown(bench, [known], [case]) == {"tester": {known.requirement: {Step.DATA}}}
    assert executed == [case.id]
    executed.clear()
    assert shown(bench, [new], [case]) == {"tester": {new.requirement: {Step.CHECK}}}
    assert executed == [case.id, case.id]


def test_what_the_table_does_not_have_is_told() -> None:
    found = {"tester": {"RFC6544-8-01": {Step.CHECK, Step.SELECTION}, "RFC6544-1-01": {Step.DATA}}}
    assert undeclared(found) == [
        "RFC6544-8-01 shows at CHECK where the tester opens the connection",
        "RFC6544-1-01 shows at DATA where the tester opens the connection",
    ]


def test_an_agent_without_ordinary_sessions_is_no_measure(bench, monkeypatch) -> None:
    run = bench.observe

    def observe(case):
        result, observation = run(case)
        result.overwrite(Verdict.INCONC, "CHECK: nothing came")
        return result, observation

    monkeypatch.setattr(bench, "observe", observe)
    with pytest.raises(ValueError, match="with the healthy agent: CHECK: nothing came"):
        shown(bench, [], PLAIN[:1])

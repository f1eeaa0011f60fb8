"""What an ordinary session lacks as well, no case fails for but those that are about it."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from conformance.iut.upper import DELIVERY
from conformance.mutants.execution import execute
from conformance.peer.connecting import CONNECTION
from conformance.peer.connection import OPEN, Connection
from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess, Data, Payload
from conformance.run.discovery import discover
from conformance.run.ordinary import Session, session_of, step_of
from conformance.run.shown import Step, steps_shown, way_to
from conformance.suites.dimensions import case_name
from conformance.verdict import Missing, Verdict
from reports.record import read

PAIRS = {
    # an agent that connects to nobody has no need of options or of refused connections
    ("active-never-paired", "RFC8839-5.6/unknown_options_are_ignored"): Verdict.INCONC,
    ("active-never-paired", "RFC6544-7.1/many_refused_connections_fail_only_their_pairs"): Verdict.INCONC,
    ("active-never-paired", "RFC6544-6.2/active_is_paired_with_passive"): Verdict.FAIL,
    # one that closes each connection behind its answer does not do so for null frames; another does
    ("connection-closed-behind-answer", "RFC4571-2/null_frames_between_checks"): Verdict.INCONC,
    ("connection-closed-behind-answer", "RFC8489-6.2.2/connection_stays_open_behind_the_response"): Verdict.FAIL,
    # a lite agent is held against a session of a lite agent
    ("media-without-frame", "RFC8839-4.4.3.2/lite_agent_selects_anew"): Verdict.INCONC,
    ("lite-nomination-ignored", "RFC8445-8.2/lite_agent_follows_the_nomination"): Verdict.FAIL,
    # what only a second connection shows, and a session of two has by itself
    ("response-on-oldest-connection", "RFC8489-6.3.1.2/response_comes_on_the_connection_of_its_request"): Verdict.FAIL,
    ("null-frame-closes", "RFC4571-2/null_frames_between_checks"): Verdict.FAIL,
    # the sentence is one that sessions show, but not where this one goes wrong
    ("check-after-completion-unanswered", "RFC4571-2/frame_may_pause"): Verdict.INCONC,
    ("active-port-believed", "RFC8489-6.2.2/every_request_is_answered_before_the_connection_ends"): Verdict.INCONC,
    # a case whose connections are made of segments is held against a session over the kernel's
    ("active-never-paired", "RFC6544-7.1/unreachable_port_fails_only_its_pair"): Verdict.INCONC,
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    cases = {}
    for case in discover().every:
        cases.setdefault(case_name(case.id), case)
    matrix = execute([(cases[name], fault) for fault, name in PAIRS], tmp_path_factory.mktemp("ordinary"))
    return {(fault, case_name(result.case)): result for fault in matrix.results for result in matrix.of(fault)}


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_a_case_fails_for_what_it_does_and_not_for_what_the_iut_always_lacks(verdicts, pair) -> None:
    result = verdicts[pair]
    assert result.verdict is PAIRS[pair], result.reason
    assert ("nor does an ordinary session have it: " in result.reason) is (result.verdict is Verdict.INCONC)


def test_both_sessions_are_in_the_capture_and_the_judge_knows_the_descriptions_of_both(tmp_path) -> None:
    iut = f"exec:{sys.executable} -m conformance.agent --fault offerer-is-not-ready"
    case = "RFC4571-2/null_frames_among_media[offerer]"
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(tmp_path), "--case", case]
    done = subprocess.run([*command, "--timeout", "1"], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    results = read(tmp_path / "record.jsonl")[1]
    assert {r.verdict for r in results if "/judge_" not in r.case} == {Verdict.INCONC}
    assert [r.case for r in results if r.verdict in (Verdict.FAIL, Verdict.ERROR)] == []
    assert [r.case for r in results if r.verdict is Verdict.PASS and "/judge_check_has_the_user_name" in r.case]


@pytest.mark.parametrize(
    ("wanted", "step"),
    [
        (CONNECTION, Step.CHECK),
        (BindingRequest(), Step.CHECK),
        (BindingRequest(use_candidate=True), Step.SELECTION),
        (BindingSuccess(), Step.ANSWER),
        (BindingError(487), Step.ANSWER),
        (AnyResponse(), Step.ANSWER),
        (DELIVERY, Step.DELIVERY),
        (Data(), Step.DATA),
        (OPEN, Step.SELECTION),
        (Payload(), None),
        (None, None),
    ],
)
def test_what_is_missing_has_its_step_in_an_ordinary_session(wanted, step) -> None:
    assert step_of(Missing("missing", wanted=wanted)) is step


def test_an_ordinary_session_is_like_that_of_the_case() -> None:
    ours, theirs = SimpleNamespace(outgoing=True), SimpleNamespace(outgoing=False)
    missing, unconnected = Missing("no response", wanted=BindingSuccess()), Missing("none", wanted=CONNECTION)
    upper = SimpleNamespace(exchanged=[("tester", None), ("IUT", None)], agent="lite")

    def session(connections, failure=missing):
        return session_of(upper, SimpleNamespace(connections=connections), failure)

    assert session([theirs, ours]) == Session("answerer", "tester", "lite", 1)
    assert session([ours, ours, theirs]) == Session("answerer", "IUT", "lite", 2)
    assert session([], unconnected) == Session("answerer", "IUT", "lite", 0)
    assert session([ours], unconnected) == Session("answerer", "IUT", "lite", 1)
    assert session([]) is None
    upper.exchanged.reverse()
    assert session([ours]) == Session("offerer", "tester", "lite", 1)
    upper.exchanged.clear()
    assert session([ours]) is None


def test_a_response_that_comes_late_has_a_step_of_its_own() -> None:
    assert step_of(Missing("missing", wanted=AnyResponse()), selected=True) is Step.LATE_ANSWER
    assert step_of(Missing("missing", wanted=BindingRequest()), selected=True) is Step.CHECK


def test_the_connection_on_which_something_is_missing_tells_who_opened_it(tmp_path) -> None:
    ours, theirs = (Connection.__new__(Connection) for _ in range(2))
    ours.outgoing, theirs.outgoing = True, False
    upper = SimpleNamespace(exchanged=[("IUT", None)], agent="full")
    missing = Missing("no response", wanted=BindingSuccess(), on=theirs)
    assert session_of(upper, SimpleNamespace(connections=[theirs, ours]), missing).opener == "IUT"


def test_a_sentence_shows_at_the_steps_that_the_table_has() -> None:
    assert steps_shown("RFC6544-8-01", "tester") == {Step.SELECTION}
    assert steps_shown("RFC6544-11.1-08", "IUT") == {Step.ANSWER, Step.LATE_ANSWER}
    assert steps_shown("RFC8839-5.6-03", "IUT") == frozenset()


def test_the_last_steps_do_not_lead_to_each_other() -> None:
    assert way_to(Step.ANSWER) == [Step.CHECK, Step.ANSWER]
    assert way_to(Step.DATA) == [Step.CHECK, Step.ANSWER, Step.SELECTION, Step.DATA]

"""What an ordinary session lacks as well, no case fails for but those that are about it."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from conformance.iut.upper import DELIVERY
from conformance.mutants.execution import execute
from conformance.peer.connecting import CONNECTION
from conformance.peer.connection import OPEN
from conformance.peer.events import AnyResponse, BindingError, BindingRequest, BindingSuccess, Data, Payload
from conformance.run.discovery import discover
from conformance.run.ordinary import Session, Step, is_shown, session_of, step_of
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


def test_who_is_about_the_ordinary_needs_no_further_session() -> None:
    assert is_shown(("RFC6544-7.2-01", "RFC8445-7.2.5.2-s01"))
    assert not is_shown(("RFC8445-7.2.5.2-s01", "RFC6544-7.2-01"))

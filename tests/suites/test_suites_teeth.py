"""Every fault of the reference agent is caught by a case of its requirement, every case catches a fault, and the
healthy agent passes everything.
"""

from __future__ import annotations

import pytest

from conformance.agent.faults import FAULTS
from conformance.mutants.execution import CALM, execute
from conformance.mutants.matrix import cited_by, faults_with_cases, related, usual_variants
from conformance.peer import lab
from conformance.run.discovery import discover
from conformance.suites.dimensions import case_name
from conformance.verdict import Verdict

# Where the kernel allows no network of one's own, these cases are n/a: tests/peer says why, and that it is so.
OWN_NETWORK = lab.can_enter() is None
ALL = discover().every
EVERY = usual_variants(ALL)  # the unusual ones are executed by tests/run
# Faults in putting frames together show only where frames come in pieces.
CUT = {
    case.id.partition("[")[0]: case
    for case in ALL
    if "RFC4571-2-s01" in case.requirements and getattr(case.parameters.get("shape"), "segmentation", "") == "octets"
}
CASES = [case for case in (*EVERY, *CUT.values()) if OWN_NETWORK or not case.in_segments]
FULL = [case for case in ALL if OWN_NETWORK or not case.in_segments]
TESTED = faults_with_cases(CASES)
NAMES = sorted({case.id.partition("[")[0] for case in CASES})


pytestmark = pytest.mark.timeout(600)  # the matrix takes minutes on a busy machine


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    pairs = [(case, "") for case in CASES]
    pairs += [(case, fault.name) for fault in TESTED for case in related(fault, CASES)]
    found = execute(pairs, tmp_path_factory.mktemp("mutants"))
    # A busy machine makes everything late, also what a fault does too early: what survived, what caught nothing, and
    # where the healthy agent did not pass, gets a second look with few at once, as in `icetcp mutants`.
    by_id = {case.id: case for case in CASES}
    again = [(by_id[case], fault) for fault, case in found.doubtful(TESTED, cited_by(CASES))]
    caught = catching(found)
    again += [(case, fault) for case, fault in pairs if fault and case_name(case.id) not in caught]
    survivors = [fault for fault in TESTED if not found.killers(fault)]  # of IPv6, say, or of the second component
    again += [(case, fault.name) for fault in survivors for case in related(fault, FULL)]
    found.update(execute(again, tmp_path_factory.mktemp("again"), CALM))
    return found


def test_the_healthy_agent_passes_every_case(matrix) -> None:
    assert not {result.case: result.reason for result in matrix.unhealthy()}


@pytest.mark.parametrize("fault", TESTED, ids=lambda fault: fault.name)
def test_a_fault_is_caught_by_a_case_of_its_requirement(fault, matrix) -> None:
    assert matrix.killers(fault)


def catching(matrix) -> set[str]:
    return {case_name(result.case) for fault in TESTED for result in matrix.killers(fault)}


@pytest.fixture(scope="module")
def with_teeth(matrix):
    return catching(matrix)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_catches_a_fault_of_a_requirement_it_cites(name, with_teeth) -> None:
    assert name in with_teeth


def test_no_case_ends_in_an_error_of_the_test_system(matrix) -> None:
    assert not {(fault, result.case): result.reason for fault, result in matrix.errors()}


def test_every_fault_has_a_case() -> None:
    assert list(FAULTS) == TESTED


SPARED = [  # faults with cases of other requirements, close by, which they must leave alone
    ("connects-all-at-once", "RFC6544-9.2/existing_connection_is_checked_in_a_restart[offerer-IPv4-tester]"),
    ("lite-forms-check-list", "RFC6544-4.1/active_candidate_for_every_component[offerer]"),
    ("connects-from-other-interface", "RFC6544-7.1/connects_from_the_so_candidate_itself[offerer]"),
    ("connects-from-allocated-port", "RFC6544-7.1/connects_from_the_so_candidate_itself[answerer]"),
    ("listens-after-answer", "RFC6544-6.2/so_is_paired_with_so[offerer]"),
    # The lower tester waits for the selection of each stream with checks of this stream: no error response comes.
    ("error-without-frame", "RFC6544-10.1/media_of_a_stream_goes_over_its_own_connection[answerer]"),
]


def test_a_fault_breaks_no_more_than_it_names(tmp_path) -> None:
    by_id = {case.id: case for case in EVERY}
    found = execute([(by_id[case], fault) for fault, case in SPARED], tmp_path)
    came = {(fault, one.case): (one.verdict, one.reason) for fault in found.results for one in found.of(fault)}
    assert came == dict.fromkeys(SPARED, (Verdict.PASS, ""))


def test_a_case_whose_preamble_does_not_come_about_is_no_error(tmp_path) -> None:
    case = next(case for case in EVERY if "so_connection_that_we_reopen_is_checked_in_return[o" in case.id)
    (result,) = execute([(case, "so-connects-from-other-port")], tmp_path).of("so-connects-from-other-port")
    assert (result.verdict, "did not lead from one S-O candidate" in result.reason) == (Verdict.INCONC, True)


def test_checks_that_claim_no_role_say_nothing_of_a_conflict(tmp_path) -> None:
    case = next(case for case in EVERY if "lost_role_conflict_on_an_opened_connection" in case.id)
    (result,) = execute([(case, "check-without-role")], tmp_path).of("check-without-role")
    assert (result.verdict, "tells the IUT's role" in result.reason) == (Verdict.INCONC, True)

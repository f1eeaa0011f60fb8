"""What a stack lacks is judged by what it has: DTLS in place of data, its own connections, its state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports.record import read

AGENT = f"exec:{sys.executable} -m conformance.agent"
ACTIVE = f"exec:{sys.executable} {Path(__file__).with_name('active_adapter.py')}"
DTLS = "--payload dtls"
pytestmark = pytest.mark.timeout(120)


def verdicts(out: Path, iut: str, *cases: str) -> dict[str, str]:
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(out), "--link", "sockets"]
    chosen = [word for case in cases for word in ("--case", case)]
    subprocess.run([*command, *chosen], capture_output=True, text=True, timeout=110, check=False)
    found = read(out / "record.jsonl")[1]
    return {result.case: result.verdict.value for result in found if "judge_" not in result.case}


SENT = ("RFC6544-10.1/media_leaves_on_the_selected_connection[offerer]", "RFC6544-10.1/media_is_framed[answerer]")
DELIVERED = ("RFC6544-10.2/framed_media_is_delivered[answerer-cut3]", "RFC4571-2/null_frames_among_media[offerer]")
REOPENED = (
    "RFC6544-11.1/active_side_reopens_the_lost_connection[offerer-RST]",
    "RFC6544-11.1/media_flows_on_the_reopened_connection[answerer]",
)


def test_dtls_shows_what_data_would(tmp_path) -> None:
    found = verdicts(tmp_path, f"{AGENT} {DTLS}", *SENT, *DELIVERED, *REOPENED)
    assert len(found) >= 6
    assert set(found.values()) == {"pass"}, found


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        ("dtls-never-starts", SENT[0]),
        ("dtls-without-frame", SENT[1]),
        ("dtls-taken-for-media", DELIVERED[0]),
        ("null-frame-eats-next", DELIVERED[1]),
        ("lost-connection-not-reopened", REOPENED[0]),
    ],
)
def test_dtls_shows_a_fault(fault, case, tmp_path) -> None:
    assert verdicts(tmp_path, f"{AGENT} {DTLS} --fault {fault}", case) == {case: "fail"}


SWITCHED = (
    "RFC6544-11.1/selected_connection_is_closed_with_the_session[offerer-switched-cut1]",
    "RFC6544-11.1/selected_connection_is_closed_with_the_session[answerer-switched-octets]",
)


def test_a_check_of_the_iuts_decides_the_roles_too(tmp_path) -> None:
    """The IUT checks first: our answer 487 makes it take the other role."""
    found = verdicts(tmp_path, ACTIVE, *SWITCHED)
    assert found == dict.fromkeys(SWITCHED, "pass")


def test_one_that_keeps_its_role_is_judged_elsewhere(tmp_path) -> None:
    iut = f"{ACTIVE} --fault lost-conflict-ignored --fault conflict-keeps-role"
    assert verdicts(tmp_path, iut, SWITCHED[0]) == {SWITCHED[0]: "n/a"}


CALLER = f"exec:{sys.executable} {Path(__file__).with_name('caller_role_adapter.py')}"
DEAF = "--fault lost-conflict-ignored --fault conflict-keeps-role"


def test_one_whose_caller_obeys_meets_us_in_the_other_role_without_a_conflict(tmp_path) -> None:
    assert verdicts(tmp_path, f"{CALLER} {DEAF}", *SWITCHED) == dict.fromkeys(SWITCHED, "pass")


def test_one_in_the_role_that_its_caller_was_told_shows_a_fault(tmp_path) -> None:
    iut = f"{CALLER} {DEAF} --fault selected-outlives-session"
    assert verdicts(tmp_path, iut, SWITCHED[0]) == {SWITCHED[0]: "fail"}


WRONG = "RFC8489-9.1.4/unauthenticated_success_makes_no_pair_valid[wrong-password]"


@pytest.mark.parametrize(("faults", "verdict"), [("", "pass"), ("--fault response-integrity-unchecked", "fail")])
def test_one_that_nominates_at_once_shows_a_valid_pair_by_its_state(faults, verdict, tmp_path) -> None:
    iut = f"{AGENT} --fault use-candidate-at-once {faults}"
    assert verdicts(tmp_path, iut, WRONG) == {WRONG: verdict}


NOMINATED = "RFC6544-8/nomination_waits_for_a_success[offerer]"


@pytest.mark.parametrize("said", [["--decides", "9"], []])
def test_a_nomination_is_waited_for_as_long_as_it_may_take(said, tmp_path) -> None:
    """By the option or, without it, by the pics: 39.5 s are the default."""
    pics = "" if said else " --say decides=9"
    adapter = Path(__file__).parents[1] / "run" / "reticent_adapter.py"
    iut = f"exec:{sys.executable} {adapter}{pics} -- --fault never-nominates"
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--out", str(tmp_path), "--link", "sockets"]
    subprocess.run([*command, *said, "--case", NOMINATED], capture_output=True, timeout=110, check=False)
    (result,) = (result for result in read(tmp_path / "record.jsonl")[1] if result.case == NOMINATED)
    assert result.verdict.value == "fail"
    assert 8 < result.duration < 20
    assert (" --decides 9 " in result.repeat) is bool(said)


UDP_RELAY = f"exec:{sys.executable} {Path(__file__).with_name('udp_relay_adapter.py')}"
RELAYED = (
    "RFC8656-8/allocation_is_refreshed_in_time",
    "RFC8656-10.1/permission_names_a_peer[offerer]",
    "RFC8489-9.2.5/challenge_is_answered[offerer]",
    "RFC8489-9.2.5/success_with_wrong_integrity_does_not_count[answerer]",
    "RFC6544-11.2/connection_to_the_turn_server_in_use_stays[offerer]",
    "RFC6544-4.1/connection_to_the_turn_server_is_kept[answerer]",
)
ALLOCATED = ("RFC6062-4.1/tcp_is_asked_for[offerer]", "RFC6544-4.1/passive_relayed_candidates_are_obtained[offerer]")


def test_a_turn_client_over_tcp_is_judged_whatever_it_allocates(tmp_path) -> None:
    found = verdicts(tmp_path, UDP_RELAY, *RELAYED, *ALLOCATED)
    assert found == {**dict.fromkeys(RELAYED, "pass"), **dict.fromkeys(ALLOCATED, "n/a")}


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        ("refreshed-too-late", RELAYED[0]),
        ("permission-for-nobody", RELAYED[1]),
        ("challenge-given-up", RELAYED[2]),
        ("server-integrity-unchecked", RELAYED[3]),
        ("turn-connection-closed", RELAYED[4]),
        ("server-connections-closed-early", RELAYED[5]),
    ],
)
def test_a_turn_client_with_udp_allocations_shows_a_fault(fault, case, tmp_path) -> None:
    assert verdicts(tmp_path, f"{UDP_RELAY} --fault {fault}", case) == {case: "fail"}


CONSENT = "RFC7675-5.1/consent_is_checked_over_tcp[answerer]"


@pytest.mark.parametrize(("sends", "verdict"), [("", "fail"), (" --refuse send", "inconc")])
def test_an_iut_that_sends_no_data_need_not_ask_for_consent(sends, verdict, tmp_path) -> None:
    adapter = Path(__file__).parents[1] / "run" / "reticent_adapter.py"
    iut = f"exec:{sys.executable} {adapter}{sends} -- --fault consent-not-over-tcp"
    assert verdicts(tmp_path, iut, CONSENT) == {CONSENT: verdict}


LATER = "RFC8839-4.4.1.2.2/only_the_nominated_candidate_is_left[tester]"
NAMED = "RFC8839-4.4.1.2.2/remote_candidates_name_our_end[tester]"


@pytest.mark.parametrize(
    ("payload", "fault", "case", "verdict"),
    [
        ("", "all-candidates-in-later-offers", LATER, "fail"),
        (DTLS, "all-candidates-in-later-offers", LATER, "pass"),
        (DTLS, "remote-candidates-forgotten", NAMED, "fail"),
    ],
)
def test_a_webrtc_stack_may_repeat_its_candidates_in_later_offers(payload, fault, case, verdict, tmp_path) -> None:
    """RFC 9429 section 5.2.2 has it so, against RFC 8839; it does not let it leave a=remote-candidates out."""
    assert verdicts(tmp_path, f"{AGENT} {payload} --fault {fault}", case) == {case: verdict}


def test_no_offer_follows_an_answer_that_is_refused(tmp_path) -> None:
    """That the answer without ICE is refused fails the case about that, not the one about the offer behind it."""
    taken, offer = (
        f"RFC8839-4.4.3.1/{name}"
        for name in ("later_answer_without_ice_is_taken", "offer_after_an_answer_without_ice_restarts")
    )
    found = verdicts(tmp_path, f"{AGENT} --fault later-answer-without-ice-refused", taken, offer)
    assert found == {taken: "fail", offer: "n/a"}


def test_who_says_that_it_is_lite_is_not_blamed_for_what_its_offers_lack(tmp_path) -> None:
    """As we then control, it controls only if the tie-breakers have it so: it need not name remote candidates."""
    each = "RFC8839-5.2/remote_candidates_name_each_component"
    for number in range(2):
        found = verdicts(tmp_path / f"{number}", f"{AGENT} --fault full-says-lite", NAMED, each)
        assert set(found.values()) <= {"n/a", "inconc"}, found

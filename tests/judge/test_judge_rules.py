"""What the golden captures do not show of the rules: doubts and their reasons, readings, and lawful corners."""

from __future__ import annotations

import struct

import pytest

from conformance.judge import RULES, Known
from conformance.run import judging
from conformance.run.reading import Work
from conformance.run.recording import CaseCapture
from conformance.verdict import Verdict
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import MessageClass, Method, build
from pcaps.golden import scene as s
from pcaps.golden.lawful import active, selected, validated
from pcaps.golden.scenarios import described
from pcaps.golden.scene import Scene


def reasons(judgement) -> str:
    return " | ".join(observation.reason for observation in judgement.broken + judgement.unclear)


def failures(judgements) -> list[str]:
    return [name for name, judgement in judgements.items() if judgement.verdict is Verdict.FAIL]


def test_every_rule_has_a_title_a_purpose_and_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.title and rule.look.__doc__ for rule in RULES)


# -- candidates --------------------------------------------------------------------------------------------------------


def with_candidates(*lines: str):
    def write(scene: Scene):
        selected(scene)
        offer = str(s.described(scene.left, "active"))
        return SessionDescription.parse(offer + "".join(f"a=candidate:{line}\r\n" for line in lines)), s.described(
            scene.right, "passive"
        )

    return write


def reflexive(direction: int, tcptype: str, kind: str = "srflx", port: int = 9, preference: int | None = None) -> str:
    preference = {"srflx": 100, "relay": 0}[kind] if preference is None else preference
    priority = (preference << 24) + (direction << 21) + (8191 << 8) + 255
    return f"{kind}{tcptype} 1 TCP {priority} 203.0.113.1 {port} typ {kind} raddr 192.0.2.1 rport 9 tcptype {tcptype}"


def test_direction_of_reflexive_candidates(judged) -> None:
    right = judged(with_candidates(reflexive(6, "so"), reflexive(4, "active"), reflexive(2, "passive")))
    assert right["reflexive_direction_preference"].held == 3
    assert failures(right) == []
    wrong = judged(with_candidates(reflexive(4, "passive")))
    assert failures(wrong) == ["reflexive_direction_preference"]
    assert "direction-pref 4 of a passive srflx candidate" in reasons(wrong["reflexive_direction_preference"])


def test_nat_assisted_and_tunneled_candidates_are_written_as_reflexive_ones(judged) -> None:
    assisted = [reflexive(4, "active", preference=105), reflexive(2, "passive", port=7000, preference=105)]
    assert failures(judged(with_candidates(*assisted))) == []
    tunneled = [reflexive(6, "active", preference=75), reflexive(4, "passive", "relay", 7000, 75)]
    assert failures(judged(with_candidates(*tunneled))) == []
    wrong = judged(with_candidates(reflexive(2, "passive", preference=104)))
    assert failures(wrong) == ["priority_follows_the_formula"]
    assert "type preference 104 of a srflx candidate" in reasons(wrong["priority_follows_the_formula"])
    assert failures(judged(with_candidates(reflexive(6, "passive", preference=105)))) == [
        "reflexive_direction_preference"
    ]


def test_an_active_relayed_candidate_has_the_port_of_another(judged) -> None:
    assert failures(judged(with_candidates(reflexive(6, "active", "relay", 3000)))) == []


def test_type_preferences_are_free_beside_udp(judged) -> None:
    lower = "t 1 TCP 2111832063 192.0.2.1 7000 typ host tcptype passive"
    assert "priority_follows_the_formula" in failures(judged(with_candidates(lower)))
    assert "priority_follows_the_formula" not in failures(
        judged(with_candidates(lower, "u 1 UDP 2130706431 192.0.2.1 7000 typ host"))
    )


def test_the_same_candidate_twice_is_no_second_candidate(judged) -> None:
    line = "p 1 TCP 2124414975 192.0.2.1 7000 typ host tcptype passive"
    assert failures(judged(with_candidates(line, line))) == []


# -- connecting --------------------------------------------------------------------------------------------------------


def test_many_attempts_are_no_breach_where_they_may_not_be_outstanding(judged) -> None:
    def write(scene: Scene):
        for number in range(8):
            scene.connection(scene.left.at(50100 + number), scene.right.at(7200 + number)).open(answered=False)
        selected(scene)
        more = [s.candidate_of(scene.right, "passive", port=7200 + n, other=8000 - n) for n in range(8)]
        answer = f"{s.described(scene.right, 'passive')}" + "".join(f"a={candidate}\r\n" for candidate in more)
        return s.described(scene.left, "active"), SessionDescription.parse(answer)

    known = judged(write)["few_attempts_are_outstanding"]
    assert (known.verdict, "within a second" in reasons(known)) == (Verdict.INCONC, True)
    unknown = judged(write, Known())["few_attempts_are_outstanding"]
    assert unknown.verdict is Verdict.NONE  # each may have been given up at once


def test_many_attempts_are_unclear_where_the_clock_stands_still(judged) -> None:
    """As one packet of each attempt is recorded 20 microseconds after the other, so all of them would overlap."""

    def write(scene: Scene):
        links = [scene.connection(scene.left.at(50100 + n), scene.right.at(7200 + n)) for n in range(7)]
        for link in links:
            for step in (20_000, -20_000):
                link.open(answered=False)
                scene.wait(step - s.MILLISECOND)
        more = [s.candidate_of(scene.right, "passive", port=7200 + n, other=8000 - n) for n in range(7)]
        answer = f"{s.described(scene.right, 'passive')}" + "".join(f"a={candidate}\r\n" for candidate in more)
        return s.described(scene.left, "active"), SessionDescription.parse(answer)

    assert "clock does not tell" in reasons(judged(write)["few_attempts_are_outstanding"])


def test_many_attempts_that_last_are_unclear_without_descriptions(judged) -> None:
    def write(scene: Scene) -> None:
        links = [scene.connection(scene.left.at(50100 + n), scene.right.at(7200 + n)) for n in range(7)]
        for _ in range(2):
            for link in links:
                link.open(answered=False)
            scene.wait(s.SECOND)
        selected(scene)

    found = judged(write, Known())["few_attempts_are_outstanding"]
    assert (found.verdict, "may not be ICE's" in reasons(found)) == (Verdict.INCONC, True)


def test_a_connection_to_port_9_is_unclear_without_descriptions(judged) -> None:
    def write(scene: Scene) -> None:
        scene.connection(scene.left.at(50009), scene.right.at(9)).open(refused=True)
        selected(scene)

    found = judged(write, Known())["connection_is_to_a_candidate_that_accepts"]
    assert (found.verdict, "its kind is not known" in reasons(found)) == (Verdict.INCONC, True)


def test_a_second_connection_is_unclear_where_there_may_be_a_second_pair(judged) -> None:
    def write(scene: Scene):
        first = validated(scene)
        validated(scene, 50001)
        first.end(first.client)
        return s.described(scene.left, "passive"), s.described(scene.right, "passive")

    found = judged(write)["pair_has_one_connection"]
    assert (found.verdict, "do not show that it is for the same pair" in reasons(found)) == (Verdict.INCONC, True)


# -- checks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (struct.pack("!I", 0), "with PRIORITY 0, not from 1"),
        (struct.pack("!I", 1 << 31), "with PRIORITY 2147483648"),
    ],
)
def test_priorities_that_cannot_be(judged, value, words) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        attributes = [s.attr.username("Rfrg:Lfrg"), RawAttribute(Attribute.PRIORITY, value), s.attr.ice_controlling(1)]
        key = s.short_term_key(scene.right.pwd)
        link.send(
            link.client, frame(build(Method.BINDING, MessageClass.REQUEST, scene.transaction(), attributes, key=key))
        )

    found = judged(write)
    assert failures(found) == ["check_has_its_attributes"]
    assert words in reasons(found["check_has_its_attributes"])


def test_transaction_ids_that_count_in_large_steps(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        for number in range(4):
            identifier = ((0x123456789ABCDEF123456789 * (number + 1)) % (1 << 96)).to_bytes(12, "big")
            scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, transaction=identifier))

    found = judged(write)
    assert failures(found) == ["transaction_ids_are_random"]
    assert "by counting" in reasons(found["transaction_ids_are_random"])


@pytest.mark.parametrize(
    ("username", "words"),
    [
        ("strange:Lfrg", "a check for strange, which its peer never was"),
        ("Rfrg:strange", "as strange, which it never was"),
    ],
)
def test_names_that_nobody_has_are_wrong_only_where_all_are_known(judged, username, words) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        link.send(link.client, frame(scene.check(scene.left, scene.right, username=username)))

    assert "check_has_the_user_name" not in failures(judged(write))
    found = judged(write, whole=True)
    assert words in reasons(found["check_has_the_user_name"])


def test_success_for_a_name_that_nobody_has(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, username="strange:Lfrg"))

    assert judged(write)["success_is_for_valid_credentials"].verdict is Verdict.INCONC
    assert "success_is_for_valid_credentials" in failures(judged(write, whole=True))


def test_a_lookalike_with_a_wrong_fingerprint_is_media_once_media_may_flow(judged) -> None:
    def write(scene: Scene) -> None:
        link = selected(scene)
        link.send(link.client, frame(scene.check(scene.left, scene.right, wrong_fingerprint=True)))

    assert failures(judged(write)) == []


@pytest.mark.parametrize("answered", ["at once", "later", "by another check"])
def test_a_check_with_a_wrong_fingerprint_is_one_whoever_puts_up_with_it(judged, answered) -> None:
    """A tolerant peer answers it, or the next one: it was a check all the same."""

    def write(scene: Scene) -> None:
        link = validated(scene) if answered == "later" else active(scene).open()
        request = scene.check(scene.left, scene.right, wrong_fingerprint=True)
        link.send(link.client, frame(request))
        if answered == "by another check":
            scene.validate(link)
        else:
            link.send(link.server, frame(scene.success(request, scene.right, link.client)))

    assert "check_has_fingerprint" in failures(judged(write))


def test_the_peers_check_sent_back_as_media_is_no_check_of_the_agent(judged) -> None:
    def write(scene: Scene) -> None:
        link = selected(scene)
        link.send(link.client, frame(scene.check(scene.right, scene.left)))

    assert failures(judged(write)) == []


# -- responses ---------------------------------------------------------------------------------------------------------


def test_malformed_mapped_address(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        request = scene.check(scene.left, scene.right)
        wrong = RawAttribute(Attribute.XOR_MAPPED_ADDRESS, b"\0\7\0\0")
        key = s.short_term_key(scene.right.pwd)
        link.send(link.client, frame(request))
        link.send(link.server, frame(build(Method.BINDING, MessageClass.SUCCESS, request[8:20], [wrong], key=key)))

    found = judged(write)
    assert failures(found) == ["mapped_address_is_well_formed"]
    assert "malformed address" in reasons(found["mapped_address_is_well_formed"])


@pytest.mark.parametrize(
    ("code", "listed", "broken"),
    [
        (attr.error_code(420), [7], []),
        (attr.error_code(420), [], ["unknown_attributes_are_listed"]),
        (attr.error_code(400), [], ["unknown_attributes_are_in_a_420"]),
        (attr.error_code(487), [7], ["unknown_attributes_are_in_a_420"]),
        (RawAttribute(Attribute.ERROR_CODE, b"\0"), [7], ["error_has_a_code"]),  # of which code is not known
    ],
)
def test_a_list_of_unknown_attributes_is_of_a_420(judged, code, listed, broken) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        request = scene.check(scene.left, scene.right, values={Attribute.DONT_FRAGMENT: b""})
        scene.refuse(link, scene.left, scene.right, request, code, attr.unknown_attributes(listed))
        scene.validate(link)

    assert failures(judged(write)) == broken


def test_a_success_lists_no_unknown_attributes(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        request = scene.check(scene.left, scene.right)
        link.send(link.client, frame(request))
        values = {Attribute.UNKNOWN_ATTRIBUTES: b"\0\7"}
        link.send(link.server, frame(scene.success(request, scene.right, link.client, values=values)))
        scene.validate(link)

    assert failures(judged(write)) == ["unknown_attributes_are_in_a_420"]


def test_another_address_is_a_breach_only_where_nothing_translates(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        request = scene.check(scene.left, scene.right)
        link.send(link.client, frame(request))
        link.send(link.server, frame(scene.success(request, scene.right, Address("203.0.113.7", 50000))))

    assert failures(judged(write)) == []
    assert failures(judged(write, whole=True)) == ["success_has_the_mapped_address"]


@pytest.mark.parametrize("own_is", [0, 1, 2])
def test_two_addresses_on_one_connection_contradict_each_other_in_any_order(judged, own_is) -> None:
    """One of them is that of the connection: a translator would have changed it in each."""

    def write(scene: Scene) -> None:
        link = active(scene).open()
        told = [Address("203.0.113.7", 50000)] * 2
        told.insert(own_is, link.client)
        for address in told:
            request = scene.check(scene.left, scene.right)
            link.send(link.client, frame(request))
            link.send(link.server, frame(scene.success(request, scene.right, address)))

    assert "success_has_the_mapped_address" in failures(judged(write))


def test_an_answer_to_what_is_broken_is_an_answer(judged) -> None:
    """A request whose LENGTH or FINGERPRINT is wrong was asked all the same."""

    def write(scene: Scene) -> None:
        link = validated(scene)
        request = scene.check(scene.left, scene.right, wrong_fingerprint=True)
        link.send(link.client, frame(request))
        link.send(link.server, frame(scene.success(request, scene.right, link.client)))
        short = scene.check(scene.left, scene.right) + bytes(4)
        link.send(link.client, frame(short))
        link.send(link.server, frame(scene.success(short, scene.right, link.client)))

    assert "response_answers_a_request" not in failures(judged(write))


# -- after the nomination ----------------------------------------------------------------------------------------------


def two_connections(scene: Scene, seconds: float, *, later: bool) -> None:
    link = validated(scene)
    spare = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(spare, scene.right)
    scene.nominate(link)
    scene.wait(int(seconds * s.SECOND))
    link.end(link.client)
    if later:
        spare.end(spare.client)


@pytest.mark.parametrize(
    ("seconds", "later", "known", "words"),
    [
        (1, False, None, "the capture ends too early"),
        (30, False, None, "nothing was seen on it afterwards"),
        (30, True, Known(), "no offer and answer"),
    ],
)
def test_whether_a_connection_was_left_open_may_be_unclear(judged, seconds, later, known, words) -> None:
    found = judged(lambda scene: two_connections(scene, seconds, later=later), known)[
        "unselected_connections_are_closed"
    ]
    assert found.verdict is Verdict.INCONC
    assert words in reasons(found)


def test_only_the_judged_agent_is_blamed_for_an_open_connection(judged) -> None:
    found = judged(lambda scene: two_connections(scene, 30, later=True), only=frozenset({"198.51.100.2"}))
    breach = found["unselected_connections_are_closed"]
    assert [observation.agent for observation in breach.broken] == ["198.51.100.2:51000"]


def test_two_nominations_leave_open_which_connection_was_selected(judged) -> None:
    def write(scene: Scene) -> None:
        links = [validated(scene), scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()]
        scene.validate(links[1], scene.right)
        for link in links:
            scene.nominate(link)
        scene.wait(30 * s.SECOND)
        for link in links:
            link.end(link.client)

    assert judged(write)["unselected_connections_are_closed"].verdict is Verdict.NONE


def test_a_sender_of_media_that_may_be_lite_is_unclear(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
        link.send(link.server, frame(s.RTP))

    found = judged(write, Known())["media_waits_for_a_success"]
    assert (found.verdict, "may be lite" in reasons(found)) == (Verdict.INCONC, True)
    assert failures(judged(write)) == ["media_waits_for_a_success"]  # the answer does not say a=ice-lite


def test_the_reading_that_a_stack_follows_is_noted(judged) -> None:
    def write(scene: Scene) -> None:
        scene.media(validated(scene), s.DTLS_HELLO)

    (reading,) = judged(write)["dtls_waits_for_ice"].readings
    assert "RFC 8445 section 12.1" in reading


# -- large captures and runs -------------------------------------------------------------------------------------------


def test_what_was_let_go_of_in_a_large_capture_makes_a_doubt(judged, monkeypatch) -> None:
    monkeypatch.setattr(judging, "_BUDGET", 20)
    monkeypatch.setattr(judging, "_LOOK", 1)

    def write(scene: Scene) -> None:
        validated(scene).end(scene.left.at(50000), reset=True)
        for port in range(50001, 50010):
            link = scene.connection(scene.left.at(port), scene.right.at(7500)).open()
            scene.validate(link)
            link.end(link.client, reset=True)
        again = active(scene, 50100).open()
        scene.nominate(again)

    found = judged(write)
    assert failures(found) == []
    assert "let go of before" in reasons(found["nomination_follows_a_success"])
    assert found["check_has_fingerprint"].held == 21


def test_a_run_judges_the_iut_and_not_the_tester(tmp_path) -> None:
    def capture(name: str, write) -> CaseCapture:
        scene = Scene(name)
        write(scene)
        path = tmp_path / f"{name}.pcapng"
        path.write_bytes(scene.octets)
        offer, answer = described(scene)
        return CaseCapture(f"RFC6544-0/{name}", path, frozenset({scene.left.ip}), [("tester", offer), ("IUT", answer)])

    def testers_breach(scene: Scene) -> None:
        scene.nominate(active(scene).open())

    def iuts_breach(scene: Scene) -> None:
        link = validated(scene)
        link.send(link.server, frame(scene.success(scene.check(scene.left, scene.right), scene.right, link.client)))

    captures = [capture("first", testers_breach), capture("second", iuts_breach), capture("third", iuts_breach)]
    captures.append(CaseCapture("RFC6544-0/gone", tmp_path / "gone", frozenset()))
    work = Work("the IUT", "again {case}", tmp_path, tmp_path / "together")
    for one in captures:
        work.read(one)
    readings = work.sums()
    (finding,) = [result for result in readings.findings if result.verdict is Verdict.FAIL]
    held = readings.held
    assert {result.verdict for result in readings.findings} == {Verdict.FAIL, Verdict.PASS}
    assert finding.case == "RFC8489-5/judge_response_answers_a_request"
    assert finding.reason.startswith("in RFC6544-0/second: 198.51.100.2:7000 sent a response to ")
    assert finding.reason.endswith("(and 1 more)")
    assert (finding.capture, finding.repeat) == ("second.pcapng", "again RFC6544-0/second")
    assert "tester 192.0.2.1:50000" in finding.ladder
    assert held["check_has_integrity"] == 2
    assert held["nomination_follows_a_success"] == 0

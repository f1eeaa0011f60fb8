"""How a lawful session may look in a capture from the field, and what was given for it may be wrong."""

from __future__ import annotations

import pytest

from conformance.judge import Known
from conformance.run.judging import judge_file
from conformance.verdict import Verdict
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.tcp import ACK, PSH, SYN
from pcaps.golden import scene as s
from pcaps.golden.scenarios import active, selected, usual, validated
from pcaps.golden.scene import Scene
from pcaps.ladder import render
from pcaps.packets import Segment


def failures(judgements) -> list[str]:
    return [name for name, judgement in judgements.items() if judgement.verdict is Verdict.FAIL]


def doubts(judgements) -> dict[str, str]:
    found = [(name, j) for name, j in judgements.items() if j.verdict is Verdict.INCONC]
    return {name: " | ".join(observation.reason for observation in j.unclear) for name, j in found}


def test_a_syn_with_data_that_is_repeated_without_is_one_connection(judged) -> None:
    """TCP Fast Open: the check stands in the SYN; the same SYN comes again while nobody has answered."""

    def write(scene: Scene) -> None:
        link = active(scene)
        request = scene.check(scene.left, scene.right)
        link._next = {link.client: 1000, link.server: 5000}
        scene.packet(Segment(link.client, link.server, 1000, 0, SYN, frame(request)))
        scene.packet(Segment(link.client, link.server, 1000, 0, SYN, b""))
        scene.packet(Segment(link.server, link.client, 5000, 1001, SYN | ACK, b""))
        scene.packet(Segment(link.client, link.server, 1001, 5001, PSH | ACK, frame(request)))
        link._next = {link.client: 1001 + len(frame(request)), link.server: 5001}
        link.send(link.server, frame(scene.success(request, scene.right, link.client)))
        scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
        scene.nominate(link)
        link.end(link.client)

    found = judged(write)
    assert (failures(found), doubts(found)) == ([], {})
    assert found["check_has_integrity"].held == 3


def test_the_same_ports_again_are_another_connection(judged) -> None:
    def write(scene: Scene) -> None:
        for first in (1000, 77):  # the first one's end is not in the capture
            link = active(scene)
            link._next = {link.client: first + 1, link.server: 5001}
            scene.packet(Segment(link.client, link.server, first, 0, SYN, b""))
            scene.packet(Segment(link.server, link.client, 5000, first + 1, SYN | ACK, b""))
            scene.validate(link)
            scene.nominate(link)

    found = judged(write)
    assert failures(found) == []
    assert found["check_has_integrity"].held == 6


def test_one_direction_alone_with_a_gap_that_is_never_filled(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        link.send(link.client, frame(scene.check(scene.left, scene.right)))
        request = frame(s.RTP)
        for number in range(6000):
            scene.packet(Segment(link.client, link.server, 2000 + number * 200, 1, ACK, request))

    assert failures(judged(write)) == []


def test_a_password_that_was_mistyped_blames_nobody(judged) -> None:
    wrong = Known.of([], {"Lfrg": "mistyped" * 4, "Rfrg": "right/password+22character"})
    found = judged(usual, wrong)
    assert failures(found) == []
    assert "the password of 'Lfrg' given fits nothing in the capture" in doubts(found)["check_has_integrity"]
    assert "Rfrg" not in doubts(found)["check_has_integrity"]


def test_a_password_that_fits_one_message_is_believed(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right, password="wrong" * 5))
        scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))

    typed = Known.of([], {"Lfrg": "left/password+22characters", "Rfrg": "right/password+22character"})
    assert "check_has_integrity" in failures(judged(write, typed))


@pytest.mark.parametrize("octets", [b"0123456789", b"?", b"GET / HTTP/1.1", b"\x16\x21"])
def test_what_is_no_dtls_record_is_media(judged, octets) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        link.send(link.client, frame(scene.check(scene.left, scene.right)))
        link.send(link.client, frame(octets))

    assert failures(judged(write)) == ["media_waits_for_a_success"]


def test_dtls_without_frames(judged) -> None:
    def write(scene: Scene) -> None:
        link = selected(scene)
        link.send(link.server, s.BARE_DTLS_HELLO)

    found = judged(write)
    assert failures(found) == ["accepted_connection_is_framed"]
    assert "a DTLS handshake without a frame" in found["accepted_connection_is_framed"].broken[0].reason


def test_media_first_is_found_without_descriptions(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        link.send(link.client, frame(s.RTP))
        scene.validate(link)

    assert failures(judged(write, Known())) == ["media_waits_for_a_success"]


def test_media_on_a_connection_that_never_saw_a_check(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene, 50001).open()
        link.send(link.client, frame(s.RTP))
        usual(scene)

    assert failures(judged(write, whole=True)) == ["media_waits_for_a_success"]
    found = judged(write)
    assert failures(found) == []
    assert "no check was seen on the connection to a candidate" in doubts(found)["media_waits_for_a_success"]


def test_a_clock_that_was_set_back_makes_a_doubt(judged) -> None:
    def write(scene: Scene) -> None:
        link = active(scene).open()
        scene.validate(link)
        scene.wait(-60 * s.SECOND)
        scene.nominate(link)

    assert failures(judged(write)) == []

    def early(scene: Scene) -> None:
        link = active(scene).open()
        scene.wait(-60 * s.SECOND)
        scene.nominate(link)

    assert "the packets' times contradict their order" in doubts(judged(early))["nomination_follows_a_success"]


def test_a_clock_that_was_set_back_does_not_make_connections_of_one_time(judged) -> None:
    """The pair's second connection begins when its first one has ended, by the order of the packets."""

    def twice(scene: Scene, back: int) -> None:
        first = active(scene).open()
        scene.validate(first)
        scene.wait(5 * s.SECOND)
        first.send(first.client, frame(s.RTP))
        first.end(first.client)
        scene.wait(-back * s.SECOND)
        second = active(scene, 50002).open()
        scene.validate(second)
        scene.nominate(second)

    assert "pair_has_one_connection" not in doubts(judged(lambda scene: twice(scene, 0)))
    found = judged(lambda scene: twice(scene, 4))
    assert failures(found) == []
    assert "the capture's clock went back" in doubts(found)["pair_has_one_connection"]


def test_a_candidate_that_was_told_of_later_may_be_the_one(judged) -> None:
    def write(scene: Scene):
        link = scene.connection(scene.left.at(50009), scene.right.at(scene.right.so)).open()
        scene.validate(link)
        offer = str(s.described(scene.left, "active passive")) + "a=ice-options:trickle\r\n"
        return SessionDescription.parse(offer), s.described(scene.right, "so")

    found = judged(write)
    assert failures(found) == []
    assert "may have told of one of its own later" in doubts(found)["connection_is_to_a_candidate_that_accepts"]


def test_the_base_of_a_reflexive_so_candidate(judged) -> None:
    def write(scene: Scene):
        validated(scene)
        scene.connection(scene.left.at(50009), scene.right.at(scene.right.so)).open(refused=True)
        preference = (100 << 24) + (6 << 21) + (8191 << 8) + 255
        line = (
            f"a=candidate:r 1 TCP {preference} 203.0.113.1 60000 typ srflx raddr {scene.left.ip} rport 50009 tcptype so"
        )
        offer = SessionDescription.parse(f"{s.described(scene.left, 'active')}{line}\r\n")
        return offer, s.described(scene.right, "passive so")

    assert failures(judged(write)) == []


def test_a_long_ladder_is_cut_in_the_middle(tmp_path) -> None:
    scene = Scene("long")
    link = active(scene).open()
    for _ in range(700):
        link.send(link.client, frame(scene.check(scene.left, scene.right)))
    path = tmp_path / "capture"
    path.write_bytes(scene.octets)
    (connection,) = judge_file(path, Known(), show=1).shown
    lines = render([connection]).splitlines()
    assert len(lines) == 502
    assert lines[401].endswith(" 202 more")

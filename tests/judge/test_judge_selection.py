"""What the golden captures do not show of the rule that a nominated pair is used: its lawful corners and its doubts."""

from __future__ import annotations

import pytest

from conformance.judge import Known
from conformance.verdict import Verdict
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import MessageClass, Method, build
from pcaps.golden import scene as s
from pcaps.golden.scenarios import active, selected, validated
from pcaps.golden.scene import Scene

RULE = "nominated_pair_is_used"


def unchecked(scene: Scene, seconds: int = 20):
    """Write that the answerer never checks the nominated pair; return the link."""
    link = active(scene).open()
    scene.transact(link, scene.left, scene.right, scene.check(scene.left, scene.right))
    scene.nominate(link)
    scene.wait(seconds * s.SECOND)
    link.send(link.client, frame(s.RTP))
    return link


def lite_answer(scene: Scene) -> SessionDescription:
    return SessionDescription.parse(str(s.described(scene.right, "passive")).replace("m=", "a=ice-lite\r\nm="))


def test_the_agent_that_never_checked_is_named(judged) -> None:
    found = judged(unchecked_and_closed)[RULE]
    assert [observation.agent for observation in found.broken] == ["198.51.100.2:7000"]
    assert found.held == 1  # the offerer, whose data went over it


def unchecked_and_closed(scene: Scene) -> None:
    link = unchecked(scene)
    link.end(link.client)


def test_a_lite_agent_need_not_check(judged) -> None:
    def write(scene: Scene):
        unchecked_and_closed(scene)
        return s.described(scene.left, "active"), lite_answer(scene)

    assert judged(write)[RULE].broken == []


def test_an_agent_that_may_be_lite_is_not_blamed(judged) -> None:
    assert judged(unchecked_and_closed, Known())[RULE].broken == []


def test_a_session_that_ends_at_once_proves_nothing(judged) -> None:
    def write(scene: Scene) -> None:
        link = unchecked(scene, 2)
        link.end(link.client)

    assert judged(write)[RULE].broken == []


def test_what_the_capture_lacks_makes_it_unclear(judged) -> None:
    def write(scene: Scene) -> None:
        link = unchecked(scene)
        link.send(link.server, frame(scene.check(scene.right, scene.left)), lost=True)
        link.send(link.client, frame(s.RTP))
        link.end(link.client)

    found = judged(write)[RULE]
    assert not found.broken
    assert "octets are missing" in found.unclear[0].reason


def test_a_nomination_in_each_check_for_consent_is_lawful(judged) -> None:
    """As stacks do that know aggressive nomination, too."""

    def write(scene: Scene) -> None:
        link = validated(scene)
        for _ in range(15):
            scene.nominate(link)
            scene.transact(link, scene.right, scene.left, scene.check(scene.right, scene.left))
            scene.wait(5 * s.SECOND)
        link.end(link.client)

    found = judged(write)[RULE]
    assert (found.verdict, found.held) == (Verdict.PASS, 2)


@pytest.mark.parametrize(("seconds", "verdict"), [(30, Verdict.NONE), (70, Verdict.INCONC)])
def test_silence_proves_nothing(judged, seconds, verdict) -> None:
    def write(scene: Scene) -> None:
        link = selected(scene)
        scene.wait(seconds * s.SECOND)
        link.end(link.client)

    assert judged(write)[RULE].verdict is verdict


def test_indications_are_use_enough(judged) -> None:
    def write(scene: Scene) -> None:
        link = selected(scene)
        for end in (link.client, link.server):
            link.send(end, frame(build(Method.BINDING, MessageClass.INDICATION, scene.transaction())))
        scene.wait(90 * s.SECOND)
        link.end(link.client)

    assert judged(write)[RULE].held == 2


def goes_on(scene: Scene, *, asked: bool, restarted: bool = False) -> None:
    """Write checks of the offerer on another connection, long after the nomination."""
    other = scene.connection(scene.left.at(50001), scene.right.at(scene.right.so)).open()
    link = selected(scene)
    name = f"{scene.right.ufrag}2:{scene.left.ufrag}2" if restarted else None
    for _ in range(5):
        scene.wait(3 * s.SECOND)
        if asked:
            scene.transact(other, scene.right, scene.left, scene.check(scene.right, scene.left))
        scene.transact(other, scene.left, scene.right, scene.check(scene.left, scene.right, username=name))
        link.send(link.server, frame(s.RTP))
    other.end(other.server)
    link.end(link.client)


@pytest.mark.parametrize(
    ("asked", "restarted", "broken"), [(False, False, 1), (True, False, 0), (False, True, 0)], ids=str
)
def test_checks_in_return_and_those_of_a_restart_may_go_on_elsewhere(judged, asked, restarted, broken) -> None:
    found = judged(lambda scene: goes_on(scene, asked=asked, restarted=restarted))[RULE]
    assert [observation.agent for observation in found.broken] == ["192.0.2.1:50000"] * broken


def closes(scene: Scene, *, wait: int, used: bool) -> None:
    """Write that the answerer closes what was nominated, while another connection goes on."""
    other = scene.connection(scene.right.at(51000), scene.left.at(scene.left.passive)).open()
    scene.validate(other, scene.right)
    link = selected(scene)
    if used:
        link.send(link.server, frame(s.RTP))
    scene.wait(wait * s.SECOND)
    link.end(link.server)
    for _ in range(3):
        scene.wait(5 * s.SECOND)
        scene.transact(other, scene.right, scene.left, scene.check(scene.right, scene.left))
    other.end(other.server)


@pytest.mark.parametrize(("wait", "used", "broken"), [(1, False, 1), (8, False, 0), (1, True, 0)])
def test_a_connection_that_was_selected_may_be_closed_later(judged, wait, used, broken) -> None:
    found = judged(lambda scene: closes(scene, wait=wait, used=used))[RULE]
    assert len(found.broken) == broken

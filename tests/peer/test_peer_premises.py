"""An expectation whose premise does not hold is inconclusive: what is wrong is something else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conformance.peer.events import Frame
from conformance.peer.misframing import Reader
from conformance.peer.premises import premises
from conformance.peer.shape import Shape
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing
from conformance.wire.errors import StunError
from conformance.wire.layers import binding_error, binding_indication
from conformance.wire.rfc4571 import frame

STUN = bytes(binding_indication(transaction_id=b"transaction:"))


def peer(
    octets: bytes = b"",
    *,
    refused: str = "",
    in_conflict: bool = False,
    roles: str = "own",
    had_success: bool = False,
    keeps_its_role: bool = False,
) -> SimpleNamespace:
    connection = SimpleNamespace(octets=octets, refused=refused, in_conflict=in_conflict, had_success=had_success)
    return SimpleNamespace(connections=[connection], shape=Shape(roles=roles), keeps_its_role=keeps_its_role)


@pytest.mark.parametrize("octets", [STUN, frame(STUN) + b"\0\0\1\0$" + frame(STUN), b"\0\1" + STUN])
@pytest.mark.parametrize("failure", [Failed, Missing])
def test_what_is_not_in_frames_cannot_be_judged(octets, failure) -> None:
    with pytest.raises(Inconclusive, match="not in RFC 4571 frames"), premises(peer(octets)):
        raise failure("no response", expected="a response", actual="nothing")


@pytest.mark.parametrize("obstacle", [{"refused": "its USERNAME is not right"}, {"in_conflict": True}])
def test_what_was_refused_explains_what_is_missing_and_nothing_that_came(obstacle) -> None:
    with pytest.raises(Inconclusive, match="refused"), premises(peer(**obstacle)):
        raise Missing("no nomination")
    with pytest.raises(Failed, match="data came"), premises(peer(**obstacle)):
        raise Failed("data came")


def test_without_an_obstacle_a_failure_stays_one() -> None:
    with pytest.raises(Missing), premises(peer(frame(STUN) + frame(b"") + frame(b"data"))):
        raise Missing("no response")


@pytest.mark.parametrize("outcome", [Inconclusive, Missing])
def test_an_iut_that_keeps_its_role_is_not_judged_with_switched_roles(outcome) -> None:
    with pytest.raises(JudgedElsewhere, match="does not take the other role"), premises(peer(roles="switched")):
        raise outcome("no response")
    with pytest.raises(outcome), premises(peer(roles="switched", had_success=True)):
        raise outcome("no response")


def test_an_attribute_that_does_not_decode_fails_the_case_that_reads_it() -> None:
    with pytest.raises(Failed, match="malformed: PRIORITY"), premises(peer()):
        raise StunError("PRIORITY has 2 octets")


def test_several_messages_in_one_frame_are_not_framed_and_their_length_is_right() -> None:
    reader = Reader()
    reader.read(frame(STUN + STUN) + frame(STUN))
    assert (len(reader.found.bare), len(reader.found.length), len(reader.found.between)) == (1, 0, 0)


def test_a_role_conflict_is_known_by_its_code_alone() -> None:
    conflict = bytes(binding_error(b"transaction:", 487, "Role Conflict", "pwd"))
    assert Frame.of(conflict, 1, 0.0).has_code(487)
    assert not Frame.of(conflict, 1, 0.0).has_code(401)
    assert not Frame.of(b"data", 1, 0.0).has_code(487)


@pytest.mark.parametrize("kept", [True, False])
def test_an_iut_that_falls_back_into_its_role_has_kept_it(kept) -> None:
    fallen = peer(roles="switched", had_success=True, keeps_its_role=kept)
    with pytest.raises(JudgedElsewhere if kept else Missing), premises(fallen):
        raise Missing("no response")


def test_what_an_iut_does_in_the_role_that_it_has_kept_is_no_pass() -> None:
    with pytest.raises(JudgedElsewhere), premises(peer(roles="switched", had_success=True, keeps_its_role=True)):
        pass
    with premises(peer(roles="switched", had_success=True)):
        pass

"""An expectation whose premise does not hold is inconclusive: what is wrong is something else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from conformance.peer.events import BindingRequest, Frame
from conformance.peer.misframing import Reader
from conformance.peer.pixit import Pixit
from conformance.peer.premises import premises
from conformance.peer.shape import Shape
from conformance.verdict import Failed, Inconclusive, JudgedElsewhere, Missing
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.integrity import short_term_key
from conformance.wire.layers import binding_error, binding_indication, binding_success
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import Message, MessageClass, Method, build

if TYPE_CHECKING:
    from collections.abc import Sequence

STUN = bytes(binding_indication(transaction_id=b"transaction:"))


class Iut:
    """What the IUT has described."""

    pwd = "password"


def peer(
    octets: bytes = b"",
    *,
    refused: str = "",
    in_conflict: bool = False,
    roles: str = "own",
    had_success: bool | None = None,
    further: bool | None = None,
    keeps_its_role: bool = False,
    lasted: float = 60.0,
    role_is_told: bool = False,
    outgoing: bool = True,
    events: Sequence[Frame] = (),
    servers: Sequence[SimpleNamespace] = (),
    denied: Sequence[bytes] = (),
    nominated_against_us: bool = False,
) -> SimpleNamespace:
    seen = {
        "octets": octets,
        "refused": refused,
        "in_conflict": in_conflict,
        "events": list(events),
        "denied": list(denied),
        "lasts_longer_than": lambda seconds: lasted > seconds,
    }
    seen["outgoing"] = outgoing
    successes = (had_success,) if further is None else (None, had_success, further)
    return SimpleNamespace(
        connections=[SimpleNamespace(**seen, had_success=bool(one), first_had_success=one) for one in successes],
        shape=Shape(roles=roles),
        pixit=Pixit(),
        keeps_its_role=keeps_its_role,
        role_is_told=role_is_told,
        nominated_against_us=nominated_against_us,
        servers=list(servers),
        iut=Iut(),
    )


@pytest.mark.parametrize("octets", [STUN, frame(STUN) + b"\0\0\1\0$" + frame(STUN), b"\0\1" + STUN])
@pytest.mark.parametrize("failure", [Failed, Missing])
def test_what_is_not_in_frames_cannot_be_judged(octets, failure) -> None:
    with pytest.raises(Inconclusive, match="not in RFC 4571 frames"), premises(peer(octets)):
        raise failure("no response", expected="a response", actual="nothing")


def test_a_length_that_stands_twice_before_a_dtls_record_is_told() -> None:
    record = b"\x16\xfe\xff" + bytes(8) + b"\0\x05hello"
    twice = frame(record)[:2] + frame(record)
    with pytest.raises(Inconclusive, match="LENGTH 18 twice"), premises(peer(twice + frame(STUN))):
        raise Missing("no data")
    with pytest.raises(Missing), premises(peer(frame(record) * 2 + frame(b"\0\x05hello"))):
        raise Missing("no data")


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
    lost = peer(roles="switched", had_success=False, further=True)  # it takes the other role and forgets the request
    with pytest.raises(JudgedElsewhere), premises(lost):
        raise outcome("no response")


@pytest.mark.parametrize(
    ("outgoing", "case"),
    [(True, "role_conflict_that_the_iut_loses"), (False, "lost_role_conflict_on_an_opened_connection")],
)
def test_the_case_that_judges_an_iut_that_keeps_its_role_has_connections_like_these(outgoing, case) -> None:
    with pytest.raises(JudgedElsewhere, match=case), premises(peer(roles="switched", outgoing=outgoing)):
        raise Missing("no response")


def test_an_iut_whose_caller_was_told_the_role_is_judged_without_a_conflict() -> None:
    with pytest.raises(Missing), premises(peer(roles="switched", role_is_told=True)):
        raise Missing("no response")
    with pytest.raises(JudgedElsewhere), premises(peer(roles="switched", role_is_told=True, keeps_its_role=True)):
        raise Missing("no response")


@pytest.mark.parametrize(
    ("cited", "outcome"),
    [
        ((), Failed),
        (("RFC8445-16.1-s02",), Failed),
        (("RFC8445-7.1.1-01",), Inconclusive),
        (("RFC8445-16.1-03",), Inconclusive),  # another sentence of that section
        (("RFC8489-14.8-03",), Inconclusive),  # about another attribute
    ],
)
def test_an_attribute_that_does_not_decode_fails_the_case_that_is_about_it(cited, outcome) -> None:
    short = RawAttribute(Attribute.PRIORITY, b"ab")
    check = Message(Method.BINDING, MessageClass.REQUEST, bytes(12), (short,))
    with pytest.raises(outcome, match="malformed: PRIORITY"), premises(peer(), cited):
        _ = check.priority


SUCCESS = bytes(binding_success(b"transaction:", Address("192.0.2.1", 9), "pwd"))
MALFORMED = {
    "type": b"\x41" + STUN[1:],
    "cookie": SUCCESS[:4] + bytes(4) + SUCCESS[8:],
    "length": SUCCESS[:2] + b"\0\1" + SUCCESS[4:],
    "code": bytes(binding_error(b"transaction:", 401, "why", "pwd")).replace(b"\0\0\4\1why", b"\0\0\0\1why"),
    "no code": build(Method.BINDING, MessageClass.ERROR, b"transaction:"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_messages_fail_the_cases_that_are_about_them_alone(what) -> None:
    came = [Frame.of(MALFORMED[what], 1, 0.0)]
    came[0].solicited = True
    with pytest.raises(Inconclusive, match="malformed"), premises(peer(events=came), ("RFC6544-7.2-01",)):
        raise Missing("no response")
    with pytest.raises(Missing), premises(peer(events=came), ("RFC6544-7.2-01", "RFC8489-14.8-04")):
        raise Missing("no response")


def test_a_frame_that_ends_at_the_wrong_octet_is_to_blame_for_the_message_that_it_cuts() -> None:
    cut = (len(SUCCESS) - 2).to_bytes(2, "big") + SUCCESS
    came = [Frame.of(SUCCESS[:-2], 1, 0.0)]
    with pytest.raises(AssertionError, match="LENGTH"), premises(peer(cut, events=came), ("RFC4571-2-01",)):
        raise AssertionError("LENGTH is 2 octets too small")
    with pytest.raises(Inconclusive), premises(peer(cut, events=came), ("RFC6544-7.2-01",)):
        raise Missing("no response")


def test_a_message_that_is_not_read_explains_that_nothing_came_but_in_cases_about_messages_as_such() -> None:
    came = [Frame.of(MALFORMED["no code"], 1, 0.0)]
    came[0].solicited = True
    for cited, outcome in (
        ("RFC8489-14.3-02", Inconclusive),
        ("RFC8489-14-02", Missing),
        ("RFC8489-6.3.1.1-01", Missing),
    ):
        with pytest.raises(outcome), premises(peer(events=came), (cited,)):
            raise Missing("no response")
    with pytest.raises(Failed, match="too long"), premises(peer(events=came), ("RFC8489-14.3-02",)):
        raise Failed("its user name is too long")


PACKED = STUN[:2] + b"\0\6" + STUN[4:20] + b"\x80\x22\0\6ab"  # SOFTWARE goes beyond the message


@pytest.mark.parametrize(("octets", "outcome"), [(PACKED, Inconclusive), (PACKED + PACKED, Missing)])
def test_a_frame_that_holds_one_message_is_right_whatever_the_message_is(octets, outcome) -> None:
    with pytest.raises(outcome), premises(peer(events=[Frame.of(octets, 1, 0.0)]), ("RFC6544-7.1-03",)):
        raise Missing("no check")


def test_what_has_the_header_of_a_message_and_is_none_is_malformed_where_there_may_be_data() -> None:
    came = [Frame.of(octets, 1, 0.0) for octets in (SUCCESS, PACKED)]
    came[0].solicited = True
    with pytest.raises(Inconclusive, match="malformed"), premises(peer(events=came), ("RFC6544-12-s01",)):
        raise Failed("data came")


@pytest.mark.parametrize("came", [[b"data"], [STUN], [SUCCESS, MALFORMED["type"]]], ids=["data", "STUN", "behind"])
def test_data_and_what_comes_when_there_may_be_data_is_not_malformed(came) -> None:
    events = [Frame.of(octets, 1, 0.0) for octets in came]
    for event in events:
        event.solicited = True
    with pytest.raises(Missing), premises(peer(events=events), ("RFC6544-7.2-01",)):
        raise Missing("no response")


@pytest.mark.parametrize(
    ("unserved", "cited", "outcome"),
    [
        ("nothing", "RFC6544-4.1-02", Inconclusive),
        ("nothing", "RFC8656-7.1-04", Failed),
        ("", "RFC6544-4.1-02", Failed),
    ],
)
def test_who_has_got_nothing_from_a_server_is_not_judged_by_what_it_has_got(unserved, cited, outcome) -> None:
    with pytest.raises(outcome), premises(peer(servers=[SimpleNamespace(unserved=unserved)]), (cited,)):
        raise Failed("there is no relayed candidate")


def test_several_messages_in_one_frame_are_not_framed_and_their_length_is_right() -> None:
    reader = Reader()
    reader.read(frame(STUN + STUN) + frame(STUN))
    assert (len(reader.found.bare), len(reader.found.length), len(reader.found.between)) == (1, 0, 0)


def test_a_message_that_says_that_it_is_longer_is_framed_all_the_same() -> None:
    longer = STUN[:2] + (len(STUN)).to_bytes(2, "big") + STUN[4:]
    reader = Reader()
    reader.read(frame(longer) + frame(longer) + frame(STUN) + frame(longer))
    assert reader.found.any == []
    cut = (len(STUN) - 2).to_bytes(2, "big") + STUN
    reader.read(cut + frame(STUN))
    assert (len(reader.found.length), len(reader.found.any)) == (1, 1)


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


@pytest.mark.parametrize(
    ("password", "cited", "outcome"),
    [
        ("password", "RFC6544-7.2-01", Inconclusive),
        ("password", "RFC8489-9.1.3-07", Missing),
        ("another", "RFC6544-7.2-01", Missing),
    ],
)
def test_an_iut_that_refuses_its_own_credentials_is_judged_where_they_are(password, cited, outcome) -> None:
    check = build(Method.BINDING, MessageClass.REQUEST, b"transaction:", key=short_term_key(password))
    with pytest.raises(outcome), premises(peer(denied=[check]), (cited,)):
        raise Missing("no response")


@pytest.mark.parametrize(
    ("role", "nominates", "cited", "outcome"),
    [
        (Attribute.ICE_CONTROLLED, True, "RFC6544-8-02", Inconclusive),
        (Attribute.ICE_CONTROLLED, True, "RFC8445-7.1.2-02", Failed),
        (Attribute.ICE_CONTROLLED, True, "RFC8489-14.5-01", Failed),
        (Attribute.ICE_CONTROLLED, False, "RFC6544-8-02", Failed),
        (Attribute.ICE_CONTROLLING, True, "RFC6544-8-02", Failed),
    ],
)
def test_what_ends_with_a_nomination_of_the_controlled_iut_is_judged_where_that_is(
    role, nominates, cited, outcome
) -> None:
    attributes = [RawAttribute(role, bytes(8))] + [RawAttribute(Attribute.USE_CANDIDATE, b"")] * nominates
    check = build(Method.BINDING, MessageClass.REQUEST, b"transaction:", attributes)
    with pytest.raises(outcome), premises(peer(events=[Frame.of(check, 1, 0.0)]), (cited,)):
        raise Failed("the connection was closed")


@pytest.mark.parametrize(
    ("cited", "outcome"), [("RFC6544-8-02", Inconclusive), ("RFC8445-7.2.5.1-02", Failed), ("RFC4571-2-01", Failed)]
)
def test_what_ends_with_a_nomination_against_ours_is_judged_where_roles_are(cited, outcome) -> None:
    with pytest.raises(outcome), premises(peer(nominated_against_us=True), (cited,)):
        raise Failed("the connection was closed")


@pytest.mark.parametrize(
    ("roles", "controlling", "cited", "outcome"),
    [
        ([Attribute.ICE_CONTROLLED], False, "RFC6544-8-01", Inconclusive),
        ([Attribute.ICE_CONTROLLED], False, "RFC8445-6.1.1-01", Missing),
        ([Attribute.ICE_CONTROLLED], True, "RFC6544-8-01", Missing),
        ([Attribute.ICE_CONTROLLED, Attribute.ICE_CONTROLLING], False, "RFC6544-8-01", Missing),
        ([], False, "RFC6544-8-01", Missing),
    ],
)
def test_an_iut_that_takes_itself_for_controlled_waits_for_a_nomination(roles, controlling, cited, outcome) -> None:
    checks = [
        Frame.of(build(Method.BINDING, MessageClass.REQUEST, b"transaction:", [RawAttribute(role, bytes(8))]), 1, 0.0)
        for role in roles
    ]
    tester = peer(events=checks)
    tester.controlling = controlling
    with pytest.raises(outcome), premises(tester, (cited,)):
        raise Missing("no nomination", wanted=BindingRequest(use_candidate=True))
    with pytest.raises(Missing), premises(tester, (cited,)):
        raise Missing("no check", wanted=BindingRequest())


def test_a_response_to_nothing_is_judged_where_transactions_are() -> None:
    came = [Frame.of(SUCCESS, 1, 0.0)]
    with pytest.raises(Inconclusive, match="answers no request"), premises(peer(events=came), ("RFC6544-7.2-01",)):
        raise Missing("no response")
    with pytest.raises(Inconclusive, match="answers no request"), premises(peer(events=came), ("RFC8489-6.2.2-07",)):
        raise Missing("no response")
    for cited in ("RFC8489-5-06", "RFC8489-6.3.1.2-s01"):
        with pytest.raises(Missing), premises(peer(events=came), (cited,)):
            raise Missing("no response")
    with pytest.raises(Failed, match="too many"), premises(peer(events=came), ("RFC8489-6.2.2-07",)):
        raise Failed("too many responses")


def test_an_assertion_of_a_case_has_the_same_premises() -> None:
    came = [Frame.of(MALFORMED["type"], 1, 0.0)]
    with pytest.raises(Inconclusive, match="it came; but what came"), premises(peer(events=came), ("RFC6544-7.2-01",)):
        assert not came, "it came"
    with pytest.raises(AssertionError), premises(peer(), ("RFC6544-7.2-01",)):
        assert not came, "it came"


def test_an_iut_that_ends_the_connection_is_judged_in_either_role() -> None:
    """Our check came to nothing there, which says nothing about roles."""
    with pytest.raises(Missing), premises(peer(roles="switched", had_success=False, lasted=0.01)):
        raise Missing("no response")
    with pytest.raises(JudgedElsewhere), premises(peer(roles="switched", had_success=False)):
        raise Missing("no response")

"""Random sessions: no lawful one ever fails however it was recorded, and every single violation is found."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from judge_sessions import HARMFUL, HARMLESS, Session, bystander, file_of, packets_of, untimed

from conformance.judge import Known
from conformance.run.judging import judge_file
from conformance.verdict import Verdict
from conformance.wire.attributes import Attribute
from pcaps.golden import scene as s
from pcaps.golden.scene import Scene

BEFORE = "active passive so"
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking whole sessions takes minutes
NUMBERS = itertools.count()


def descriptions(left, right) -> list:
    return [("offer", s.described(left, BEFORE)), ("answer", s.described(right, BEFORE))]


def known_of(scene: Scene, before) -> Known:
    """All that can be known: the descriptions of before and after a restart."""
    after = (scene.left, scene.right)
    return Known.of(descriptions(*before) + (descriptions(*after) if after != before else []))


def kinds_of_knowledge(scene: Scene, before) -> list[Known]:
    whole = known_of(scene, before)
    everyone = [*before, scene.left, scene.right]
    return [
        whole,
        Known(),
        Known.of([description for description in descriptions(*before) if description[0] == "offer"]),
        Known.of([], dict(whole.passwords)),
        Known.of([], {agent.ufrag: "mistyped" * 4 for agent in everyone}),
        replace(whole, only=frozenset({scene.right.ip})),
    ]


def judged(folder, packets, known, link_type=None) -> dict[str, Verdict]:
    path = folder / f"session{next(NUMBERS)}"
    path.write_bytes(file_of(packets, link_type))
    try:
        return {j.rule.name: j for j in judge_file(path, known).judgements}
    finally:
        path.unlink()


def failures(found) -> dict[str, list[str]]:
    return {name: [o.reason for o in j.broken] for name, j in found.items() if j.verdict is Verdict.FAIL}


@settings(max_examples=50, deadline=None, phases=PHASES)
@given(st.data(), st.booleans())
def test_a_lawful_session_passes(tmp_path_factory, data, ipv6) -> None:
    scene = Scene("lawful", ipv6=ipv6)
    before = scene.left, scene.right
    others = data.draw(st.lists(st.integers(0, 4), unique=True)) if not ipv6 else []
    for number in others:
        bystander(scene, number)
    Session(scene, data.draw).whole()
    packets = packets_of(scene)
    for distort in data.draw(st.lists(st.sampled_from(HARMLESS), unique=True)):
        packets = distort(packets, data.draw)
    found = judged(tmp_path_factory.getbasetemp(), packets, known_of(scene, before))
    doubts = {name: [o.reason for o in j.unclear] for name, j in found.items() if j.verdict is Verdict.INCONC}
    assert failures(found) == {}
    assert doubts == {}
    assert sum(j.verdict is Verdict.PASS for j in found.values()) >= 15


@settings(max_examples=120, deadline=None, phases=PHASES)
@given(st.data())
def test_a_lawful_session_never_fails_however_it_was_recorded(tmp_path_factory, data) -> None:
    scene = Scene("lawful")
    before = scene.left, scene.right
    for number in data.draw(st.lists(st.integers(0, 4), unique=True)):
        bystander(scene, number)
    Session(scene, data.draw).whole()
    packets = packets_of(scene)
    distorted = data.draw(st.lists(st.sampled_from(HARMFUL), unique=True, max_size=3))
    for distort in sorted(distorted, key=lambda distort: distort is untimed):  # with the times any order gets lost
        packets = distort(packets, data.draw)
    known = data.draw(st.sampled_from(kinds_of_knowledge(scene, before)))
    wrong = failures(judged(tmp_path_factory.getbasetemp(), packets, known))
    assert not wrong, f"{wrong} {[d.__name__ for d in distorted]}"


# -- one violation each ------------------------------------------------------------------------------------------------


def ends(link, agent):
    return link.client if link.client.ip == agent.ip else link.server


def sent_again(session, link, one, other) -> None:
    request = session.scene.check(one, other)
    for _ in range(2):
        session.scene.transact(link, one, other, request)


def id_used_again(session, link, one, other) -> None:
    same = session.scene.transaction()
    for software in (b"one", b"other"):
        session.check(link, one, other, transaction=same, values={Attribute.SOFTWARE: software})


def response_without(*without):
    def write(session, link, one, other) -> None:
        request = session.scene.check(one, other)
        session.say(link, one, request)
        session.say(link, other, session.scene.success(request, other, ends(link, one), without=without))

    return write


def unasked(session, link, one, other) -> None:
    session.say(link, other, session.scene.success(session.scene.check(one, other), other, ends(link, one)))


def wrong_port(session, link, one, other) -> None:
    request = session.scene.check(one, other)
    session.say(link, one, request)
    session.say(link, other, session.scene.success(request, other, one.at(9)))


def controlled_nominates(session, link, one, other) -> None:
    session.check(link, one, other, controlling=False, nominate=True)


def wrong_name(session, link, one, other) -> None:
    session.say(link, one, session.scene.check(one, other, username=other.ufrag))


def wrong_key(session, link, one, other) -> None:
    session.say(link, one, session.scene.check(one, other, password=one.pwd))


def without_fingerprint(session, link, one, other) -> None:
    session.check(link, one, other, without=(Attribute.FINGERPRINT,))


def unframed(octets):
    def write(session, link, one, other) -> None:
        link.send(ends(link, one), octets or session.scene.check(one, other))

    return write


def to_active(session, link, one, other) -> None:
    session.scene.connection(one.at(44444), other.at(9)).open(answered=False, refused=session.chance())


def active_to_so(session, link, one, other) -> None:
    session.scene.connection(one.at(44444), other.at(other.so)).open(refused=True)


def second_connection(session, link, one, other) -> None:
    scene = session.scene
    again = scene.connection(replace(link.client, port=44444), link.server).open()
    agents = {scene.left.ip: scene.left, scene.right.ip: scene.right}
    client, server = agents[link.client.ip], agents[link.server.ip]
    session.check(again, client, server)
    session.check(link, client, server)


def counted_ids(session, link, one, other) -> None:
    for number in range(8):  # beside random ones, so that they are enough to tell
        session.check(link, one, other, transaction=bytes(11) + bytes([number]))


ANY_TIME = {
    sent_again: "check_is_not_retransmitted",
    id_used_again: "transaction_ids_are_unique",
    response_without(Attribute.FINGERPRINT): "success_has_fingerprint",
    response_without(Attribute.MESSAGE_INTEGRITY): "success_has_integrity",
    response_without(Attribute.XOR_MAPPED_ADDRESS): "success_has_the_mapped_address",
    unasked: "response_answers_a_request",
    wrong_port: "success_has_the_mapped_address",
    controlled_nominates: "only_the_controlling_agent_nominates",
    wrong_name: "check_has_the_user_name",
    wrong_key: "check_has_integrity",
    without_fingerprint: "check_has_fingerprint",
    unframed(b""): "_connection_is_framed",
    unframed(s.TLS_HELLO): "_connection_is_framed",
    unframed(s.BARE_DTLS_HELLO): "_connection_is_framed",
    to_active: "connection_is_to_a_candidate_that_accepts",
    active_to_so: "connection_is_to_a_candidate_that_accepts",
    second_connection: "pair_has_one_connection",
}


def early_media(session, link, one, other) -> None:
    session.say(link, one, s.RTP)


def early_dtls(session, link, one, other) -> None:
    session.say(link, one, s.DTLS_HELLO)


def early_nomination(session, link, one, other) -> None:
    session.check(link, *session.roles(), nominate=True)


def without_priority(session, link, one, other) -> None:
    session.check(link, one, other, without=(Attribute.PRIORITY,))


def without_role(session, link, one, other) -> None:
    session.check(link, one, other, without=(Attribute.ICE_CONTROLLED, Attribute.ICE_CONTROLLING))


def with_both_roles(session, link, one, other) -> None:
    session.check(link, one, other, both_roles=True, controlling=True)


FIRST = {
    early_media: "media_waits_for_a_success",
    early_dtls: "dtls_waits_for_ice",
    early_nomination: "nomination_follows_a_success",
    without_priority: "check_has_its_attributes",
    without_role: "check_has_its_attributes",
    with_both_roles: "check_has_its_attributes",
}
VIOLATIONS = [*((True, write, rule) for write, rule in FIRST.items()), *((False, *one) for one in ANY_TIME.items())]


@pytest.mark.parametrize(
    ("first", "write", "rule"), VIOLATIONS, ids=[f"{write.__name__}-{rule}" for _, write, rule in VIOLATIONS]
)
@settings(max_examples=8, deadline=None, phases=PHASES)
@given(st.data())
def test_a_violation_is_found_wherever_it_is(tmp_path_factory, first, write, rule, data) -> None:
    scene = Scene("broken")
    before = scene.left, scene.right
    session = Session(scene, data.draw)
    link = session.open(so=write is not second_connection)
    agents = before if session.chance() else before[::-1]
    if first:
        write(session, link, *agents)
    session.validate(link)
    session.nominate(link)
    session.talk(link)
    if not first:
        write(session, link, *agents)
    if write.__name__ != "write" or "framed" not in rule:
        session.talk(link)
    link.end(link.client)
    packets = packets_of(scene)
    for distort in data.draw(st.lists(st.sampled_from(HARMLESS), unique=True)):
        packets = distort(packets, data.draw)
    found = failures(judged(tmp_path_factory.getbasetemp(), packets, known_of(scene, before)))
    assert [name for name in found if name.endswith(rule)], found
    assert len(found) == 1, found

"""What an IUT may answer: judged from the octets, by clause, and never against a lawful agent."""

import pytest

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.stun import MessageClass, Method, build
from fuzz.judging.expect import Expected, View, expect
from fuzz.judging.oracle import judge, judge_media
from fuzz.judging.symptom import Symptom
from fuzz.player.render import Env, frame, message, refusal, request

PWD = "iutiutiutiutiutiutiutiut"
TIES = {"least": "00*8", "most": "ff*8"}


def view(**more) -> View:
    return View(ufrag="iutu", peer="tstr", key=PWD.encode(), iut_controlling=False, **more)


def octets(spec=None, **change) -> bytes:
    env = Env("tstr", "testertestertestertester", True)
    env.learn("iutu", PWD)
    return message({**(spec or request()), **change}, env)


def without(kind):
    spec = request()
    spec["attributes"] = [one for one in spec["attributes"] if one["type"] != kind]
    return spec


def changed(kind, **change):
    spec = request()
    for one in spec["attributes"]:
        if one["type"] == kind:
            one.update(change)
    return spec


def behind(kind):
    spec = request()
    spec["attributes"].insert(4, {"type": kind, "value": ""})
    return spec


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (octets(), Expected.SUCCESS),
        (b"\x80rtp" * 9, Expected.NOTHING_STUN),
        (b"", Expected.NOTHING_STUN),
        (octets(cookie=7), Expected.NOTHING_STUN),
        (octets(type=0x0011), Expected.MUTE),
        (octets(type=0x0101), Expected.MUTE),
        (octets(type=0x0003), Expected.NO_SUCCESS),
        (octets(delta=4), Expected.NO_SUCCESS),
        (octets(delta=-4), Expected.ANY),
        (octets(changed(6, length=900)), Expected.NO_SUCCESS),
        (octets(changed(0x8028, value="$fingerprint:wrong")), Expected.NOTHING_STUN),
        (octets(without(0x8028)), Expected.ANY),
        (octets(without(8)), Expected.ERROR),
        (octets(changed(8, value="$integrity:wrong")), Expected.ERROR),
        (octets(changed(8, value="00*4")), Expected.UNPROTECTED),
        (octets(without(6)), Expected.ERROR),
        (octets(changed(6, value="$resu")), Expected.ERROR),
        (octets(request({"type": 0x7001, "value": ""})), Expected.UNKNOWN),
        (octets(request({"type": 0x0020, "value": ""})), Expected.ANY),  # some know it, some do not
        (octets(request({"type": 0x9001, "value": "41*9"})), Expected.SUCCESS),
        (octets(behind(0x7001)), Expected.SUCCESS),
        (octets(without(0x24)), Expected.ANY),
        (octets(changed(0x24, value="00*3")), Expected.ANY),
        (octets(changed("$role", type="$antirole", value=TIES["most"])), Expected.CONFLICT),
        (octets(changed("$role", type="$antirole", value=TIES["least"])), Expected.ANY),
    ],
)
def test_what_may_come_back(payload, wanted):
    assert expect(payload, view()) is wanted


def test_lenient_where_not_all_is_known():
    conflict = octets(changed("$role", type="$antirole", value=TIES["most"]))
    assert expect(conflict, view(roles_clear=False)) is Expected.ANY
    assert expect(octets(), view(early=True)) is Expected.ANY
    assert expect(octets(without(8)), view(early=True)) is Expected.UNPROTECTED
    assert expect(octets(without(8)), view(unsure=True)) is Expected.ANY


class FakeLink:
    """A connection as the player leaves it."""

    local = ("127.0.0.1", 5000)
    component = 1
    number = 0

    def __init__(self, *payloads, answers=(), closed="", ended=""):
        self.sent = b"".join(len(one).to_bytes(2, "big") + one for one in payloads)
        self.answers = {}
        for answer in answers:
            self.answers.setdefault(answer[8:20], []).append(answer)
        self.closed, self.ended = closed, ended


class FakeOutcome:
    def __init__(self, connection, probe=None, answered=True):
        self.connections, self.checks = [connection], set()
        self.asked, self.controlling = b"", None
        self.probes = [] if probe is None else [(connection, probe[8:20], answered)]


KEY = PWD.encode()


def answer(payload, *more, code=0, key=KEY, address="127.0.0.1", port=5000, **protections):
    identity = payload[8:20]
    if code:
        body = (attr.error_code(code, "no"), *more)
        return build(Method.BINDING, MessageClass.ERROR, identity, body, key=key, **protections)
    mapped = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, Address(address, port), identity)
    return build(Method.BINDING, MessageClass.SUCCESS, identity, (mapped, *more), key=key, **protections)


def symptoms(*payloads, answers=(), probe=None, answered=True, **connection) -> list[tuple[str, str]]:
    outcome = FakeOutcome(FakeLink(*payloads, answers=answers, **connection), probe, answered)
    return [(one.kind, one.cause) for one in judge(outcome, view())]


def numbered(number: int, spec=None) -> bytes:
    return octets({**(spec or request()), "id": f"{number:02x}*12"})


def test_a_right_answer_is_right():
    check = octets()
    assert symptoms(check, answers=[answer(check)], probe=check) == []


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (lambda check: answer(check, port=5001), ("wrong response", "XOR-MAPPED-ADDRESS")),
        (lambda check: answer(check, key=b"x"), ("wrong response", "MESSAGE-INTEGRITY")),
        (lambda check: answer(check, code=400), ("refused", "error 400")),
        (lambda check: answer(check)[:-3], ("malformed response", "the length says 44 octets, 41 follow the header")),
    ],
)
def test_a_wrong_answer_to_a_valid_check(made, found):
    check = octets()
    assert symptoms(check, answers=[made(check)]) == [found]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (without(8), ("answered", "ERROR success")),
        (request({"type": 0x7001, "value": ""}), ("answered", "UNKNOWN success")),
        ({**request(), "type": 0x0011}, ("answered", "MUTE")),
        (changed(0x8028, value="$fingerprint:wrong"), ("answered", "NOTHING_STUN success")),
    ],
)
def test_success_where_none_may_be(spec, found):
    sent = octets(spec)
    assert symptoms(sent, answers=[answer(sent)]) == [found]


def test_the_errors_that_are_asked_for_are_right():
    for spec, code in ((without(8), 400), (changed(8, value="$integrity:wrong"), 401)):
        sent, probe = octets({**spec, "id": "01*12"}), numbered(2)
        assert symptoms(sent, probe, answers=[answer(sent, code=code), answer(probe)], probe=probe) == []


def test_silence_counts_only_where_an_answer_must_come_and_the_iut_went_on():
    missing, probe = numbered(1, without(8)), numbered(2)
    assert symptoms(missing, probe, answers=[answer(probe)], probe=probe) == [("silence", "ERROR")]
    assert symptoms(missing) == []
    broken = numbered(1, changed(6, length=900))
    assert symptoms(broken, probe, answers=[answer(probe)], probe=probe) == []


def test_deaf_and_closed():
    probe = numbered(2)
    assert symptoms(b"", probe, probe=probe, answered=False) == [("deaf", "connection")]
    assert symptoms(b"", probe, probe=probe, answered=False, closed="fin") == [("closed", "connection")]
    assert symptoms(b"\x80", probe, probe=probe, answered=False, closed="fin") == []  # it may not like media yet
    assert symptoms(probe, probe=probe, answered=False, ended="stuck") == []


def test_after_a_pair_was_selected_other_connections_are_the_agents_to_close_or_to_leave():
    """RFC 6544 section 8: it SHOULD close them."""
    probe = numbered(2)

    def seen(*payloads, number=0, closed="", concluded=True):
        connection = FakeLink(*payloads, probe, closed=closed)
        connection.number = number
        return [one.kind for one in judge(FakeOutcome(connection, probe, answered=False), view(concluded=concluded))]

    assert seen(closed="fin", number=1) == []
    assert seen(number=1) == []
    assert seen(closed="fin") == []  # section 11.1: it may close the selected one, too
    assert seen() == ["deaf"]
    assert seen(closed="fin", concluded=False) == ["closed"]
    nomination = numbered(1, request({"type": 0x25, "value": ""}))
    assert seen(nomination, closed="fin", concluded=False) == []


def test_answers_to_nothing_and_answers_twice():
    check, other = numbered(1), numbered(9)
    assert symptoms(check, answers=[answer(check), answer(other)]) == [("unasked", "response")]
    assert symptoms(check, answers=[answer(check), answer(check)]) == [("answered twice", "response")]


def test_unknown_attributes_lists_only_what_was_there():
    sent = octets(request({"type": 0x7001, "value": ""}))
    listing = [RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, bytes.fromhex(text)) for text in ("7001", "7001dead")]
    assert symptoms(sent, answers=[answer(sent, listing[0], code=420)]) == []
    assert symptoms(sent, answers=[answer(sent, listing[1], code=420)]) == [
        ("uninitialised octets", "UNKNOWN-ATTRIBUTES")
    ]


def test_octets_of_the_request_that_are_taken_for_a_type_are_misread_not_uninitialised():
    sent = octets(changed("$role", value="41*9"))
    listing = RawAttribute(Attribute.UNKNOWN_ATTRIBUTES, bytes.fromhex("4100"))
    assert symptoms(sent, answers=[answer(sent, listing, code=420)]) == [("wrong response", "UNKNOWN-ATTRIBUTES")]


def test_a_late_answer_is_not_held_to_be_that_to_a_response_of_the_same_id():
    """An id of the IUT's, used for a request of ours in one case and for a response in the next."""
    spec = {**request({"type": 0x7001, "value": ""}), "id": "09*12"}
    asked, response = octets(spec), octets({**refusal(400), "id": "09*12"})
    late = answer(asked, code=420)
    seen = view()
    assert judge(FakeOutcome(FakeLink(asked)), seen) == []
    assert judge(FakeOutcome(FakeLink(response, answers=[late])), seen) == []
    assert [one.cause for one in judge(FakeOutcome(FakeLink(response, answers=[late])), view())] == ["MUTE"]


def test_only_what_may_be_a_487_makes_roles_unclear():
    for code, clear in ((400, True), (401, True), (487, False), (587, True)):
        seen = view()
        judge(FakeOutcome(FakeLink(octets(refusal(code)))), seen)
        assert seen.roles_clear is clear
    seen = view()
    judge(FakeOutcome(FakeLink(octets({**refusal(400), "delta": 4}))), seen)
    assert not seen.roles_clear  # who is generous with lengths may read anything


def test_who_has_been_asked_for_its_role_is_judged_by_it():
    asked, check = numbered(1, changed("$role", type=0x802A, value="00*8")), numbered(2)
    for controlling, code in ((False, 487), (True, 0)):
        outcome = FakeOutcome(
            FakeLink(asked, check, answers=[answer(asked, code=code), answer(check, code=487)]), check
        )
        outcome.asked, outcome.controlling, outcome.checks = asked, controlling, {asked, check}
        seen = view(roles_clear=False)
        assert [(one.kind, one.cause) for one in judge(outcome, seen)] == [("refused", "error 487")]
        assert seen.roles_clear
        assert seen.iut_controlling is not controlling


def test_media_must_be_a_frame_of_its_component():
    seen = view(media={1: {b"one"}, 2: {b"two"}})
    assert judge_media([(1, b"one"), (2, b"two")], seen) == []
    assert [one.kind for one in judge_media([(1, b"two"), (1, b"onetwo")], seen)] == [
        "wrong component",
        "media never sent",
    ]
    assert all(isinstance(one, Symptom) for one in judge_media([(1, b"x")], seen))


def test_a_mutant_that_has_the_id_of_a_valid_check_is_judged_as_what_it_is():
    """It is not taken for the check of that id, to which an answer is due."""
    check = numbered(1)
    mutant, probe = check[:-2] + b"\0\0", numbered(2)
    outcome = FakeOutcome(FakeLink(mutant, probe, answers=[answer(probe)]), probe)
    outcome.checks = {check, probe}
    assert judge(outcome, view()) == []


@pytest.mark.parametrize(
    "extra",
    [
        {"type": 0x8022, "value": "41*764"},  # longer than SOFTWARE may be
        {"type": 0x8022, "value": "ff*9"},  # no UTF-8
        {"type": 0x8004, "value": ""},  # ICMP of TURN, which has a size
        {"type": 0xC057, "value": ""},
        {"type": 0x000A, "value": "70"},  # UNKNOWN-ATTRIBUTES of an odd size
    ],
)
def test_an_agent_may_mind_what_another_registry_has_given_a_meaning(extra):
    assert expect(octets(request(extra)), view()) is Expected.ANY
    assert (
        expect(octets(request(extra, {"type": 0x7001, "value": ""})), view()) is Expected.ANY
    )  # or it is malformed to them
    unsigned = without(8)
    unsigned["attributes"].insert(0, extra)
    assert expect(octets(unsigned), view()) is Expected.UNPROTECTED


def test_frames_are_cut_from_the_octets_that_were_sent():
    check = octets()
    connection = FakeLink()
    connection.sent = frame({"octets": "41*3", "length": 9}, Env("a", "b", True)) + b"\0\0"
    assert judge(FakeOutcome(connection, check, answered=False), view()) == []

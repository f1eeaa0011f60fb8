"""Properties in process: our own codec, oracle and words against anything that the strategies can think of."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from conformance.iut import stacks
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_fingerprint, check_integrity
from conformance.wire.rfc4571 import Deframer
from conformance.wire.rfc4571 import frame as framed
from conformance.wire.stun import Message, looks_like_stun
from fuzz import strategies
from fuzz.campaign.iut import starter
from fuzz.describe import words
from fuzz.generate import SERVED
from fuzz.judging.expect import Expected, View, expect
from fuzz.judging.reading import FINGERPRINT, INTEGRITY, authentic, fingerprinted
from fuzz.judging.runner import Runner
from fuzz.player.reading import frames, walk
from fuzz.player.render import pieces, request
from fuzz.player.steps import PLAN

# Long values are the point of some mutations; that their texts are long is no fault.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FRAMED = strategies.octets().map(lambda octets: octets[:0xFFFF]) | st.binary(max_size=300)  # what a frame can hold
KEY = b"iutiutiutiutiutiutiutiut"
PARTS = (
    "username",
    "priority",
    "ice_controlling",
    "xor_mapped_address",
    "error_code",
    "unknown_attributes",
    "software",
)


@QUICK
@given(FRAMED)
def test_the_codec_reads_or_refuses_and_writes_what_it_read(octets):
    looks_like_stun(octets)
    check_integrity(octets, KEY)
    check_fingerprint(octets)
    try:
        read = Message.decode(octets)
    except StunError:
        return
    assert read.encode() == octets
    for part in PARTS:
        try:
            getattr(read, part)
        except StunError:
            continue


@QUICK
@given(FRAMED)
def test_in_few_steps_a_message_reads_as_the_codec_reads_it(octets):
    walked = walk(octets)
    try:
        read = Message.decode(octets)
    except StunError:
        assert walked is None
        return
    assert walked is not None
    kinds, places, values = walked
    assert [(one.type, one.offset, one.value) for one in read.attributes] == list(
        zip(kinds, places, values, strict=True)
    )
    for kind, holds, verdict in (
        (INTEGRITY, lambda *of: authentic(octets, *of, KEY), check_integrity(octets, KEY)),
        (FINGERPRINT, lambda *of: fingerprinted(octets, *of), check_fingerprint(octets)),
    ):
        if kind in kinds:
            first = kinds.index(kind)
            assert holds(places[first], values[first]) is (verdict is Check.VALID)
        else:
            assert verdict is Check.ABSENT


@QUICK
@given(st.lists(FRAMED, max_size=4), st.binary(max_size=5))
def test_in_few_steps_a_stream_falls_into_the_frames_of_the_codec(payloads, rest):
    stream = b"".join(map(framed, payloads)) + rest
    deframer = Deframer()
    assert frames(stream) == (deframer.feed(stream), deframer.at_boundary)


@QUICK
@given(FRAMED)
def test_success_is_only_ever_asked_for_where_the_request_is_authentic(octets):
    view = View(ufrag="iutu", peer="tstr", key=KEY, iut_controlling=False)
    if expect(octets, view) in (Expected.SUCCESS, Expected.UNKNOWN, Expected.CONFLICT):
        assert check_integrity(octets, KEY) is Check.VALID
        assert check_fingerprint(octets) is Check.VALID


@QUICK
@given(strategies.cases())
def test_cases_have_words_and_stay_plain_data(case):
    assert words(json.loads(json.dumps(case))) == words(case)


@QUICK
@given(st.lists(st.binary(max_size=40), max_size=5), st.lists(st.integers(-60, 200), max_size=8))
def test_however_a_stream_is_cut_its_frames_are_the_same(payloads, cuts):
    whole = b"".join(len(one).to_bytes(2, "big") + one for one in payloads)
    deframer = Deframer()
    assert [frame for piece in pieces(whole, cuts) for frame in deframer.feed(piece)] == payloads


class Conversation(RuleBasedStateMachine):
    """A session with a healthy agent, any messages in any order: it lives, and does nothing that no clause allows."""

    runner: Runner

    @initialize(state=st.sampled_from(["fresh", "checked"]), side=st.sampled_from(["offerer", "answerer"]))
    def begin(self, state, side):
        self.session = self.runner.session({**PLAN, "state": state, "side": side})
        self.found = []

    def play(self, *steps):
        self.found += self.session.play({"steps": list(steps)})
        if not self.session.answered:
            self.found += self.runner.health(self.session)

    @rule(message=strategies.messages(), on=st.integers(0, 2))
    def say(self, message, on):
        self.play({"do": "send", "on": on, "frames": [{"message": message}], "probe": True})

    @rule(octets=st.binary(max_size=60), on=st.integers(0, 2))
    def frame(self, octets, on):
        self.play({"do": "send", "on": on, "frames": [{"octets": octets.hex()}], "probe": True})

    @rule(cuts=st.lists(st.integers(1, 90), min_size=1, max_size=3))
    def cut(self, cuts):
        self.play({"do": "send", "on": 1, "frames": [{"message": request()}], "cuts": cuts, "probe": True})

    @rule(octets=st.binary(min_size=1, max_size=20), how=st.sampled_from(["half", "rst", "closed"]))
    def end(self, octets, how):
        self.play({"do": "raw", "on": 1, "octets": octets.hex()}, {"do": "end", "on": 1, "how": how})

    @rule(octets=st.binary(max_size=60), stop=st.integers(1, 80), on=st.integers(1, 2))
    def in_parts(self, octets, stop, on):
        frames = [{"message": request()}, {"octets": octets.hex()}]
        between = {"do": "send", "on": 3 - on, "frames": [{"octets": octets.hex()}], "probe": True}
        part = {"do": "send", "on": on, "frames": frames, "stop": stop}
        self.play(part, between, {"do": "rest", "on": on, "probe": True}, SERVED)

    @rule(on=st.integers(0, 2), how=st.sampled_from([None, "half", "rst"]))
    def nominate(self, on, how):
        nomination = request({"type": 0x25, "value": ""})
        ends = [] if how is None or on == 0 else [{"do": "end", "on": on, "how": how}]
        self.play({"do": "send", "on": on, "frames": [{"message": nomination}], "probe": True}, *ends)

    @rule()
    def describe_again(self):
        self.play({"do": "accept"})

    @invariant()
    def nothing_is_wrong(self):
        assert getattr(self, "found", []) == []

    def teardown(self):
        if hasattr(self, "session"):
            self.session.close()


def test_a_conversation_in_any_order():
    Conversation.runner = Runner(starter(stacks.resolve("reference")))
    try:
        Conversation.runner.calibrate(PLAN)
        run = Conversation.TestCase
        run.settings = settings(
            max_examples=15, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        )
        run().runTest()
    finally:
        Conversation.runner.close()

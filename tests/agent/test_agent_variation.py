"""A variation says the same differently: what it changes, and that it stays lawful."""

from __future__ import annotations

import dataclasses

import pytest
from agent_simulation import Network

from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import Rejected, State
from conformance.agent.rewriting import rewrite
from conformance.agent.variation import NAMES, USUAL, Variation, read
from conformance.wire.attributes import Attribute
from conformance.wire.candidate import Candidate
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import Message

OFFER = "".join(
    f"{line}\r\n"
    for line in (
        "v=0",
        "o=- 1 1 IN IP6 2001:db8::1",
        "s=-",
        "t=0 0",
        "a=ice-options:ice2",
        "a=ice-pacing:50",
        "m=audio 9 TCP/RTP/AVP 0",
        "c=IN IP6 2001:db8::1",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=candidate:1 1 TCP 2128609279 2001:db8::1 9 typ host tcptype active",
        "a=candidate:1 1 TCP 2124414975 2001:db8::1 5000 typ host tcptype passive",
        "a=setup:active",
        "a=connection:new",
    )
)


def play(variation):
    """Let a varied agent complete with a usual one and send data; return both, and what went over the network."""
    network = Network()
    streams = (StreamPlan(Media.BYTES, 1),)
    times = {name: getattr(variation, name) for name in ("settling", "decision", "pacing", "grace")}
    one = network.host(offerer=True, addresses=["10.0.0.1"], streams=streams, variation=variation, **times)
    two = network.host(offerer=False, addresses=["10.0.0.2"], streams=streams)
    sent = []
    network.cut = lambda octets: sent.append(octets) or [octets]
    network.exchange(one, two)
    network.run(4)
    one.tell("send", 1, b"\x80" * 100)
    network.run(2)
    return one, two, sent


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "no object"),
        ({"no_such": 1}, "nothing called 'no_such'"),
        ({"null_frames": 3}, "null_frames is no number from 0 to 2"),
        ({"null_frames": True}, "null_frames is no number"),
        ({"ufrag": 4.5}, "ufrag is no number"),
        ({"delay": "0"}, "delay is no number"),
        ({"shuffle_message": 1}, "neither true nor false"),
    ],
)
def test_what_is_no_variation_is_refused(value, problem):
    with pytest.raises(ValueError, match=problem):
        read(value)


def test_every_variation_has_its_range_and_its_meaning():
    assert read(None) is USUAL
    assert read({"delay": 0, "ufrag": 4}) == Variation(delay=0, ufrag=4)
    for name, item in NAMES.items():
        assert item.metadata["what"]
        if not isinstance(item.default, bool):
            assert item.metadata["low"] <= item.default <= item.metadata["high"], name


@pytest.mark.parametrize(
    ("variation", "there", "gone"),
    [
        (Variation(session_credentials=True), "a=ice-pwd:0123456789012345678901\r\nm=", ""),
        (Variation(session_setup=True), "a=setup:active\r\na=connection:new\r\nm=", ""),
        (Variation(lower_transport=True), "1 tcp 2128609279", " TCP "),
        (Variation(capital_types=True), "typ HOST tcptype PASSIVE\r\n", "tcptype passive"),
        (Variation(extensions=2), "typ host tcptype passive generation 0 network-id 1\r\n", ""),
        (Variation(unknown_attributes=2), "a=x-lawful1:1 and more\r\n", ""),
        (Variation(more_lines=True), "s=-\r\ni=a session\r\nu=", ""),
        (Variation(no_pacing=True), "a=ice-options", "ice-pacing"),
        (Variation(long_addresses=True), "c=IN IP6 2001:0DB8:0000:0000:0000:0000:0000:0001\r\n", "2001:db8::1"),
        (Variation(reverse_candidates=True), "tcptype passive\r\na=candidate:1 1 TCP 2128609279", ""),
    ],
)
def test_a_description_says_the_same_differently(variation, there, gone):
    text = rewrite(OFFER, variation)
    assert there in text
    assert not gone or gone not in text
    usual, varied = SessionDescription.parse(OFFER), SessionDescription.parse(text)
    assert {(c.port, c.tcptype.lower(), c.priority) for c in varied.media[0].candidates} == {
        (c.port, c.tcptype.lower(), c.priority) for c in usual.media[0].candidates
    }
    for name in ("ufrag", "pwd", "setup", "connection"):
        assert getattr(varied.media[0], name) == getattr(usual.media[0], name)


def test_attributes_are_shuffled_within_their_level():
    text = rewrite(OFFER, Variation(seed=1, shuffle_attributes=True))
    assert text != OFFER
    assert sorted(text.splitlines()) == sorted(OFFER.splitlines())
    session, media = text.split("m=")
    assert "ice-ufrag" not in session
    assert media.index("c=") < media.index("a=")


def test_a_foundation_gets_as_long_as_asked():
    foundations = {
        Candidate.parse(line[2:]).foundation
        for line in rewrite(OFFER, Variation(foundation=32)).splitlines()
        if line.startswith("a=candidate")
    }
    assert [len(foundation) for foundation in foundations] == [32]


@pytest.mark.parametrize(
    "variation",
    [
        Variation(),
        Variation(ufrag=32, pwd=256, software=128, more_attributes=4, shuffle_message=True, indication=True),
        Variation(listeners=2, type_preference=0, directions=5, other=0),
        Variation(segments=1, null_frames=2, portion=1, software=0),
        Variation(settling=0.6, decision=1.0, pacing=0.2, grace=0.0),
    ],
    ids=["usual", "messages", "candidates", "frames", "times"],
)
def test_a_varied_agent_still_completes_and_sends(variation):
    one, two, _ = play(variation)
    assert b"".join(two.data[0, 1]) == b"\x80" * 100
    assert one.agent.state == two.agent.state == State.COMPLETED


def test_what_a_message_may_have_it_has():
    _, _, sent = play(Variation(software=0, more_attributes=4, shuffle_message=True, seed=3))
    octets = next(octets for octets in sent if b"\xc0\xde" in octets)
    message = Message.decode(octets[2:])
    types = [attribute.type for attribute in message.attributes]
    assert types[-2:] == [Attribute.MESSAGE_INTEGRITY, Attribute.FINGERPRINT]
    assert Attribute.SOFTWARE not in types
    assert {0xC0DE, 0x8055, 0xFF00, 0xC057} <= set(types)


def test_frames_are_divided_and_surrounded():
    _, _, sent = play(Variation(segments=3, null_frames=2))
    assert {3} <= {len(octets) for octets in sent}
    assert any(octets.startswith(b"\0\0\0") for octets in sent)


def test_candidates_are_worth_what_was_asked_and_unique():
    one, _, _ = play(Variation(listeners=2, type_preference=5, directions=5, other=0))
    candidates = [
        c for c in SessionDescription.parse(one.agent._exchange.described).media[0].candidates if c.type == "host"
    ]
    assert [c.tcptype for c in candidates].count("passive") == 2
    assert {c.type_preference for c in candidates} == {5}
    assert {c.direction_preference for c in candidates} == {7, 0}
    assert len({c.priority for c in candidates}) == len(candidates)


def test_lines_end_with_lf_alone_and_a_disabled_section_comes_behind():
    one, two, _ = play(Variation(line_feeds=True, second_section=True))
    assert "\r" not in one.agent._exchange.described
    assert [media.port for media in SessionDescription.parse(one.agent._exchange.described).media][1:] == [0]
    assert [media.port for media in SessionDescription.parse(two.agent._exchange.described).media][1:] == [0]
    assert b"".join(two.data[0, 1]) == b"\x80" * 100


def test_an_answer_without_the_second_section_is_refused():
    network = Network()
    one = network.host(offerer=True, variation=Variation(second_section=True))
    offer = one.describe()
    two = network.host(offerer=False, addresses=["10.0.0.2"])
    two.tell("accept", "offer", offer[: offer.index("m=video")])
    with pytest.raises(Rejected, match="the answer has 1 media sections, the offer 2"):
        one.tell("accept", "answer", two.describe())


def test_the_usual_variation_changes_nothing():
    assert dataclasses.asdict(USUAL) == {name: item.default for name, item in NAMES.items()}
    assert rewrite(OFFER, USUAL) == OFFER


def test_credentials_are_shared_overridden_and_accompanied() -> None:
    said = rewrite(OFFER, Variation(overridden_credentials=True, more_options=True))
    description = SessionDescription.parse(said)
    assert description.media[0].ufrag == "abcd"
    assert description.attributes("ice-ufrag") == ["overridden"]
    assert description.attributes("ice-options") == ["ice2 rtp+ecn x-lawful"]


def test_streams_may_share_their_credentials_also_in_a_restart() -> None:
    network = Network()
    streams = (StreamPlan(Media.BYTES, 1), StreamPlan(Media.BYTES, 1))
    one = network.host(
        offerer=True, addresses=["10.0.0.1"], streams=streams, variation=Variation(shared_credentials=True)
    )
    two = network.host(offerer=False, addresses=["10.0.0.2"], streams=streams)
    network.exchange(one, two)
    network.run(4)
    before = {stream.ufrag for stream in one.agent._streams}
    one.tell("restart")
    after = {stream.ufrag for stream in one.agent._streams}
    assert (len(before), len(after), len(before | after)) == (1, 1, 2)

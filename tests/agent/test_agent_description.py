"""Offers and answers of the agent."""

from __future__ import annotations

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import Media, StreamPlan
from conformance.wire.attributes import Address
from conformance.wire.sdp import SessionDescription

# RFC 4145 section 4.1
TABLE = {"active": {"passive", "holdconn"}, "passive": {"active", "holdconn"}, "holdconn": {"holdconn"}}
TABLE["actpass"] = {"active", "passive", "holdconn"}


def offer(**more):
    return SessionDescription.parse(Network().host(offerer=True, **more).describe())


def answer(text, **more):
    host = Network().host(offerer=False, **more)
    host.tell("accept", "offer", text)
    return SessionDescription.parse(host.describe())


def peer_offer(**more):
    return Peer("", "").description(Peer.passive(Address("10.0.0.9", 77)), Peer.active, **more)


def test_offer_has_an_active_default_that_is_a_candidate():
    sdp = offer()
    media = sdp.media[0]
    assert (media.setup, media.connection, media.port, media.proto) == ("active", "new", 9, "TCP")
    assert "ice2" in media.ice_options
    assert sdp.attribute("ice-pacing") == "50"
    assert (media.connection_address, media.port) in {(c.address, c.port) for c in media.candidates}
    assert all(c.is_tcp and c.tcptype_in_place for c in media.candidates)


def test_passive_only_offer():
    media = offer(tcptypes=frozenset({"passive"})).media[0]
    assert media.setup == "passive"
    assert media.port == media.candidates[0].port != 9


@pytest.mark.parametrize("tcptypes", [{"active"}, {"passive"}, {"active", "passive"}])
@pytest.mark.parametrize("offered", ["active", "passive", "actpass", "holdconn", "nonsense"])
def test_answers_setup_keeps_to_rfc_4145(offered, tcptypes):
    media = answer(peer_offer(setup=offered), tcptypes=frozenset(tcptypes)).media[0]
    assert media.setup in TABLE.get(offered, TABLE["active"])
    assert media.setup == "holdconn" or media.setup in tcptypes
    assert media.connection == "new"
    assert (media.connection_address, media.port) in {(c.address, c.port) for c in media.candidates}


@pytest.mark.parametrize("components", [1, 2])
def test_rtp_lines(components):
    media = offer(streams=(StreamPlan(Media.RTP, components),), addresses=["2001:db8::1"]).media[0]
    assert (media.kind, media.proto, media.formats) == ("audio", "TCP/RTP/AVP", ["0"])
    assert media.bandwidth == (["RS:0", "RR:0"] if components == 1 else [])
    assert media.rtcp == (None if components == 1 else "9 IN IP6 2001:db8::1")
    assert {c.component for c in media.candidates} == set(range(1, components + 1))


def test_answer_mirrors_the_offers_sections():
    text = peer_offer(media="image 4000 TCP t38")
    text += "m=audio 0 RTP/AVP 0\r\na=mid:off\r\n"
    text += "m=video 4000 RTP/AVP 31\r\na=mid:v\r\n"
    text = text.replace("t=0 0\r\n", "t=0 0\r\na=ice-ufrag:sess\r\na=ice-pwd:" + "s" * 22 + "\r\n")
    image, off, video = answer(text).media
    assert (image.kind, image.proto, image.formats) == ("image", "TCP", ["t38"])
    assert (off.kind, off.port, off.mid, off.candidates) == ("audio", 0, "off", [])
    assert (video.connection_address, video.port, video.proto) == ("0.0.0.0", 9, "RTP/AVP")
    assert video.setup is None
    assert video.mid == "v"
    assert image.ufrag != video.ufrag


def test_credentials_are_random_and_long_enough():
    first, second = offer().media[0], Network().host(offerer=True, seed=99)
    other = SessionDescription.parse(second.describe()).media[0]
    assert (first.ufrag, first.pwd) != (other.ufrag, other.pwd)
    assert len(first.pwd) >= 22


def test_candidates_that_mean_nothing_to_us_are_left_alone():
    network = Network()
    host = network.host(offerer=True)
    host.describe()
    lines = [
        "1 1 UDP 2130706431 10.0.0.9 5000 typ host",
        "1 1 TCP 2124414975 10.0.0.9 5000 typ host",
        "1 1 TCP 2124414974 peer.example 5000 typ host tcptype passive",
        "1 1 TCP 2124414973 10.0.0.9 0 typ host tcptype passive",
        "1 1 TCP 2124414973 0.0.0.0 5000 typ host tcptype passive",
        "1 1 TCP 2124414973 224.0.0.1 5000 typ host tcptype passive",
        "1 1 sctp 2124414972 10.0.0.9 5000 typ host",
        "1 1 TCP 2120220671 10.0.0.9 5000 typ host tcptype so",
    ]
    host.tell("accept", "answer", Peer("", "").description(*lines))
    assert host.agent._streams[0].checks.pairs == []


def test_stream_that_the_answer_takes_out_of_ice_fails_alone():
    network = Network()
    host = network.host(offerer=True, streams=(StreamPlan(mid="a"), StreamPlan(mid="b")))
    host.describe()
    ear = network.listen()
    peer = Peer("", "")
    text = peer.description(peer.passive(ear.address))
    second = text[text.index("m=") :]
    host.tell("accept", "answer", text + second.replace("a=setup:passive", "a=ice-mismatch"))
    first, second = host.agent._streams
    assert first.checks.running
    assert not second.checks.running
    network.run(0.1)
    assert len(ear.ends) == 1

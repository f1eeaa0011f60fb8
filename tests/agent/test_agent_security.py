"""The agent's DTLS: when it begins, who begins it, what is sent again, and what it leaves to others."""

from __future__ import annotations

import pytest
from agent_simulation import Network, Peer

from conformance.agent.adapter import configure, pics
from conformance.agent.config import Media, StreamPlan
from conformance.agent.events import Rejected, State
from conformance.agent.rpc import RpcError
from conformance.wire.dtls import (
    ClientHello,
    ContentType,
    Handshake,
    HandshakeType,
    Kind,
    Record,
    cookie_of,
    handshakes,
    hello_verify_request,
    kind_of,
    records,
)
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

RTP = (StreamPlan(Media.RTP),)
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\n"
SECURED_LINE = "audio 9 UDP/TLS/RTP/SAVPF 0"


def payloads(end):
    return [f for f in end.frames if kind_of(f) is Kind.DTLS]


def sent_as(kind, body, sequence=0):
    return frame(Record(ContentType.HANDSHAKE, Handshake(kind, body, sequence).encode()).encode())


def answered(setup, faults=frozenset()):
    """Return a controlling agent whose check and nomination we have answered, and our end of the connection."""
    network = Network()
    agent = network.host(offerer=True, secured=True, streams=RTP, faults=faults, consent=0.0)
    offer = SessionDescription.parse(agent.describe()).media[0]
    peer = Peer(offer.ufrag, offer.pwd)
    ear = network.listen()
    answer = peer.description(peer.passive(ear.address), setup=setup, media=SECURED_LINE) + FINGERPRINT
    agent.tell("accept", "answer", answer)
    network.run(0.2)
    (end,) = ear.ends
    (request,) = end.requests()
    assert not payloads(end)
    end.send(frame(peer.success(request, end.other.address)))
    network.run(1.0, lambda: len(end.requests()) == 2)
    assert not payloads(end), "begun before the nomination was answered"
    end.send(frame(peer.success(end.requests()[1], end.other.address)))
    network.run(0.1)
    assert agent.agent.state is State.COMPLETED
    return network, agent, end


def test_the_client_says_hello_and_again_until_it_is_answered() -> None:
    network, _, end = answered("passive")
    (first,) = payloads(end)
    (hello,) = handshakes(first)
    assert (hello.type, hello.sequence) == (HandshakeType.CLIENT_HELLO, 0)
    network.run(0.95)
    assert len(payloads(end)) == 2, "after a second"
    network.run(2.0)
    assert len(payloads(end)) == 3, "after two more"
    assert [records(p)[0].sequence for p in payloads(end)] == [0, 1, 2]
    assert {handshakes(p)[0].body for p in payloads(end)} == {hello.body}
    end.send(sent_as(HandshakeType.HELLO_VERIFY_REQUEST, hello_verify_request(b"crumb")))
    network.run(0.01)
    second = handshakes(payloads(end)[-1])[0]
    assert second.sequence == 1
    assert ClientHello.decode(second.body) == ClientHello(ClientHello.decode(hello.body).random, b"crumb")
    end.send(sent_as(HandshakeType.SERVER_HELLO, b""))
    network.run(100)
    assert [records(p)[0].content for p in payloads(end)][4:] == [ContentType.ALERT], "then silence"


def test_the_client_never_waits_longer_than_a_minute() -> None:
    network, _, end = answered("passive")
    network.run(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60)
    assert len(payloads(end)) == 9


def test_the_server_waits_and_asks_for_a_cookie() -> None:
    network, _, end = answered("active")
    network.run(5)
    assert not payloads(end)
    end.send(sent_as(HandshakeType.CLIENT_HELLO, ClientHello(bytes(32)).encode(), 3))
    network.run(0.01)
    (request,) = handshakes(payloads(end)[0])
    assert (request.type, request.sequence) == (HandshakeType.HELLO_VERIFY_REQUEST, 3)
    end.send(sent_as(HandshakeType.CLIENT_HELLO, ClientHello(bytes(32), cookie_of(request.body)).encode(), 4))
    network.run(0.01)
    assert records(payloads(end)[1])[0].content == ContentType.ALERT


@pytest.mark.parametrize(
    "payload", [b"\x80" * 20, b"\x16" * 5, b"\xff", Record(22, Handshake(3, b"\xfe").encode()).encode()]
)
def test_what_is_no_answer_is_let_pass(payload) -> None:
    network, agent, end = answered("passive")
    end.send(frame(payload) + sent_as(HandshakeType.HELLO_VERIFY_REQUEST, hello_verify_request(b"c")))
    network.run(0.01)
    assert ClientHello.decode(handshakes(payloads(end)[1])[0].body).cookie == b"c"
    assert not agent.data


def test_data_waits_for_a_handshake_that_does_not_come() -> None:
    network, agent, end = answered("passive")
    agent.tell("send", 1, b"\x80 secret")
    network.run(0.5)
    assert len(end.frames) == 3, "two checks and a ClientHello"


def test_a_lost_connection_ends_the_repetitions() -> None:
    network, agent, end = answered("passive")
    end.close()
    network.run(300)
    assert agent.agent.next_timer() is None or agent.agent.next_timer() > network.now
    assert len(payloads(end)) == 1


def test_two_secured_agents_and_who_is_the_client() -> None:
    network = Network()
    a = network.host(offerer=True, secured=True, streams=RTP)
    b = network.host(offerer=False, addresses=["10.0.0.2"], secured=True)
    network.complete(a, b)
    offer, answer = (SessionDescription.parse(h.agent._exchange.described).media[0] for h in (a, b))
    assert (offer.setup, answer.setup) == ("actpass", "active")
    assert (offer.proto, answer.proto, offer.connection) == ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVPF", None)
    assert len(offer.attribute("fingerprint").split()[1]) == 95
    network.run(5)
    assert not a.data
    assert not b.data


@pytest.mark.parametrize(
    ("offered", "answered"), [("active", "passive"), ("passive", "active"), ("holdconn", "holdconn")]
)
def test_what_a_secured_agent_answers(offered, answered) -> None:
    network = Network()
    agent = network.host(offerer=False, secured=True)
    offer = Peer("u" * 4, "p" * 24).description(Peer.active, setup=offered, media=SECURED_LINE) + FINGERPRINT
    agent.tell("accept", "offer", offer)
    assert SessionDescription.parse(agent.describe()).media[0].setup == answered


def test_a_data_channel_is_datagrams_too() -> None:
    network = Network()
    agent = network.host(offerer=False, secured=True)
    line = "application 9 UDP/DTLS/SCTP webrtc-datachannel"
    offer = Peer("u" * 4, "p" * 24).description(Peer.active, setup="actpass", media=line) + FINGERPRINT
    agent.tell("accept", "offer", offer)
    answer = SessionDescription.parse(agent.describe()).media[0]
    assert (answer.proto, answer.formats, answer.bandwidth) == ("UDP/DTLS/SCTP", ["webrtc-datachannel"], [])
    assert agent.agent.media() is Media.RTP


def test_a_peer_without_dtls_is_rejected() -> None:
    network = Network()
    agent = network.host(offerer=False, secured=True)
    with pytest.raises(Rejected, match="fingerprint"):
        agent.tell("accept", "offer", Peer("u" * 4, "p" * 24).description(Peer.active))


def test_the_adapter_of_a_secured_agent() -> None:
    assert (pics(secured=True)["payload"], pics(secured=True)["profile"]) == ("dtls", "webrtc")
    config = configure({"side": "offerer"}, secured=True)
    assert config.secured
    assert config.streams[0].media is Media.RTP
    with pytest.raises(RpcError, match="rtp only"):
        configure({"side": "offerer", "media": "bytes"}, secured=True)


def test_one_component_is_multiplexed_where_both_sides_say_so() -> None:
    network = Network()
    offer = SessionDescription.parse(network.host(offerer=True, secured=True, streams=RTP).describe())
    assert offer.media[0].has("rtcp-mux")
    for offered in (True, False):
        agent = network.host(offerer=False, secured=True)
        offer = Peer("u" * 4, "p" * 24).description(Peer.active, setup="actpass", media=SECURED_LINE) + FINGERPRINT
        agent.tell("accept", "offer", offer + "a=rtcp-mux\r\n" * offered)
        assert SessionDescription.parse(agent.describe()).media[0].has("rtcp-mux") is offered


def test_the_one_section_of_a_secured_offer_is_a_bundle():
    """Browsers take no offer without (RFC 8829 section 4.1.1); RTP without DTLS has none."""
    for secured in (True, False):
        offer = SessionDescription.parse(Network().host(offerer=True, secured=secured, streams=RTP).describe())
        assert offer.attributes("group") == (["BUNDLE 0"] if secured else [])
    two = SessionDescription.parse(Network().host(offerer=True, secured=True, streams=RTP * 2).describe())
    assert not two.attributes("group"), "each of its streams has connections of its own"


@pytest.mark.parametrize(
    ("group", "answered"), [("a=group:BUNDLE 0\r\n", ["BUNDLE 0"]), ("a=group:LS 1\r\n", []), ("", [])]
)
def test_a_bundle_is_answered_where_it_is_offered(group, answered):
    agent = Network().host(offerer=False, secured=True, streams=RTP)
    offer = Peer("peer", "p" * 22).description(Peer.active, setup="actpass", media=SECURED_LINE)
    agent.tell("accept", "offer", offer.replace("m=", f"{group}m=", 1) + "a=mid:0\r\n" + FINGERPRINT)
    assert SessionDescription.parse(agent.describe()).attributes("group") == answered


HEAD = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\n"
CREDENTIALS = f"a=ice-ufrag:peer\r\na=ice-pwd:{'p' * 22}\r\n{FINGERPRINT}a=setup:actpass\r\n"
AUDIO = (
    f"m=audio 9 UDP/TLS/RTP/SAVPF 111 9\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n{CREDENTIALS}a=rtcp-mux\r\na=sendonly\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\na=rtpmap:9 G722/8000\r\na=candidate:1 1 TCP 2000 10.0.0.9 9 typ host "
    "tcptype active\r\n"
)
VIDEO = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=bundle-only\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
DATA = f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:d\r\n{CREDENTIALS}a=sctp-port:5000\r\n"
LATER = "candidate:2 1 TCP 1999 10.0.0.9 9 typ host tcptype active"


def bundled_answer(*sections, group="0 v d"):
    network = Network()
    agent = network.host(offerer=False, secured=True)
    agent.tell("accept", "offer", f"{HEAD}a=group:BUNDLE {group}\r\n{''.join(sections)}")
    return agent, SessionDescription.parse(agent.describe())


def test_a_bundle_of_sections_is_answered_as_one_stream() -> None:
    """RFC 9143 section 7.3: browsers refuse an answer that takes their bundle apart or leaves its codecs unsaid."""
    agent, answer = bundled_answer(AUDIO, VIDEO, DATA)
    assert answer.attributes("group") == ["BUNDLE 0 v d"]
    audio, video, data = answer.media
    assert [(m.kind, m.mid, m.proto, m.port) for m in answer.media] == [
        ("audio", "0", "UDP/TLS/RTP/SAVPF", 9),
        ("video", "v", "UDP/TLS/RTP/SAVPF", 9),
        ("application", "d", "UDP/DTLS/SCTP", 9),
    ]
    assert audio.attributes("rtpmap") == ["111 opus/48000/2", "9 G722/8000"]
    assert audio.attribute("fmtp") == "111 useinbandfec=1"
    assert audio.has("recvonly")
    assert audio.candidates
    for follower in (video, data):
        assert not follower.candidates
        assert follower.attribute("ice-ufrag") is follower.attribute("fingerprint") is follower.setup is None
    assert answer.attribute("fingerprint") == audio.attribute("fingerprint"), "Firefox dies where a section has none"
    assert video.has("rtcp-mux")
    assert not data.has("rtcp-mux")
    assert data.attribute("sctp-port") == "5000"
    assert all(section.values("c") for section in answer.media), "Firefox wants a c= line in each section"
    assert agent.agent.trickle(LATER, "v", 0.0) is None, "of a transport that the bundle does without"
    with pytest.raises(Rejected):
        agent.agent.trickle(LATER, "x", 0.0)


def test_a_later_offer_keeps_the_bundle() -> None:
    agent, answer = bundled_answer(AUDIO, VIDEO, DATA)
    agent.tell("restart")
    agent.tell("gather")
    offer = SessionDescription.parse(agent.describe())
    assert offer.attributes("group") == answer.attributes("group")
    assert [m.mid for m in offer.media] == ["0", "v", "d"]
    assert offer.media[0].attributes("rtpmap") == answer.media[0].attributes("rtpmap")
    assert offer.media[0].attribute("ice-ufrag") != answer.media[0].attribute("ice-ufrag")


@pytest.mark.parametrize(
    ("sections", "group", "answered", "ports"),
    [
        ((AUDIO, DATA), "0 d", ["BUNDLE 0 d"], [9, 9]),
        ((AUDIO, DATA), "d 0", ["BUNDLE d 0"], [9, 9]),  # the first of the group carries them
        ((AUDIO, DATA), "0", ["BUNDLE 0"], [9, 9]),  # two transports
        ((AUDIO, VIDEO), "0", ["BUNDLE 0"], [9, 0]),  # nothing carries the second one
        ((VIDEO, AUDIO), "v 0", ["BUNDLE 0 v"], [9, 9]),  # bundle-only has no transport to give
        ((AUDIO.replace("audio 9 ", "audio 0 "), DATA), "0 d", ["BUNDLE d"], [0, 9]),
        ((AUDIO,), "0 gone", ["BUNDLE 0"], [9]),
    ],
)
def test_which_sections_a_bundle_has(sections, group, answered, ports) -> None:
    _, answer = bundled_answer(*sections, group=group)
    assert answer.attributes("group") == answered
    assert [media.port for media in answer.media] == ports


def test_an_agent_without_dtls_takes_no_part_in_bundles() -> None:
    agent = Network().host(offerer=False)
    agent.tell("accept", "offer", f"{HEAD}a=group:BUNDLE 0 v d\r\n{AUDIO}{VIDEO}{DATA}")
    answer = SessionDescription.parse(agent.describe())
    assert not answer.attributes("group")
    assert [media.port == 0 for media in answer.media] == [False, True, False]

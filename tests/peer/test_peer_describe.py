"""The lower tester's descriptions: RFC 6544's own, and those that a WebRTC stack takes."""

from __future__ import annotations

import random

import pytest

from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.wire.sdp import SessionDescription

THEIR_OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE data\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:data\r\na=setup:actpass\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00\r\na=sctp-port:5000\r\n"
)


@pytest.fixture
def pump():
    pump = Pump()
    yield pump
    pump.close()


@pytest.fixture
def peer(pump, request):
    peer = Peer("127.16.202.1", pump, SilentTap(), Pixit(), random.Random(1))
    peer.profile = request.param
    yield peer
    peer.close()


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_an_offer_that_a_webrtc_stack_takes(peer):
    offer = peer.offer("passive")
    media = offer.media[0]
    assert (media.kind, media.proto, media.formats) == ("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    assert (media.mid, media.setup) == ("0", "actpass")
    assert offer.attribute("group") == "BUNDLE 0"
    assert media.attribute("fingerprint") == f"sha-256 {peer.fingerprint}"
    assert len(peer.fingerprint.split(":")) == 32
    assert media.attribute("sctp-port") == "5000"
    assert media.attribute("connection") is None
    assert [c.tcptype for c in media.candidates] == ["passive"]
    assert peer.controlling


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_an_answer_mirrors_a_webrtc_stacks_section(peer):
    answer = peer.answer(SessionDescription.parse(THEIR_OFFER), "passive")
    media = answer.media[0]
    assert (media.kind, media.proto, media.formats) == ("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    assert (media.mid, media.setup) == ("data", "active")
    assert answer.attribute("group") == "BUNDLE data"
    assert media.attribute("fingerprint") == f"sha-256 {peer.fingerprint}"
    assert not peer.controlling


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_dtls_roles_stay_when_the_iut_offers_anew(peer):
    class Answer:
        ufrag, pwd, lite, answered_setup = "iutf", "i" * 22, False, "active"
        fragments = ("iutf",)

    peer.offer("passive")
    peer.meet(Answer())
    assert peer.answer(SessionDescription.parse(THEIR_OFFER), "passive").media[0].setup == "passive"
    fixed = SessionDescription.parse(THEIR_OFFER.replace("actpass", "passive"))
    assert peer.answer(fixed, "passive").media[0].setup == "active"


@pytest.mark.parametrize("peer", ["plain"], indirect=True)
def test_a_plain_offer_has_nothing_of_webrtc(peer):
    offer = peer.offer("passive")
    media = offer.media[0]
    assert (media.kind, media.proto) == ("audio", "TCP/RTP/AVP")
    assert media.attribute("connection") == "new"
    assert media.attribute("fingerprint") is None
    assert offer.attribute("group") is None


@pytest.mark.parametrize("peer", ["webrtc", "plain"], indirect=True)
def test_setup_stands_beside_udp_where_dtls_needs_it(peer):
    udp = peer.udp().candidate()
    assert peer.offer(candidates=[udp]).media[0].setup == {"webrtc": "actpass", "plain": None}[peer.profile]

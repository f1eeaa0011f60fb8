"""The lower tester's descriptions: RFC 6544's own, and those that a WebRTC stack takes."""

from __future__ import annotations

import random
import re

import pytest

from conformance.peer import describe
from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.wire.attributes import Address
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


@pytest.mark.parametrize(("peer", "way"), [("whip", "sendonly"), ("whep", "recvonly")], indirect=["peer"])
def test_a_server_behind_http_is_offered_audio_of_one_way(peer, way):
    offer = peer.offer("active passive")
    media = offer.media[0]
    assert (media.kind, media.proto, media.formats) == ("audio", "UDP/TLS/RTP/SAVPF", ["111"])
    assert {way, "rtcp-mux", "rtcp-mux-only", "rtpmap:111 opus/48000/2", "setup:actpass"} <= set(said(media))
    assert (media.attribute("msid") is not None) is (way == "sendonly")  # RFC 9725 section 4.4.2: what is sent has one
    assert media.bandwidth == []
    assert media.attribute("fingerprint") == f"sha-256 {peer.fingerprint}"
    again = peer.restart_offer("active passive")
    assert sections(again) == sections(offer)
    assert again.media[0].ufrag != media.ufrag


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_an_answer_mirrors_a_webrtc_stacks_section(peer):
    answer = peer.answer(SessionDescription.parse(THEIR_OFFER), "passive")
    media = answer.media[0]
    assert (media.kind, media.proto, media.formats) == ("application", "UDP/DTLS/SCTP", ["webrtc-datachannel"])
    assert (media.mid, media.setup) == ("data", "passive")  # the IUT begins DTLS: it then has something to send
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


AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=setup:actpass\r\na=sendonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
    "a=fingerprint:sha-256 00\r\n"
)
DATA_SECTION = THEIR_OFFER[THEIR_OFFER.index("m=") :]
SESSION = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def sections(description):
    return [(media.kind, media.port != 0, media.proto, media.formats, media.mid) for media in description.media]


def said(media):
    """What a section says beyond ICE, and beyond its own security."""
    ours = {"fingerprint", "candidate", "ice-ufrag", "ice-pwd"}
    pairs = [line.attribute for line in media.lines if line.attribute is not None]
    return [name if value is None else f"{name}:{value}" for name, value in pairs if name not in ours]


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_an_answer_has_a_section_for_each_of_the_offers(peer):
    offer = SessionDescription.parse(SESSION + "a=group:BUNDLE data a\r\n" + DATA_SECTION + AUDIO)
    answer = peer.answer(offer, "passive")
    audio = ("audio", False, "UDP/TLS/RTP/SAVPF", ["111", "0"], "a")
    assert sections(answer) == [("application", True, "UDP/DTLS/SCTP", ["webrtc-datachannel"], "data"), audio]
    assert answer.attribute("group") == "BUNDLE data", "a rejected section is in no bundle (RFC 9143 section 7.3)"
    assert [len(media.candidates) for media in answer.media] == [1, 0]


@pytest.mark.parametrize("peer", ["webrtc", "plain"], indirect=True)
def test_the_first_enabled_section_is_the_one_in_use(peer):
    disabled = DATA_SECTION.replace("m=application 9", "m=application 0")
    answer = peer.answer(SessionDescription.parse(SESSION + disabled + AUDIO), "passive")
    assert [(kind, enabled) for kind, enabled, *_ in sections(answer)] == [("application", False), ("audio", True)]
    bundled = disabled + "a=bundle-only\r\n"
    answer = peer.answer(SessionDescription.parse(SESSION + bundled + AUDIO), "passive")
    assert [(kind, enabled) for kind, enabled, *_ in sections(answer)] == [("application", True), ("audio", False)]


@pytest.mark.parametrize("peer", ["webrtc", "plain"], indirect=True)
def test_an_audio_section_is_answered_with_its_codecs_mux_and_reversed_direction(peer):
    answer = peer.answer(SessionDescription.parse(SESSION + AUDIO), "passive")
    told = said(answer.media[0])
    assert {"rtpmap:111 opus/48000/2", "fmtp:111 minptime=10", "rtcp-mux", "recvonly"} <= set(told)
    assert "sctp-port:5000" not in told
    assert answer.attribute("group") is None, "it was not offered"
    unmuxed = SessionDescription.parse(SESSION + AUDIO.replace("a=rtcp-mux\r\n", ""))
    assert "rtcp-mux" not in said(peer.answer(unmuxed, "passive").media[0])


@pytest.mark.parametrize("peer", ["webrtc", "plain"], indirect=True)
@pytest.mark.parametrize("later", ["restart_offer", "updated_offer"])
def test_a_later_offer_keeps_what_was_negotiated(peer, later):
    offer = SessionDescription.parse(SESSION + "a=group:BUNDLE a data\r\n" + AUDIO + DATA_SECTION)
    answer = peer.answer(offer, "passive")
    again = getattr(peer, later)("passive")
    assert sections(again) == sections(answer)
    assert again.attribute("group") == answer.attribute("group") == "BUNDLE a"
    assert again.media[0].setup == "actpass"
    assert said(again.media[0]) == [
        re.sub("setup:(active|passive)", "setup:actpass", line) for line in said(answer.media[0])
    ]
    assert (again.media[0].ufrag != answer.media[0].ufrag) is (later == "restart_offer")
    third = getattr(peer, later)("passive")
    assert said(third.media[0]) == said(again.media[0]), "nothing is said twice"


@pytest.mark.parametrize("peer", ["webrtc", "plain"], indirect=True)
def test_a_restart_of_our_own_offer_has_the_same_section(peer):
    first = peer.offer("passive", media="bytes")
    again = peer.restart_offer("active")
    assert sections(again) == sections(first)
    assert again.attribute("group") == first.attribute("group")
    assert (again.media[0].bandwidth, again.media[0].connection) == (
        first.media[0].bandwidth,
        first.media[0].connection,
    )


@pytest.mark.parametrize("peer", ["plain"], indirect=True)
def test_what_the_script_adds_comes_on_top(peer):
    offer = peer.offer("passive", attributes=["x-one"], session_attributes=["ice-options:trickle"])
    assert (offer.media[0].has("x-one"), offer.ice_options) == (True, ("trickle",))
    theirs = next(iter(peer.candidates("passive")))
    assert peer.selecting_offer(theirs).media[0].attribute("remote-candidates") is not None
    assert peer.updated_offer().media[0].attribute("remote-candidates") is None


class Selected:
    """A connection as far as later descriptions name it."""

    def __init__(self, *, outgoing: bool) -> None:
        self.outgoing, self.component = outgoing, 1
        self.local_address, self.remote_address = Address("127.16.202.1", 50123), Address("127.0.0.1", 50001)


@pytest.mark.parametrize("peer", ["plain"], indirect=True)
@pytest.mark.parametrize(("outgoing", "kind", "setup"), [(True, "prflx", "active"), (False, "host", "passive")])
def test_a_later_offer_has_the_selected_pair_alone(peer, outgoing, kind, setup):
    peer.offer("active passive", session_attributes=["ice-options:ice2"])
    offer = peer.settled_offer([Selected(outgoing=outgoing)])
    media = offer.media[0]
    (candidate,) = media.candidates
    assert (candidate.type, candidate.endpoint) == (kind, Address("127.16.202.1", 50123))
    assert (media.connection_address, media.port) == ("127.16.202.1", 50123)
    assert (media.setup, media.connection) == (setup, "existing")
    assert media.attribute("remote-candidates") == "1 127.0.0.1 50001"
    assert offer.ice_options == ("ice2",)


@pytest.mark.parametrize("peer", ["plain"], indirect=True)
def test_a_controlled_peer_names_no_remote_candidates(peer):
    offer = SessionDescription.parse(THEIR_OFFER.replace("UDP/DTLS/SCTP webrtc-datachannel", "TCP *"))
    peer.answer(offer, "active")
    assert not peer.settled_offer([Selected(outgoing=True)]).media[0].has("remote-candidates")
    assert not peer.settled_answer(offer, [Selected(outgoing=True)]).media[0].has("remote-candidates")


# -- several sections, and RTCP of its own, in WebRTC ------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_a_further_section_of_webrtc_is_audio_outside_of_the_bundle(peer):
    offer = describe.joined([peer.offer("active", mid="0"), peer.offer("active", mid="1")])
    assert [media.kind for media in offer.media] == ["application", "audio"]
    assert offer.attribute("group") == "BUNDLE 0"
    assert {"rtcp-mux", "sendrecv", "setup:actpass"} <= set(said(offer.media[1]))


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_rtcp_of_its_own_is_neither_multiplexed_nor_bundled(peer):
    """libwebrtc refuses a bundle whose RTP and RTCP are not multiplexed (RFC 9143 section 9.3)."""
    offer = peer.offer("active", components=2)
    (media,) = offer.media
    assert (media.kind, sorted({c.component for c in media.candidates})) == ("audio", [1, 2])
    assert "rtcp-mux" not in said(media)
    assert offer.attribute("group") is None


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_what_an_answer_refused_to_multiplex_stays_so(peer):
    offer = SessionDescription.parse(SESSION + "a=group:BUNDLE a\r\n" + AUDIO)
    for components in (2, 1):  # the second: a restart with candidates of the first component alone
        answer = peer.answer(offer, "active", components=components)
        assert "rtcp-mux" not in said(answer.media[0])
        assert answer.attribute("group") is None


@pytest.mark.parametrize("peer", ["webrtc"], indirect=True)
def test_a_later_offer_of_one_section_keeps_what_that_one_said(peer):
    peer.offer("active", mid="0")
    peer.offer("active", mid="1")
    first, second = (peer.updated_offer("active", mid=mid).media[0] for mid in ("0", "1"))
    assert (first.kind, second.kind) == ("application", "audio")
    assert "sctp-port:5000" in said(first)
    assert "rtcp-mux" in said(second)

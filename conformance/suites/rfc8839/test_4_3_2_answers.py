"""RFC 8839 section 4.3.2: the first answer."""

from __future__ import annotations

from conformance.suites.checks import expect_answers
from conformance.suites.marks import requirement, varied
from conformance.suites.sections import (
    NO_DEFAULT,
    answer_or_refusal,
    expect_no_ice,
    ice_of_all,
    is_no_default,
    without_ice,
)
from conformance.suites.values import expect_candidates_everywhere


@requirement("RFC8839-4.3.2-01", needs="obeys:addresses")
def test_answer_has_a_candidate_on_each_address(upper, peer):
    """with    the IUT on two addresses
    when    its answer is read
    then    there is a candidate of each tcptype that it has on each of them."""
    addresses = upper.two_addresses()
    expect_candidates_everywhere(upper.answer(peer.offer(), addresses=addresses), addresses)


@requirement("RFC8839-4.3.2-02", "RFC8839-4.2.1.5-01")
def test_answer_has_credentials_and_ice2(upper, peer):
    """with    an IUT that follows RFC 8445
    when    its answer is read
    then    it has ice-ufrag, ice-pwd and the option ice2."""
    media = upper.answer(peer.offer("active")).media()
    assert media.ufrag, "there is no a=ice-ufrag"
    assert media.pwd, "there is no a=ice-pwd"
    assert "ice2" in media.ice_options, f"a=ice-options:{' '.join(media.ice_options)}"


@requirement("RFC8839-4.3.2-03")
def test_answer_has_ice_pacing(upper, peer):
    """with    a full IUT that follows RFC 8445
    when    its answer is read
    then    it has a=ice-pacing."""
    answer = upper.answer(peer.offer("active"))
    assert "ice-pacing" in ice_of_all(answer), "there is no a=ice-pacing"


@requirement("RFC8839-4.3.2-04")
def test_lite_answer_has_no_ice_pacing(upper, peer):
    """with    a lite IUT
    when    its answer is read
    then    it has no a=ice-pacing."""
    answer = upper.answer(peer.offer("active"), agent="lite")
    assert "ice-pacing" not in ice_of_all(answer), "a=ice-pacing is there"


@requirement("RFC8839-4.3.2-05")
def test_answer_keeps_the_protocol_of_the_media_line(upper, peer):
    """with    our offer
    when    the IUT answers it
    then    the protocol of its media line is that of ours."""
    offer = peer.offer("active")
    answer = upper.answer(offer)
    protocols = answer.media(0).proto, offer.media[0].proto
    assert protocols[0] == protocols[1], f"it is {protocols[0]}, offered was {protocols[1]}"


@requirement("RFC8839-4.3.2-06")
def test_answer_has_no_default_of_another_transport(upper, peer):
    """with    our offer of a media line of UDP, with TCP candidates alone
    when    the IUT answers it with TCP candidates alone
    then    its default destination is 0.0.0.0 or :: with port 9."""
    answer = upper.answer_unless_rejected(peer.offer("active passive", proto="RTP/AVP"))
    answer.needs_tcp_alone()
    media = answer.media()
    assert is_no_default(media), f"c= has {media.connection_address}, m= port {media.port}"


@requirement("RFC8839-4.3.2-07", needs="offers:passive")
def test_ice_is_not_used_without_the_offers(upper, peer):
    """with    our offer without anything of ICE
    when    the IUT has answered it, which it need not
    then    it answers no check of ours and sends none."""
    answer = answer_or_refusal(upper, peer, without_ice(peer.offer("passive")))
    expect_no_ice(peer, answer)


@requirement("RFC8839-4.3.2-08", "RFC8839-4.3.2-07")
def test_answer_to_an_offer_without_ice_has_none(upper, peer):
    """with    our offer without anything of ICE
    when    the IUT has answered it, which it need not
    then    the answer has no attribute of ICE."""
    names = ice_of_all(answer_or_refusal(upper, peer, without_ice(peer.offer("passive"))))
    assert not names, f"the answer has {names}"


@varied("family", "candidates", side="offerer")
@requirement("RFC8839-4.3.2-s01", needs="sides:offerer offers:passive")
def test_answer_without_candidates_is_taken(upper, peer, shape):
    """with    our answer without candidates, its default 0.0.0.0 or :: with port 9
    when    we connect to a passive candidate of the IUT's
    then    our check there is answered."""
    offer = upper.offer()
    upper.accept(peer.answer(offer.sdp, candidates=[], **NO_DEFAULT[shape.family]))
    expect_answers(peer, [(offer, peer.connect(offer.candidate(tcptype="passive")))])

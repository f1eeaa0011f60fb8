"""RFC 8839 section 4.3.1: the first offer."""

from __future__ import annotations

from conformance.suites.checks import expect_answers
from conformance.suites.marks import requirement, varied
from conformance.suites.sections import NO_DEFAULT, ice_of_all
from conformance.suites.values import expect_candidates_everywhere


@requirement("RFC8839-4.3.1-01", needs="obeys:addresses")
def test_offer_has_a_candidate_on_each_address(upper, peer):
    """with    the IUT on two addresses
    when    its offer is read
    then    there is a candidate of each tcptype that it has on each of them."""
    addresses = upper.two_addresses()
    expect_candidates_everywhere(upper.offer(addresses=addresses), addresses)


@requirement("RFC8839-4.3.1-02", "RFC8839-4.2.1.5-01")
def test_offer_has_credentials_and_ice2(upper):
    """with    an IUT that follows RFC 8445
    when    its offer is read
    then    it has ice-ufrag, ice-pwd and the option ice2."""
    media = upper.offer().media()
    assert media.ufrag, "there is no a=ice-ufrag"
    assert media.pwd, "there is no a=ice-pwd"
    assert "ice2" in media.ice_options, f"a=ice-options:{' '.join(media.ice_options)}"


@requirement("RFC8839-4.3.1-03")
def test_offer_has_ice_pacing(upper):
    """with    a full IUT that follows RFC 8445
    when    its offer is read
    then    it has a=ice-pacing."""
    offer = upper.offer()
    assert "ice-pacing" in ice_of_all(offer), "there is no a=ice-pacing"


@requirement("RFC8839-4.3.1-04")
def test_lite_offer_has_no_ice_pacing(upper):
    """with    a lite IUT
    when    its offer is read
    then    it has no a=ice-pacing."""
    offer = upper.offer(agent="lite")
    assert "ice-pacing" not in ice_of_all(offer), "a=ice-pacing is there"


@varied("family", "candidates", side="answerer")
@requirement("RFC8839-4.3.1-s01", needs="sides:answerer offers:passive")
def test_offer_without_candidates_is_taken(upper, peer, shape):
    """with    our offer without candidates, its default 0.0.0.0 or :: with port 9
    when    the IUT has answered it and we connect to a passive candidate of its
    then    our check there is answered."""
    answer = upper.answer(peer.offer(candidates=[], **NO_DEFAULT[shape.family]))
    expect_answers(peer, [(answer, peer.connect(answer.candidate(tcptype="passive")))])

"""RFC 8839 section 4.4.1.1.1: offers that restart ICE."""

from __future__ import annotations

from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.restarts import restart
from conformance.suites.sections import with_session_credentials
from conformance.suites.updates import answered, directions, terms


@requirement("RFC8839-4.4.1.1.1-03", "RFC8445-9-03", needs="offers:passive sides:offerer")
def test_restart_offer_has_another_fragment(upper, peer):
    """with    ICE completed on a connection
    when    the IUT restarts ICE
    then    its offer has another ice-ufrag than before."""
    establish(upper, peer, "offerer", opener="tester")
    before = peer.iut.ufrag
    assert restart(upper, peer, "IUT").ufrag != before, "ice-ufrag is the one of before"


@requirement("RFC8839-4.4.1.1.1-03", "RFC8445-9-03", needs="offers:passive sides:offerer")
def test_restart_offer_has_another_password(upper, peer):
    """with    ICE completed on a connection
    when    the IUT restarts ICE
    then    its offer has another ice-pwd than before."""
    establish(upper, peer, "offerer", opener="tester")
    before = peer.iut.pwd
    assert restart(upper, peer, "IUT").pwd != before, "ice-pwd is the one of before"


@requirement("RFC8839-4.4.1.1.1-04", "RFC8839-4.4.3.1-05", needs="offers:passive sides:answerer")
def test_credentials_that_move_are_no_restart(upper, peer, pixit):
    """with    ICE completed after our offer with credentials at the session level
    when    a later offer of ours has the same credentials in its media section
    then    the credentials of the IUT's answer are those of before, and the connection stays open."""
    first = upper.answer(with_session_credentials(peer.offer("active")))
    selected = peer.complete(first, peer.connect(first.candidate(tcptype="passive")))
    peer.settle(selected)
    upper.accept(peer.settled_offer([selected]), kind="offer")
    later = answered(upper)
    assert (later.ufrag, later.pwd) == (first.ufrag, first.pwd), "ICE restarts"
    selected.expect_open(within=pixit.silence)


@requirement("RFC8839-4.4.1.1.1-07")
def test_options_stay_in_later_offers(upper, peer):
    """with    ICE completed, and the IUT controls
    when    the IUT makes a later offer that does not restart ICE
    then    ice-options, ice-pacing and ice-lite are those of its first one."""
    establish(upper, peer, "offerer")
    before = terms(peer.iut)
    later = terms(upper.updated_offer())
    assert later == before, f"they are {later}, before {before}"


@requirement("RFC8839-4.4.1.1.1-s01", needs="sdp:full")
def test_restart_offer_is_like_a_first_one(upper, peer):
    """with    ICE completed, and the IUT controls
    when    it restarts ICE
    then    its offer has candidates of each tcptype that its first one had, and no a=remote-candidates."""
    establish(upper, peer, "offerer")
    before = directions(peer.iut)
    later = restart(upper, peer, "IUT")
    missing = before - directions(later)
    assert not missing, f"it has no {' and no '.join(sorted(missing))} candidates"
    assert not later.media().has("remote-candidates"), "it has a=remote-candidates"

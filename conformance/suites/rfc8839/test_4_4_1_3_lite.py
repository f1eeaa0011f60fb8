"""RFC 8839 section 4.4.1.3: later offers of lite agents."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.suites.restarts import restart
from conformance.suites.sections import expect_candidate_for_default
from conformance.suites.updates import expect_default_of, named


@requirement("RFC8839-4.4.1.3-01")
def test_later_offer_of_a_lite_agent_has_all_candidates(upper, peer):
    """with    a lite IUT, descriptions exchanged, and no check made
    when    it makes a later offer
    then    it has all candidates of its first one."""
    first = negotiate(upper, peer, "offerer", peer_tcptypes="active", agent="lite")
    later = upper.updated_offer().media().candidates
    missing = [str(c) for c in first.media().candidates if c not in later]
    assert not missing, f"missing: {missing[0]}"


@requirement("RFC8839-4.4.1.3-02")
def test_lite_agent_changes_nothing_without_a_restart(upper, peer):
    """with    a lite IUT, descriptions exchanged, and no check made
    when    it makes a later offer that does not restart ICE
    then    it has no candidate and no credential that its first one did not have."""
    first = negotiate(upper, peer, "offerer", peer_tcptypes="active", agent="lite")
    later = upper.updated_offer()
    more = [str(c) for c in later.media().candidates if c not in first.media().candidates]
    assert not more, f"a further candidate: {more[0]}"
    assert (later.ufrag, later.pwd) == (first.ufrag, first.pwd), "it has another credential"


@requirement("RFC8839-4.4.1.3-03", needs="offers:passive")
def test_lite_agent_restarts_with_new_credentials(upper, peer):
    """with    ICE completed with a lite IUT
    when    it restarts ICE
    then    both its credentials are new."""
    first = negotiate(upper, peer, "offerer", peer_tcptypes="active", agent="lite")
    peer.complete(first, peer.connect(first.candidate(tcptype="passive")))
    before = first.ufrag, first.pwd
    later = restart(upper, peer, "IUT")
    assert later.ufrag != before[0], "ice-ufrag is the one of before"
    assert later.pwd != before[1], "ice-pwd is the one of before"


@requirement("RFC8839-4.4.1.3-04", needs="offers:passive")
def test_default_of_a_lite_agent_is_the_valid_pairs(upper, peer):
    """with    ICE completed with a lite IUT, which is controlled
    when    it makes a later offer
    then    its default destination is its end of the selected pair."""
    first = negotiate(upper, peer, "offerer", peer_tcptypes="active", agent="lite")
    selected = peer.complete(first, peer.connect(first.candidate(tcptype="passive")))
    peer.settle(selected)
    expect_default_of(upper.updated_offer().media(), selected)


@requirement("RFC8839-4.4.1.3-05", needs="offers:passive sdp:full")
def test_lite_agent_has_a_candidate_for_its_default(upper, peer):
    """with    ICE completed with a lite IUT
    when    it makes a later offer
    then    its default destination is that of a candidate."""
    first = negotiate(upper, peer, "offerer", peer_tcptypes="active", agent="lite")
    selected = peer.complete(first, peer.connect(first.candidate(tcptype="passive")))
    peer.settle(selected)
    expect_candidate_for_default(upper.updated_offer().media())


@requirement("RFC8839-4.4.1.3-06", needs="offers:passive sdp:full")
def test_lite_offerer_names_our_candidate(upper, peer, pixit):
    """with    a lite IUT having offered, our lite answer, and our connection to its passive candidate
    when    it makes an updated offer
    then    a=remote-candidates names our end of the connection, or our active candidate."""
    iut = negotiate(upper, peer, "offerer", agent="lite", peer_lite=True, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    upper.ready(within=pixit.response)
    ours = connection.local_address
    found = named(upper.updated_offer().media()).get(1)
    assert found in {(ours.ip, ours.port), (ours.ip, 9)}, f"a=remote-candidates names {found} for component 1"

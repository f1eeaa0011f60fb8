"""RFC 8839 section 4.4.3.2: restarts of lite agents."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.media import expect_media
from conformance.suites.restarts import lite_restarted
from conformance.suites.values import DATA


@requirement("RFC8839-4.4.3.2-01", needs="payload:raw offers:passive sides:answerer")
def test_lite_agent_selects_anew(upper, peer):
    """with    a lite IUT whose ICE has restarted
    when    we nominate a pair on a new connection
    then    the data of the IUT's application comes over it."""
    iut, _ = lite_restarted(upper, peer)
    second = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    expect_media(upper, peer, second, DATA)


@requirement("RFC8839-4.4.3.2-02", needs="payload:raw offers:passive sides:answerer")
def test_data_of_a_lite_agent_goes_on_over_the_previous_pair(upper, peer):
    """with    a lite IUT whose ICE has restarted, and no new pair yet
    when    its application sends data
    then    it comes over the previous selected connection."""
    _, former = lite_restarted(upper, peer)
    expect_media(upper, peer, former, DATA)


@requirement("RFC8839-4.4.3.2-03", needs="offers:passive sides:answerer")
def test_ice_of_a_lite_agent_runs_again(upper, peer, pixit):
    """with    a lite IUT with which ICE has completed
    when    ICE restarts
    then    it reports a state in which ICE runs: new, checking or connected."""
    lite_restarted(upper, peer)
    assert upper.wait_state("new", "checking", "connected", within=pixit.response), f"it reports {upper.states}"

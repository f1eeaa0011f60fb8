"""RFC 8445 section 6.1.2.2: which candidates are paired."""

from __future__ import annotations

from conformance.suites.checks import await_checked
from conformance.suites.driving import drive
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.media import expect_completed
from conformance.suites.negotiation import negotiate


@varied("family", side="answerer")
@requirement("RFC8445-6.1.2.2-s01", needs="connects:active components:2 offers:active sides:answerer")
def test_components_are_not_paired_with_each_other(upper, peer, pixit):
    """with    the IUT controlled, two components, and a passive candidate of ours for each
    when    it has one active candidate for each, has connected to both, and we nominate nothing
    then    it opens no further connection, as for a pair of different components."""
    ours = [peer.candidate("passive", component=n, foundation=f"c{n}") for n in (1, 2)]
    negotiate(upper, peer, "answerer", peer_candidates=ours, components=2).needs_one_base()
    first, second = list(peer.listeners)
    peer.await_connection(first)
    peer.await_connection(second)
    peer.expect_no_connection(within=pixit.silence)


@both_sides
@requirement("RFC8445-6.1.2.2-s02", needs="offers:passive payload:raw")
def test_component_that_we_do_not_have_is_not_waited_for(upper, peer, side):
    """with    the IUT describing two components, and we candidates of the first alone
    when    the pair of the first has been checked, and nominated by the controlling side
    then    ICE has completed: its application's data comes over the connection, or it says so."""
    ours = peer.candidates("active")
    iut = negotiate(upper, peer, side, components=2, peer_candidates=ours)
    connection = peer.connect(iut.candidate(tcptype="passive"))
    drive(peer, iut, [connection])
    await_checked(peer, connection)
    expect_completed(upper, peer, connection, "data does not come over the first component's connection")

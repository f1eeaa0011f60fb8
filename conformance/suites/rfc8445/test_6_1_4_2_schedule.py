"""RFC 8445 section 6.1.4.2: when which check is sent."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites import order, pace
from conformance.suites.checks import REFUSED
from conformance.suites.marks import both_sides, crosswise, in_segments, requirement, varied
from conformance.suites.negotiation import negotiate, negotiate_streams
from conformance.suites.segments import await_octets, expect_check_elsewhere
from conformance.wire.layers import RFC4571

_TARGETS = 12


@in_segments
@crosswise
@requirement("RFC8445-6.1.4.2-s01", "RFC6544-7.1-s04", needs="connects:active")
def test_standing_still_holds_up_no_other_pair(upper, peer, segments, side, pixit):
    """with    a connection of the IUT's on which its check is neither acknowledged nor answered
    when    its other pairs' turn has come
    then    it checks our other candidate as well."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation="first"), peer.candidate("passive", address=segments.other_address)]
    negotiate(upper, peer, side, peer_candidates=ours)
    stalled = peer.await_connection()
    stalled.acknowledge(False)
    await_octets(peer, stalled)
    expect_check_elsewhere(peer, stalled, within=pixit.connect)


@varied("family")
@requirement("RFC8445-6.1.4.2-s01", "RFC6544-4.1-s01", needs="connects:active")
def test_checks_are_paced(upper, peer, side, pixit):
    """with    twelve passive candidates of ours, none of which waits for another, and no check answered
    when    the IUT checks them
    then    no check comes before its turn, one every Ta from the moment our description was made."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_candidates=pace.targets(peer, _TARGETS))
    seen = pace.watch(peer, iut, _TARGETS, within=pixit.attempts)
    assert not seen.early(seen.checks), f"checks are begun too fast: {seen.early(seen.checks)}"


@both_sides
@requirement("RFC8445-6.1.4.2-s02", needs="ice2")
def test_streams_are_served_in_turn(upper, peer, side, pixit):
    """with    two streams, with six passive candidates of ours in each, and no check answered
    when    an IUT that follows RFC 8445 checks them
    then    it does not work through one stream before it begins the other."""
    peer.answering = False
    ours = [pace.targets(peer, 6), pace.targets(peer, 6, "second")]
    negotiate_streams(upper, peer, side, peer_candidates=ours)
    peer.wait_until(lambda: len(peer.connections) >= 12, pixit.connect)
    order.needs_both(peer, *ours)
    first, second = order.taken_before(peer, *ours), order.taken_before(peer, *reversed(ours))
    assert max(first, second) <= 2, f"{max(first, second)} checks of one stream came before any of the other"


@both_sides
@requirement("RFC8445-6.1.4.2-s03", needs="offers:passive")
def test_triggered_check_goes_before_others(upper, peer, side, pixit):
    """with    the IUT busy checking 24 passive candidates of ours, no check answered
    when    a check of ours on a connection to its passive candidate has been answered
    then    its triggered check comes next, not after its ordinary ones."""
    peer.answering = False
    ours = [peer.candidate("active"), *pace.targets(peer, 24)]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    peer.wait_until(lambda: len(peer.checks()) >= 2, pixit.connect)
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    answer = connection.await_frame(BindingSuccess, within=pixit.response)
    triggered = connection.await_frame(BindingRequest, within=pixit.connect)
    between = order.checked_between(peer, answer, triggered, beside=connection)
    assert between <= 2, f"{between} other checks were begun before the triggered one"


@varied("family")  # candidates that are trickled are checked as they come
@requirement("RFC8445-6.1.4.2-s04", needs="offers:active")
def test_waiting_pairs_are_checked_best_first(upper, peer, side, pixit):
    """with    four passive candidates of ours, of different foundations, the best last in our description
    when    the IUT checks them, no check being answered
    then    it takes them up in the order of their priorities."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"p{n}", priority=1000 * n) for n in range(1, 5)]
    iut = negotiate(upper, peer, side, peer_candidates=ours)
    address = iut.needs_one_base().address
    wrong = order.overtaken(peer, [(c.port, address) for c in reversed(ours)], within=pixit.connect)
    assert not wrong, f"not in the order of their priorities: {wrong[0]}"


@varied("family", "candidates")
@requirement("RFC8445-6.1.4.2-s05")
def test_frozen_pair_is_checked_when_its_foundation_has_failed(upper, peer, side, pixit):
    """with    two passive candidates of ours of one foundation
    when    the check of the better one is answered with an error
    then    the IUT checks the other."""
    peer.answering = False
    best, other = peer.listen(), peer.listen()
    ours = [peer.candidate("passive", port=best.port, foundation="same", priority=3000)]
    ours += [peer.candidate("passive", port=other.port, foundation="same", priority=2000)]
    negotiate(upper, peer, side, peer_candidates=ours)
    first = peer.await_connection(best)
    request = first.await_frame(BindingRequest, within=pixit.response)
    first.send(RFC4571() / peer.error(request, *REFUSED))
    peer.expect_connection(other).expect(BindingRequest, within=pixit.response)

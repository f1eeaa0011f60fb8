"""RFC 8838 section 11: candidates of ours that come late."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate_trickled
from conformance.suites.trickling import fill, reflexive_behind_a_nat

_REFUSED_BEFORE = 5  # candidates before the one that we accept


@requirement("RFC8838-11-01", needs="sides:answerer connects:active")
def test_late_candidate_is_checked_from_bases_alone(upper, peer):
    """with    the IUT behind a NAT on one address, its host and reflexive candidates told
    when    a passive candidate of ours is trickled, and the IUT has connected to it
    then    it opens no second connection to it."""
    reflexive_behind_a_nat(upper, peer, "answerer", [])
    upper.trickle(peer.candidate("passive"))
    peer.await_connection()
    peer.expect_no_connection()


@both_sides
@requirement("RFC8838-11-03")
def test_failed_pairs_make_room(upper, peer, side, pixit):
    """with    so many trickled candidates of ours that refuse connections that they fill a check list
    when    a further one is trickled, of a lower priority
    then    the IUT connects to it."""
    negotiate_trickled(upper, peer, side)
    peer.answering = False
    listener = peer.listen()
    fill(upper, peer, {_REFUSED_BEFORE: listener.port})
    # A list that is full of pairs which have not failed has no room for a worse one: some have been refused by now.
    peer.await_connection(listener)
    upper.trickle(peer.candidate("passive", other=1, foundation="last"))
    peer.expect_connection(within=3 * pixit.connect)


@both_sides
@requirement("RFC8838-11-04")
def test_worse_pairs_make_room(upper, peer, side):
    """with    trickled candidates of ours that fill a check list and, of one foundation, wait for the first
    when    a further one is trickled, of a higher priority
    then    the IUT connects to it."""
    negotiate_trickled(upper, peer, side)
    fill(upper, peer, {0: peer.silent_port()})
    upper.trickle(peer.candidate("passive", foundation="last"))
    peer.expect_connection()


@both_sides
@requirement("RFC8838-11-s01", "RFC6544-6.2-s01", needs="connects:active")
def test_every_trickled_candidate_is_checked(upper, peer, side, pixit):
    """with    a passive candidate of ours trickled, which the IUT has checked
    when    a second one is trickled
    then    the IUT connects to it as well and sends a check."""
    peer.answering = False
    negotiate_trickled(upper, peer, side)
    upper.trickle(peer.candidate("passive", foundation="first"))
    peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    upper.trickle(peer.candidate("passive", foundation="second", other=8000))
    peer.expect_connection().expect(BindingRequest, within=pixit.response)


@requirement("RFC8838-11-s02", needs="sides:offerer connects:active")
def test_pair_in_flight_is_not_pruned(upper, peer, pixit):
    """with    the IUT controlling, and its check of a trickled candidate not answered yet
    when    the same address is trickled again, with a higher priority, and then we answer
    then    the IUT opens no second connection, and nominates this pair."""
    peer.answering = False
    negotiate_trickled(upper, peer, "offerer")
    first = peer.candidate("passive", foundation="first", other=4000)
    upper.trickle(first)
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    upper.trickle(peer.candidate("passive", port=first.port, foundation="second"))
    peer.expect_no_connection()
    peer.answer_held()
    peer.expect_nomination(connection)


@both_sides
@requirement("RFC8838-11-s01", "RFC6544-6.2-s01", needs="connects:active components:2")
def test_trickled_candidate_of_every_component_is_checked(upper, peer, side, pixit):
    """with    a stream of two components
    when    a passive candidate of ours is trickled for each
    then    the IUT connects to both and sends a check on each connection."""
    peer.answering = False
    both = [peer.candidate("active", component=number) for number in (1, 2)]
    negotiate_trickled(upper, peer, side, components=2, described=both)
    upper.trickle(peer.candidate("passive", foundation="first"))
    peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    upper.trickle(peer.candidate("passive", foundation="second", component=2))
    peer.expect_connection(peer.listeners[-1]).expect(BindingRequest, within=pixit.response)

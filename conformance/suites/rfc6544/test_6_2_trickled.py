"""RFC 6544 section 6.2: candidates that come after the descriptions are paired by the same rules."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import both_sides, crosswise, requirement
from conformance.suites.negotiation import negotiate_trickled

_HIGHEST = 2**31 - 1


@crosswise
@requirement("RFC6544-6.2-s01", needs="connects:active trickle")
def test_trickled_passive_candidate_is_paired(upper, peer, side, pixit):
    """with    descriptions exchanged, ours without a candidate
    when    a passive candidate of ours is trickled
    then    the IUT connects to it and sends a check."""
    negotiate_trickled(upper, peer, side)
    upper.trickle(peer.candidate("passive"))
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@both_sides
@requirement("RFC6544-6.2-s01", needs="connects:active trickle")
def test_trickled_active_candidate_is_not_paired_with_active(upper, peer, side):
    """with    our active candidate unusually, listening on its port 9
    when    it is trickled, and a passive one after it, to which the IUT connects
    then    the IUT does not connect to the active one."""
    discard, listener = peer.listen(port=9), peer.listen()
    negotiate_trickled(upper, peer, side)
    upper.trickle(peer.candidate("active", priority=_HIGHEST))
    upper.trickle(peer.candidate("passive", port=listener.port))
    peer.await_connection(listener)
    peer.expect_no_connection(discard)


@requirement("RFC6544-6.2-s01", needs="connects:active trickle sides:answerer")
def test_active_candidate_of_the_iut_is_paired_when_it_comes(upper, peer, pixit):
    """with    our offer holding a passive candidate, and the IUT's answer given before it has its candidates
    when    these have come
    then    the IUT connects to our passive candidate and sends a check."""
    negotiate_trickled(upper, peer, "answerer", described=[peer.candidate("passive")])
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@both_sides
@requirement("RFC6544-6.2-s01", needs="transports:udp transports:tcp connects:active trickle")
def test_tcp_candidate_that_comes_during_udp_checks_is_paired(upper, peer, side, pixit):
    """with    the IUT's check of a UDP candidate of ours unanswered
    when    a passive TCP candidate of ours is trickled
    then    the IUT connects to it and sends a check."""
    peer.answering = False
    udp = peer.udp()
    negotiate_trickled(upper, peer, side, described=[udp.candidate()], transports=["udp", "tcp"])
    udp.await_frame(BindingRequest, within=pixit.connect)
    upper.trickle(peer.candidate("passive"))
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)

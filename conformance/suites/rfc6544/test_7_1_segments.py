"""RFC 6544 section 7.1: connections that do not come about, break, stand still, or begin with SYNs that cross."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.marks import crosswise, in_segments, requirement
from conformance.suites.negotiation import negotiate


@in_segments
@crosswise
@pytest.mark.parametrize("behaviour", ["silent", "network", "host", "prohibited"])
@requirement("RFC6544-7.1-04", needs="connects:active")
def test_unanswered_syn_holds_up_no_other_pair(upper, peer, segments, side, behaviour, pixit):
    """with    SYNs to our first candidate unanswered or answered by ICMP, and a second one at another address
    when    the IUT has both descriptions
    then    it checks the second one, without waiting for the first."""
    stuck = peer.candidate("passive", port=segments.port(behaviour).port, foundation="stuck")
    other = peer.candidate("passive", address=segments.other_address, other=8000)
    negotiate(upper, peer, side, peer_candidates=[stuck, other])
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@in_segments
@crosswise
@pytest.mark.parametrize("behaviour", ["silent", "host"])
@requirement("RFC6544-7.1-04", needs="offers:so connects:so connects:active")
def test_unanswered_so_syn_holds_up_no_other_pair(upper, peer, segments, side, behaviour, pixit):
    """with    the SYN to our S-O candidate unanswered or answered by ICMP, and a passive one of the lowest priority
    when    the IUT has both descriptions
    then    it checks the passive one, without waiting for the S-O one."""
    peer.answering = False  # else the IUT may be content with the passive one
    door = segments.port(behaviour)
    stuck = peer.candidate("so", port=door.port, foundation="stuck", priority=2**31 - 1)
    other = peer.candidate("passive", address=segments.other_address, priority=1)
    negotiate(upper, peer, side, tcptypes="active passive so", peer_candidates=[stuck, other])
    segments.await_syn(door, within=pixit.connect)
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@in_segments
@crosswise
@pytest.mark.parametrize("behaviour", ["refuse", "port"])
@requirement("RFC6544-7.1-04", needs="connects:active")
def test_unreachable_port_fails_only_its_pair(upper, peer, segments, side, behaviour, pixit):
    """with    our first candidate answering SYNs with RST or ICMP port unreachable, and a second of the same foundation
    when    the IUT has both descriptions
    then    it checks the second one."""
    refused = peer.candidate("passive", port=segments.port(behaviour).port)
    negotiate(upper, peer, side, peer_candidates=[refused, peer.candidate("passive", other=8000)])
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@in_segments
@crosswise
@pytest.mark.parametrize("ending", ["syn-ack", "ack", "late"])
@requirement("RFC6544-7.1-s01", needs="offers:so connects:so")
def test_syns_cross(upper, peer, segments, side, ending, pixit):
    """with    our description holding an S-O candidate only
    when    a SYN of ours crosses the IUT's
    then    one connection stands between the two S-O candidates, and the IUT sends its check on it."""
    base = peer.listen()
    segments.cross(base, ending)
    ours = [peer.candidate("so", port=base.port)]
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_candidates=ours)
    segments.meet_late(base, ending, within=pixit.connect)
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    assert connection.remote_address in {c.endpoint for c in iut.candidates(tcptype="so", type="host")}
    peer.expect_no_connection(within=pixit.silence)

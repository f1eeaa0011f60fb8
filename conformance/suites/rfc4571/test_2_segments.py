"""RFC 4571 section 2: frames and the segments that carry them have nothing to do with each other."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.checks import expect_answer
from conformance.suites.delivery import deliverable, expect_delivered
from conformance.suites.marks import crosswise, in_segments, requirement
from conformance.suites.media import await_delivered
from conformance.suites.negotiation import negotiate
from conformance.suites.segments import ORDERS, cut_everywhere, establish_in_segments, in_order_of
from conformance.suites.values import DATA, rtp
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import frame


@in_segments
@crosswise
@requirement("RFC4571-2-s01", needs="offers:passive")
def test_check_in_segments_of_one_octet(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives with every octet of its frame in a segment of its own
    then    the IUT answers it."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.one_by_one(RFC4571() / peer.check(iut), pause=pixit.drip * 20)
    expect_answer(peer, iut, connection)


@in_segments
@crosswise
@requirement("RFC4571-2-s01", needs="offers:passive")
def test_check_cut_at_each_octet(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    checks arrive in two segments each, cut at every octet of the frame in turn
    then    the IUT answers all of them."""
    peer.answering = False  # or a controlling IUT may complete on the connection
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    checks = cut_everywhere(peer, iut, connection, pause=pixit.drip * 20)
    expect_answer(peer, iut, connection, *checks)


@in_segments
@crosswise
@pytest.mark.parametrize("cut", [1, 2, 30])
@requirement("RFC4571-2-s01", needs="offers:passive")
def test_segment_ends_inside_the_next_frame(upper, peer, side, cut, pixit):
    """with    a connection to the IUT's passive candidate
    when    a segment brings a check and the beginning of another, the next one its rest and a third
    then    the IUT answers all three."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    checks = [peer.check(iut) for _ in range(3)]
    frames = [bytes(RFC4571() / check) for check in checks]
    connection.send(b"".join(frames), cut=[len(frames[0]) + cut], pause=pixit.drip * 5)
    expect_answer(peer, iut, connection, *checks)


@in_segments
@crosswise
@pytest.mark.parametrize("order", ORDERS)
@requirement("RFC4571-2-s01", needs="offers:passive")
def test_checks_in_segments_out_of_order(upper, peer, side, order, pixit):
    """with    a connection to the IUT's passive candidate
    when    the segments of three checks arrive out of order, overlapping or repeated
    then    the IUT answers each check once, for TCP has put the octets in order.
    """
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    checks = [peer.check(iut) for _ in range(3)]
    octets = b"".join(bytes(RFC4571() / check) for check in checks)
    connection.arrange(octets, *in_order_of(order, octets))
    expect_answer(peer, iut, connection, *checks)
    connection.expect_nothing(BindingSuccess, within=pixit.silence)


@in_segments
@crosswise
@pytest.mark.parametrize("order", ORDERS)
@requirement("RFC4571-2-s01", needs="reports:data")
def test_data_in_segments_out_of_order(upper, peer, side, order):
    """with    ICE completed on a connection
    when    the segments of three frames with data arrive out of order, overlapping or repeated
    then    the IUT's application receives the data in order, and each frame's once."""
    selected = establish_in_segments(upper, peer, side)
    await_delivered(upper, peer, selected)
    last = deliverable(upper, peer, selected, rtp(3, b"the end"))
    octets = frame(DATA) + frame(rtp(2, bytes(900))) + frame(last)
    selected.arrange(octets, *in_order_of(order, octets))
    expect_delivered(upper, peer, selected, DATA, rtp(2, bytes(900)), last)

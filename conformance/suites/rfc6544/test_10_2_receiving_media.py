"""RFC 6544 section 10.2: what the IUT makes of the frames it receives."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.delivery import deliverable, expect_delivered, expect_delivered_in_the_end
from conformance.suites.establishing import (
    await_selection,
    complete_all,
    establish,
    establish_components,
    open_connections,
)
from conformance.suites.marks import OPENERS, both_sides, requirement, varied
from conformance.suites.media import await_delivered
from conformance.suites.negotiation import negotiate
from conformance.suites.reopening import reopen
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import DATA, MORE_DATA
from conformance.wire.layers import RFC4571, binding_indication
from conformance.wire.rfc4571 import frame


@varied("family", "roles", "segmentation", "components", "candidates", cuts=range(1, len(DATA) + 2))
@requirement("RFC6544-10.2-01", "RFC4571-2-s01", needs="reports:data")
def test_framed_media_is_delivered(upper, peer, side):
    """with    ICE completed on a connection
    when    a frame with data arrives
    then    the IUT's application receives the data without the frame."""
    selected = establish(upper, peer, side)
    data = deliverable(upper, peer, selected)
    selected.send(frame(data))
    expect_delivered(upper, peer, selected, data)


@varied("family", "roles", "components", "candidates")
@pytest.mark.parametrize("cut", [(1,), (2,), (9,)], ids=["in-length", "behind-length", "in-payload"])
@requirement("RFC6544-10.2-01", "RFC4571-2-s01", needs="reports:data")
def test_media_split_between_segments_is_delivered(upper, peer, side, pixit, cut):
    """with    ICE completed on a connection
    when    a frame with data arrives in two segments
    then    the IUT's application receives the data."""
    selected = establish(upper, peer, side)
    await_delivered(upper, peer, selected)
    data = deliverable(upper, peer, selected)
    selected.send(frame(data), cut=cut, pause=pixit.drip)
    expect_delivered(upper, peer, selected, data)


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-10.2-s01", needs="reports:data")
def test_checks_and_media_in_one_segment_are_told_apart(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    data, a check and more data arrive in one segment
    then    the check is answered, and the application receives both data and nothing of the check."""
    selected = establish(upper, peer, side)
    await_delivered(upper, peer, selected)
    check = bytes(RFC4571() / peer.check(peer.iut))
    data = deliverable(upper, peer, selected, MORE_DATA)
    selected.send(frame(DATA) + check + frame(data))
    selected.expect(BindingSuccess, within=pixit.response)
    expect_delivered(upper, peer, selected, DATA, data)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-10.2-s01", needs="payload:raw reports:data")
def test_checks_are_not_delivered_as_media(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    a check arrives and is answered, and then a Binding indication
    then    the IUT's application receives nothing."""
    selected = establish(upper, peer, side)
    selected.send(RFC4571() / peer.check(peer.iut))
    selected.await_frame(BindingSuccess, within=pixit.response)
    selected.send(RFC4571() / binding_indication(transaction_id=b"indication!!"))
    upper.expect_no_data(within=pixit.silence)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-10.2-s02", needs="payload:raw reports:data")
def test_byte_stream_is_put_together_in_order(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    it arrives in many small frames
    then    the IUT's application receives all octets in order."""
    selected = establish(upper, peer, side, media="bytes")
    portions = [bytes([0x80 | number // 2]) * (number // 2 + 1) for number in range(80)]  # each twice
    selected.send(b"".join(map(frame, portions)))
    upper.expect_data(b"".join(portions), within=pixit.response)


@varied("family", "segmentation", "roles", "candidates")
@requirement("RFC6544-10.2-01", needs="offers:passive components:2 payload:raw reports:data")
def test_media_is_delivered_to_its_component(upper, peer, side, pixit):
    """with    ICE completed for two components
    when    frames with data arrive on the connection of each
    then    the IUT's application receives each one's data on its component."""
    first, second = establish_components(upper, peer, side, 2)
    await_delivered(upper, peer, first)
    second.send(frame(MORE_DATA))
    upper.expect_data(MORE_DATA, component=2, within=pixit.response)
    first.send(frame(DATA))
    upper.expect_data(DATA, component=1, within=pixit.response)


@varied("components", side="answerer")
@requirement("RFC6544-10.2-01", needs="connects:active reports:data")
def test_media_on_an_opened_connection_is_delivered(upper, peer):
    """with    ICE completed on connections that the IUT opened
    when    a frame with data arrives
    then    the IUT's application receives the data without the frame."""
    iut, connections = open_connections(upper, peer, "answerer", "IUT")
    selected = complete_all(upper, peer, iut, connections)[-1]
    data = deliverable(upper, peer, selected)
    selected.send(frame(data))
    expect_delivered(upper, peer, selected, data)


@both_sides
@requirement("RFC6544-10.2-01", needs="offers:passive restart reports:data")
def test_media_during_a_restart_is_delivered(upper, peer, side):
    """with    ICE restarted after it had completed on a connection
    when    a frame with data arrives on this connection
    then    the IUT's application receives the data."""
    selected = establish(upper, peer, side, opener="tester")
    await_delivered(upper, peer, selected)
    data = deliverable(upper, peer, selected)
    restart(upper, peer, RESTARTS_BY[side])
    selected.send(frame(data))
    expect_delivered(upper, peer, selected, data)


@both_sides
@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC6544-10.2-01", needs="reports:data")
def test_media_on_a_reopened_connection_is_delivered(upper, peer, side, opener):
    """with    a connection in the place of the selected one, which was lost, checked both ways
    when    frames with data arrive on it, until the IUT has taken it into use
    then    the IUT's application receives the data."""
    reopened = reopen(upper, peer, side, opener)
    upper.forget_data()
    data = deliverable(upper, peer, reopened, MORE_DATA)
    expect_delivered_in_the_end(upper, peer, reopened, data)


@both_sides
@requirement("RFC6544-10.2-01", needs="offers:so reports:data")
def test_media_on_an_so_connection_is_delivered(upper, peer, side):
    """with    ICE completed on a connection to the IUT's S-O candidate
    when    a frame with data arrives
    then    the IUT's application receives the data."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="so")))
    await_selection(upper, peer, selected)
    data = deliverable(upper, peer, selected)
    selected.send(frame(data))
    expect_delivered(upper, peer, selected, data)

"""RFC 6544 section 10.1: where and how media leaves the IUT."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.driving import live
from conformance.suites.establishing import establish, establish_components, open_connections
from conformance.suites.framing import PACKETS, misframed
from conformance.suites.marks import OPENERS, both_sides, requirement, varied
from conformance.suites.media import (
    await_octets_of,
    await_sent,
    carries,
    expect_coming,
    expect_sent,
    send_each,
    unframed_data,
)
from conformance.suites.reopening import needs_reopened
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import DATA, MORE_DATA, UNKNOWN_OPTIONAL
from conformance.wire.layers import RFC4571, RawStunAttribute
from conformance.wire.stun import looks_like_stun


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-10.1-01")
def test_media_leaves_on_the_selected_connection(upper, peer, side):
    """with    ICE completed on a connection
    when    the IUT's application sends data
    then    the data comes over this connection, and no new one is opened."""
    selected = establish(upper, peer, side)
    expect_coming(upper, peer, selected, DATA, "the data did not come over the selected connection")
    peer.expect_no_connection(within=0)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-10.1-02")
def test_media_is_framed(upper, peer, side):
    """with    ICE completed on a connection
    when    the IUT's application sends two packets
    then    it comes in frames whose payload is the data and nothing else."""
    selected = establish(upper, peer, side)
    packets = [PACKETS[2], PACKETS[4]]
    await_octets_of(upper, peer, selected, packets)
    bare = unframed_data(upper, peer.alike(selected))
    assert not bare, bare[0]
    expect_sent(upper, peer, selected, packets)


@both_sides
@requirement("RFC6544-10.1-02", needs="payload:raw")
def test_packets_of_many_lengths_are_framed(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the IUT's application sends packets of very different lengths
    then    each comes whole, in a frame of its own."""
    selected = establish(upper, peer, side)
    await_octets_of(upper, peer, selected, PACKETS)
    bare = misframed([selected]).bare_data
    assert not bare, bare[0]
    frames = selected.expect_data(b"".join(PACKETS), within=pixit.response)
    assert [len(frame.octets) for frame in frames] == [len(packet) for packet in PACKETS]


@both_sides
@requirement("RFC6544-10.1-02", needs="payload:raw")
def test_byte_stream_is_framed(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    the IUT's application sends octets
    then    they come in frames."""
    selected = establish(upper, peer, side, media="bytes")
    await_octets_of(upper, peer, selected, [PACKETS[3]])
    bare = misframed([selected]).bare_data
    assert not bare, bare[0]
    selected.expect_data(PACKETS[3], within=pixit.response)


@varied("components", side="answerer")
@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC6544-10.1-02")
def test_data_on_every_selected_connection_is_framed(upper, peer, opener):
    """with    connections for all components, opened by the IUT or by us
    when    ICE has completed and the IUT's application sends packets on each component
    then    none of them came without a frame."""
    iut, connections = open_connections(upper, peer, "answerer", opener)
    live(upper, peer, iut, connections)
    bare = unframed_data(upper, connections)
    assert not bare, bare[0]


@requirement("RFC6544-10.1-02", needs="sides:answerer offers:passive restart")
def test_data_after_a_restart_is_framed(upper, peer):
    """with    ICE restarted, and completed on another connection
    when    the IUT's application sends packets
    then    none of them came without a frame."""
    former = establish(upper, peer, "answerer", opener="tester")
    iut = restart(upper, peer, "tester")
    second = peer.connect(iut.candidate(tcptype="passive"))
    live(upper, peer, iut, [second])
    bare = unframed_data(upper, [former, second])
    assert not bare, bare[0]


@requirement("RFC6544-10.1-02", needs="sides:answerer connects:active")
def test_data_on_a_reopened_connection_is_framed(upper, peer):
    """with    the IUT having reopened the selected connection
    when    it has been checked both ways and the IUT's application sends packets
    then    none of them came without a frame."""
    peer.lose(establish(upper, peer, "answerer", opener="IUT"), "RST")
    reopened = needs_reopened(upper, peer)
    live(upper, peer, upper.description, [reopened], anew=False)
    bare = unframed_data(upper, [reopened])
    assert not bare, bare[0]


@both_sides
@requirement("RFC6544-10.1-01", needs="offers:passive")
def test_media_does_not_follow_a_later_connection(upper, peer, side, pixit):
    """with    ICE completed on a connection, and a later one checked with success
    when    the IUT's application sends data
    then    it comes only over the selected connection."""
    selected = establish(upper, peer, side, opener="tester")
    await_sent(upper, peer, selected)
    later = peer.connect_if_possible(upper.description.candidate(tcptype="passive"))
    later.send(RFC4571() / peer.check(peer.iut))
    later.wait_for(BindingSuccess, within=pixit.response)
    expect_coming(upper, peer, selected, DATA, "the data did not come over the selected connection")
    assert not carries(upper, later, DATA), f"the data came over {later}, which is not selected"


@both_sides
@requirement("RFC6544-10.1-01", needs="payload:raw offers:passive components:2")
def test_media_of_the_second_component_leaves_on_its_connection(upper, peer, side):
    """with    ICE completed for two components
    when    the IUT's application sends data on the second
    then    it comes only over the second one's connection."""
    first, second = establish_components(upper, peer, side, 2)
    expect_coming(upper, peer, second, MORE_DATA, "the data did not come over the second component's connection")
    assert MORE_DATA not in first.octets, "the data came over the first component's connection"


@both_sides
@requirement("RFC6544-10.1-01", needs="offers:passive restart")
def test_media_follows_the_selection_of_a_restart(upper, peer, side, pixit):
    """with    ICE restarted, and completed on another connection
    when    the IUT's application sends data
    then    it comes only over the newly selected connection."""
    former = establish(upper, peer, side, opener="tester")
    upper.try_to_send(MORE_DATA)
    iut = restart(upper, peer, RESTARTS_BY[side])
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    peer.wait(pixit.silence)
    before = len(former.octets)
    expect_coming(upper, peer, selected, DATA, "the data did not come over the newly selected connection")
    assert not carries(upper, former, DATA, before), "the data came over the formerly selected connection"


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-10.1-03", needs="payload:raw")
def test_data_that_looks_like_stun_is_divided(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    the IUT's application sends octets that are exactly a STUN message
    then    they come divided so that no frame looks like STUN."""
    selected = establish(upper, peer, side, media="bytes")
    await_sent(upper, peer, selected)
    lookalike = bytes(peer.check(peer.iut, attributes=[]))
    assert looks_like_stun(lookalike)
    upper.send(lookalike)
    selected.expect_data(lookalike, within=pixit.response)


@both_sides
@requirement("RFC6544-10.1-03", needs="payload:raw")
def test_every_portion_that_looks_like_stun_is_divided(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    the IUT's application sends other data, and then messages of STUN, short and long, portion by portion
    then    no frame looks like STUN."""
    selected = establish(upper, peer, side, media="bytes")
    await_sent(upper, peer, selected)
    long = RawStunAttribute(type=UNKNOWN_OPTIONAL, value=bytes(1200))
    lookalikes = [bytes(peer.check(peer.iut, attributes=more)) for more in ([], [long], [])]
    send_each(upper, (DATA, *lookalikes))
    selected.expect_data(b"".join((DATA, *lookalikes)), within=pixit.response)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-10.1-s01", needs="payload:raw")
def test_byte_stream_of_many_frames_keeps_its_order(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    the IUT's application sends more octets than a frame can hold
    then    they come in several frames, in order."""
    selected = establish(upper, peer, side, media="bytes")
    await_sent(upper, peer, selected)
    octets = b"".join(number.to_bytes(4, "big") for number in range(0x80000000, 0x80000000 + 40000))
    upper.send(octets)
    selected.expect_data(octets, within=pixit.response)

"""RFC 6544 section 10.1: where and how media leaves the IUT."""

from __future__ import annotations

from conformance.suites.case import establish, requirement, varied
from conformance.suites.values import DATA, rtp
from conformance.wire.stun import looks_like_stun


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-10.1-01", needs="payload:raw")
def test_media_leaves_on_the_selected_connection(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the IUT's application sends data
    then    the data comes over this connection, and no new one is opened."""
    selected = establish(upper, peer, side)
    upper.send(DATA)
    selected.expect_data(DATA, within=pixit.response)
    peer.expect_no_connection(within=0)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-10.1-02", needs="payload:raw")
def test_media_is_framed(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the IUT's application sends data twice
    then    it comes in frames whose payload is the data alone."""
    selected = establish(upper, peer, side)
    upper.send(DATA)
    selected.expect_data(DATA, within=pixit.response)
    upper.send(rtp(2, bytes(1200)))
    selected.expect_data(rtp(2, bytes(1200)), within=pixit.response)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-10.1-03", needs="payload:raw")
def test_data_that_looks_like_stun_is_divided(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    the IUT's application sends octets that are a STUN message to the letter
    then    they come divided so that no frame looks like STUN."""
    selected = establish(upper, peer, side, media="bytes")
    lookalike = bytes(peer.check(peer.iut, attributes=[]))
    assert looks_like_stun(lookalike)
    upper.send(lookalike)
    selected.expect_data(lookalike, within=pixit.response)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-10.1-s01", needs="payload:raw")
def test_byte_stream_of_many_frames_keeps_its_order(upper, peer, side, pixit):
    """with    a byte stream over the selected connection
    when    the IUT's application sends more octets than a frame can hold
    then    they come in several frames, in order."""
    selected = establish(upper, peer, side, media="bytes")
    octets = b"".join(number.to_bytes(4, "big") for number in range(0x80000000, 0x80000000 + 40000))
    upper.send(octets)
    selected.expect_data(octets, within=pixit.response)

"""RFC 4571 section 8: packets of any length."""

from __future__ import annotations

import pytest

from conformance.suites.delivery import deliverable, expect_delivered
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.media import await_delivered, await_sent, needs_sending
from conformance.suites.values import MORE_DATA, rtp
from conformance.wire.rfc4571 import frame


@varied("family", "roles", "segmentation", "components", "candidates")
@pytest.mark.parametrize("length", [12, 255, 256, 1460, 0x7FFF, 0x8000, 0xFFFF])
@requirement("RFC4571-8-s01", needs="reports:data")
def test_frame_of_any_length_is_delivered(upper, peer, side, length):
    """with    ICE completed on a connection
    when    a frame of one of the lengths that LENGTH can say arrives, and then another
    then    the IUT's application receives all of both; where DTLS stands above ICE, DTLS receives the other."""
    selected = establish(upper, peer, side)
    await_delivered(upper, peer, selected)
    octets = rtp(1, bytes(position & 0xFF for position in range(length - 12)))
    last = deliverable(upper, peer, selected, MORE_DATA)
    selected.send(frame(octets) + frame(last))
    expect_delivered(upper, peer, selected, octets, last)


@varied("family", "roles", "segmentation", "candidates")
@pytest.mark.parametrize("length", [1, 2, 11, 0xFFFF])
@requirement("RFC4571-8-s01", needs="payload:raw reports:data")
def test_frame_of_any_length_is_delivered_to_a_byte_stream(upper, peer, side, pixit, length):
    """with    a byte stream over the selected connection
    when    a frame of one of the lengths that LENGTH can say arrives
    then    the IUT's application receives all of it."""
    selected = establish(upper, peer, side, media="bytes")
    await_delivered(upper, peer, selected)
    octets = bytes(0x80 | (position & 0x3F) for position in range(length))
    selected.send(frame(octets))
    upper.expect_data(octets, within=pixit.response)


@both_sides
@requirement("RFC4571-8-s01", needs="payload:raw")
def test_largest_packet_is_sent_in_one_frame(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the IUT's application sends a packet of 65,535 octets, which its stack takes
    then    it comes whole."""
    selected = establish(upper, peer, side)
    await_sent(upper, peer, selected)
    octets = rtp(1, bytes(position & 0x7F for position in range(0xFFFF - 12)))
    needs_sending(upper, octets)
    selected.expect_data(octets, within=pixit.response)

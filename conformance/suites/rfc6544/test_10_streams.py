"""RFC 6544 section 10: the media of several streams."""

from __future__ import annotations

from conformance.suites.establishing import establish_streams
from conformance.suites.marks import both_sides, requirement
from conformance.suites.media import (
    await_delivered,
    expect_coming,
)
from conformance.suites.values import DATA, MORE_DATA
from conformance.wire.rfc4571 import frame


@both_sides
@requirement("RFC6544-10.1-01", needs="offers:passive streams:2 payload:raw")
def test_media_of_a_stream_goes_over_its_own_connection(upper, peer, side, pixit):
    """with    ICE completed for two streams
    when    the IUT's application sends data of each
    then    it comes only over the connection of its own stream."""
    first, second = establish_streams(upper, peer, side)
    expect_coming(upper, peer, first, MORE_DATA, "the data of the first stream did not come over its connection")
    expect_coming(upper, peer, second, DATA, "the data of the second stream did not come over its connection", stream=1)
    peer.wait(pixit.silence)
    assert DATA not in first.octets, "the data of the second stream came over the first one's connection"


@both_sides
@requirement("RFC6544-10.2-01", needs="offers:passive streams:2 payload:raw reports:data")
def test_media_of_a_stream_is_delivered_as_its_own(upper, peer, side, pixit):
    """with    ICE completed for two streams
    when    media come over the second stream's connection
    then    the IUT's application receives them, as the second stream's."""
    first, second = establish_streams(upper, peer, side)
    await_delivered(upper, peer, first)
    second.send(frame(DATA))
    upper.expect_data(DATA, stream=1, within=pixit.response)

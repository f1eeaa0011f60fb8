"""RFC 6544 section 10: the media of several streams."""

from __future__ import annotations

from conformance.peer.events import Data
from conformance.suites.establishing import establish_streams
from conformance.suites.marks import both_sides, requirement
from conformance.suites.values import DATA
from conformance.wire.rfc4571 import frame


@both_sides
@requirement("RFC6544-10.1-01", needs="offers:passive streams:2 profile:plain payload:raw")
def test_media_of_a_stream_goes_over_its_own_connection(upper, peer, side, pixit):
    """with    ICE completed for two streams
    when    the IUT's application sends data of the second
    then    it comes over the second stream's connection, and nothing over the first's."""
    first, second = establish_streams(upper, peer, side)
    upper.send(DATA, stream=1)
    second.expect_data(DATA, within=pixit.response)
    first.expect_nothing(Data, within=pixit.silence)


@both_sides
@requirement("RFC6544-10.2-01", needs="offers:passive streams:2 profile:plain payload:raw reports:data")
def test_media_of_a_stream_is_delivered_as_its_own(upper, peer, side, pixit):
    """with    ICE completed for two streams
    when    media come over the second stream's connection
    then    the IUT's application receives them, as the second stream's."""
    _, second = establish_streams(upper, peer, side)
    second.send(frame(DATA))
    upper.expect_data(DATA, stream=1, within=pixit.response)

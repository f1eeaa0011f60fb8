"""RFC 6544 section 11.1: the connections of several streams."""

from __future__ import annotations

from conformance.suites.establishing import establish_streams
from conformance.suites.marks import both_sides, requirement


@both_sides
@requirement("RFC6544-11.1-02", needs="offers:passive streams:2 profile:plain")
def test_connections_of_all_streams_are_closed_with_the_session(upper, peer, side, pixit):
    """with    ICE completed on the connections of two streams
    when    the IUT's session is closed
    then    the IUT closes both."""
    connections = establish_streams(upper, peer, side)
    upper.close()
    peer.expect_all_closed(connections, within=pixit.close)

"""RFC 6544 section 11.1: the end of connections of several streams, or at other places than the usual one."""

from __future__ import annotations

from conformance.suites.establishing import establish_streams
from conformance.suites.marks import both_sides, requirement
from conformance.suites.places import places, selected_at


@both_sides
@requirement("RFC6544-11.1-02", needs="offers:passive streams:2")
def test_connections_of_all_streams_are_closed_with_the_session(upper, peer, side, pixit):
    """with    ICE completed on the connections of two streams
    when    the IUT's session is closed
    then    the IUT closes both."""
    connections = establish_streams(upper, peer, side)
    upper.close()
    peer.expect_all_closed(connections, within=pixit.close)


@both_sides
@places("component", "so", "restarted")
@requirement("RFC6544-11.1-02")
def test_connection_elsewhere_is_closed_with_the_session(upper, peer, side, where, pixit):
    """with    ICE completed on connections to a second component, to an S-O candidate, or of a restart
    when    the IUT's session is closed
    then    the IUT closes them."""
    selected = [connection for _, connection in selected_at(upper, peer, side, where)]
    upper.close()
    peer.expect_all_closed(selected, within=pixit.close)

"""RFC 6544 section 8: concluding ICE with several streams."""

from __future__ import annotations

from conformance.suites.driving import refused_check
from conformance.suites.establishing import await_selection
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate_streams


@both_sides
@requirement("RFC6544-8-02", needs="offers:passive streams:2")
def test_spare_connection_of_the_second_stream_is_closed(upper, peer, side, pixit):
    """with    two streams, and a spare connection to the passive candidate of the second, its check refused
    when    ICE has completed on the other connections
    then    the IUT closes the spare one."""
    first, second = negotiate_streams(upper, peer, side)
    spare = refused_check(peer, second, peer.connect(second.candidate(tcptype="passive")))
    mine = peer.complete(first, peer.connect(first.candidate(tcptype="passive")))
    others = peer.complete(second, peer.connect(second.candidate(tcptype="passive")))
    await_selection(upper, peer, mine)
    await_selection(upper, peer, others)
    spare.expect_end(within=pixit.close)

"""RFC 6544 section 10.1: media over a connection that began with crossing SYNs."""

from __future__ import annotations

from conformance.suites.establishing import await_selection
from conformance.suites.marks import crosswise, in_segments, requirement
from conformance.suites.media import (
    expect_coming,
)
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA


@in_segments
@crosswise
@requirement("RFC6544-10.1-01", "RFC6544-7.1-s01", needs="offers:so connects:so")
def test_media_over_a_connection_of_crossed_syns(upper, peer, segments, side, pixit):
    """with    ICE completed on a connection that began with crossing SYNs
    when    the IUT's application sends data
    then    it comes over this connection."""
    base = peer.listen()
    segments.cross(base)
    ours = [peer.candidate("so", port=base.port)]
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_candidates=ours)
    selected = peer.complete(iut, peer.await_connection())
    await_selection(upper, peer, selected)
    expect_coming(upper, peer, selected, DATA, "the data did not come over this connection")

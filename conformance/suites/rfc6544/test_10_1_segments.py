"""RFC 6544 section 10.1: media meet a window that is shut."""

from __future__ import annotations

from conformance.suites.marks import crosswise, in_segments, requirement
from conformance.suites.media import await_sent, expect_sent
from conformance.suites.segments import establish_in_segments
from conformance.suites.values import DATA


@in_segments
@crosswise
@requirement("RFC6544-10.1-02")
def test_media_waits_for_a_shut_window(upper, peer, side, pixit):
    """with    ICE completed, and our window shut until the IUT's TCP has probed it
    when    the window is open again
    then    what the IUT's application sent meanwhile comes whole, in frames."""
    selected = establish_in_segments(upper, peer, side)
    await_sent(upper, peer, selected)
    selected.announce_window(0)
    upper.try_to_send(DATA)
    selected.await_probe(within=pixit.complete)
    selected.announce_window(0xFFFF)
    expect_sent(upper, peer, selected, [DATA])

"""RFC 6544 section 11.1: the connection of two S-O candidates is lost, and either side may open it again."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.marks import both_sides, ends, requirement
from conformance.suites.media import await_sent, expect_media
from conformance.suites.reopening import expect_reopened, needs_reopened, reopen_from_so
from conformance.suites.simultaneous_open import complete_on
from conformance.suites.values import MORE_DATA
from conformance.wire.layers import RFC4571


@ends
@both_sides
@requirement("RFC6544-11.1-05", needs="offers:so connects:so")
def test_so_side_reopens_the_lost_connection(upper, peer, side, end):
    """with    ICE completed on a connection of two S-O candidates
    when    we end it and the IUT's application goes on sending
    then    the IUT opens a connection to our S-O candidate."""
    peer.lose(complete_on(upper, peer, side, "S-O"), end)
    expect_reopened(upper, peer)


@both_sides
@requirement("RFC6544-11.1-s01", needs="offers:so connects:so")
def test_media_flows_on_the_so_connection_that_the_iut_reopened(upper, peer, side):
    """with    the IUT having reopened the connection of two S-O candidates
    when    its check there has been answered and its application sends data
    then    the data comes over this connection."""
    selected = complete_on(upper, peer, side, "S-O")
    await_sent(upper, peer, selected)
    peer.lose(selected, "RST")
    reopened = peer.revive(upper.description, needs_reopened(upper, peer))
    expect_media(upper, peer, reopened, MORE_DATA)


@both_sides
@requirement("RFC6544-11.1-08", "RFC6544-11.1-09", needs="offers:so connects:so")
def test_so_connection_that_we_reopen_is_checked_in_return(upper, peer, side, pixit):
    """with    a connection that we have opened from our S-O candidate to the IUT's, in the place of the selected one
    when    we send a check
    then    the IUT answers it, and sends a check on it in return."""
    selected = complete_on(upper, peer, side, "S-O")
    peer.lose(selected, "RST")
    reopened = reopen_from_so(upper, peer, selected)
    reopened.send(RFC4571() / peer.check(upper.description))
    reopened.expect(BindingSuccess, within=pixit.response)
    reopened.expect(BindingRequest, within=pixit.connect)

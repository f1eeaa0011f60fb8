"""RFC 8839 section 4.4.3.1.1: restarts of full agents."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement
from conformance.suites.media import expect_media
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import DATA


@both_sides
@requirement("RFC8839-4.4.3.1.1-01", needs="payload:raw")
def test_data_goes_on_over_the_previous_pair(upper, peer, side):
    """with    ICE restarted, and no new pair yet
    when    the IUT's application sends data
    then    it comes over the previous selected connection."""
    selected = establish(upper, peer, side)
    restart(upper, peer, RESTARTS_BY[side])
    selected.begin_anew(selected=True)
    expect_media(upper, peer, selected, DATA)


@both_sides
@requirement("RFC8839-4.4.3.1.1-02", "RFC8839-4.4.3.1-01", needs="connects:active sides:offerer")
def test_pairs_are_checked_anew(upper, peer, side, pixit):
    """with    ICE completed
    when    ICE restarts, and our new description has a passive candidate
    then    the IUT connects to it and checks with the new credentials."""
    establish(upper, peer, side)
    restart(upper, peer, RESTARTS_BY[side], "passive")
    check = peer.expect_connection().expect(BindingRequest, within=pixit.response)
    assert check.is_to(peer.ufrag), f"USERNAME is {check.stun.username}"

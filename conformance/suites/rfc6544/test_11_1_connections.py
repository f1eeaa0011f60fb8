"""RFC 6544 section 11.1: the life of connections formed by checks."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.case import establish, negotiate, requirement, varied
from conformance.wire.layers import RFC4571


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-8-02", "RFC6544-11.1-01", needs="offers:passive")
def test_selected_connection_stays_open(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the unselected ones would be closed
    then    the selected one is not."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    selected.expect_open(within=pixit.silence)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-11.1-08", needs="offers:passive")
def test_check_after_completion_is_answered(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    a further check arrives on it
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    selected.send(RFC4571() / peer.check(iut))
    selected.expect(BindingSuccess, within=pixit.response)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-11.1-02")
def test_selected_connection_is_closed_with_the_session(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the IUT's session is closed
    then    the IUT closes the connection."""
    selected = establish(upper, peer, side)
    upper.close()
    selected.expect_end(within=pixit.close)

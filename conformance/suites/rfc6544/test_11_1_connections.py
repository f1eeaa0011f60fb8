"""RFC 6544 section 11.1: the life of connections formed by checks."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingSuccess
from conformance.suites.checks import expect_answers
from conformance.suites.establishing import await_open, complete_all, establish, open_connections
from conformance.suites.marks import OPENERS, both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-11.1-01", "RFC6544-8-02", needs="offers:passive")
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
    await_open(peer, selected)
    request = peer.check(iut)
    selected.send(RFC4571() / request)
    selected.expect(BindingSuccess(request.transaction_id), within=pixit.response)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-11.1-02")
def test_selected_connection_is_closed_with_the_session(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    the IUT's session is closed
    then    the IUT closes the connection."""
    selected = establish(upper, peer, side)
    upper.close()
    selected.expect_end(within=pixit.close)


@varied("components", side="answerer")
@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC6544-11.1-01", "RFC6544-11.1-04")
def test_every_selected_connection_stays_open(upper, peer, opener, pixit):
    """with    connections for all components, opened by the IUT or by us
    when    ICE has completed, and the IUT's application has sent something
    then    the IUT closes none of them."""
    iut, connections = open_connections(upper, peer, "answerer", opener)
    # Not complete_all(): one that is closed as soon as it is selected leaves that case inconclusive.
    selected = [peer.complete(iut, connection) for connection in connections]
    upper.ready(within=pixit.complete)
    upper.try_to_send(DATA, selected[0].component)
    upper.try_to_send(DATA, selected[-1].component)
    selected[-1].expect_open(within=pixit.silence)
    selected[0].expect_open(within=0)


@varied("components", side="answerer")
@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC6544-11.1-02")
def test_every_selected_connection_is_closed_with_the_session(upper, peer, opener):
    """with    connections for all components, opened by the IUT or by us
    when    ICE has completed, and the IUT's session is closed
    then    the IUT closes all of them."""
    iut, connections = open_connections(upper, peer, "answerer", opener)
    selected = complete_all(upper, peer, iut, connections)
    upper.close()
    peer.expect_all_closed(selected, within=peer.pixit.close)


@varied("components")
@requirement("RFC6544-11.1-08", needs="connects:active")
def test_check_on_an_opened_connection_is_answered(upper, peer, side):
    """with    connections that the IUT has opened, one for each component
    when    a check arrives on each
    then    it is answered with success."""
    iut, connections = open_connections(upper, peer, side, "IUT")
    expect_answers(peer, [(iut, connection) for connection in connections])


@both_sides
@requirement("RFC6544-11.1-08", needs="connects:active")
def test_check_after_completion_on_an_opened_connection_is_answered(upper, peer, side, pixit):
    """with    ICE completed on a connection that the IUT opened
    when    a further check arrives on it
    then    it is answered with success."""
    selected = establish(upper, peer, side, opener="IUT")
    request = peer.check(peer.iut)
    selected.send(RFC4571() / request)
    selected.expect(BindingSuccess(request.transaction_id), within=pixit.response)


@both_sides
@requirement("RFC6544-11.1-08", needs="offers:passive restart")
def test_check_during_a_restart_is_answered(upper, peer, side, pixit):
    """with    ICE restarted after it had completed on a connection
    when    a check arrives on this connection, with the former credentials
    then    it is answered: with success, or refused for its credentials."""
    selected = establish(upper, peer, side, opener="tester")
    late = peer.check(peer.iut)
    restart(upper, peer, RESTARTS_BY[side])
    selected.send(RFC4571() / late)
    selected.expect(AnyResponse(late.transaction_id), within=pixit.response)

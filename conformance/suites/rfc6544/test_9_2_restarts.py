"""RFC 6544 section 9.2: what becomes of selected connections when ICE restarts."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.establishing import establish, establish_components
from conformance.suites.marks import both_sides, crosswise, requirement, watches
from conformance.suites.negotiation import STREAMS
from conformance.suites.places import complete_each, places, selected_at
from conformance.suites.restarts import RESTARTS_BY, await_connection_of_restart, restart
from conformance.wire.layers import RFC4571

either_restarts = pytest.mark.parametrize("by", ["IUT", "tester"])


@watches(6.0)
@either_restarts
@both_sides
@requirement("RFC6544-9.2-01")
def test_selected_connection_stays_open_when_ice_restarts(upper, peer, side, by, pixit):
    """with    ICE completed on a connection
    when    the IUT or we restart ICE by offer and answer
    then    the IUT does not close the connection."""
    selected = establish(upper, peer, side)
    restart(upper, peer, by)
    selected.expect_open(within=pixit.close)


@both_sides
@requirement("RFC6544-9.2-01", needs="offers:passive")
def test_selected_connection_stays_open_until_another_is_selected(upper, peer, side, pixit):
    """with    ICE restarted after it had completed on a connection
    when    a check on a new connection has succeeded, but nothing has been nominated
    then    the IUT has not closed the former connection."""
    selected = establish(upper, peer, side, opener="tester")
    peer.answering = False
    iut = restart(upper, peer, RESTARTS_BY[side])
    second = peer.connect(iut.candidate(tcptype="passive"))
    second.send(RFC4571() / peer.check(iut))
    second.await_frame(BindingSuccess, within=pixit.response)
    selected.expect_open(within=pixit.silence)


@both_sides
@requirement("RFC6544-9.2-04", needs="offers:passive")
def test_former_connection_is_closed_once_another_is_selected(upper, peer, side, pixit):
    """with    ICE restarted after it had completed on a connection
    when    the restart completes on another connection
    then    the IUT closes the former one."""
    former = establish(upper, peer, side, opener="tester")
    iut = restart(upper, peer, RESTARTS_BY[side])
    peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    former.expect_end(within=pixit.close)


@watches(6.0)
@both_sides
@requirement("RFC6544-9.2-01", needs="connects:active")
def test_connection_that_the_iut_opened_stays_open_when_ice_restarts(upper, peer, side, pixit):
    """with    ICE completed on a connection that the IUT opened
    when    the side that offered restarts ICE
    then    the IUT does not close the connection."""
    selected = establish(upper, peer, side, opener="IUT")
    restart(upper, peer, RESTARTS_BY[side])
    selected.expect_open(within=pixit.close)


@watches(6.0)
@both_sides
@requirement("RFC6544-9.2-01", needs="offers:passive components:2")
def test_connections_of_all_components_stay_open_when_ice_restarts(upper, peer, side, pixit):
    """with    ICE completed on the connections of two components
    when    the side that offered restarts ICE
    then    the IUT closes neither."""
    first, second = establish_components(upper, peer, side, 2)
    restart(upper, peer, RESTARTS_BY[side])
    second.expect_open(within=pixit.close)
    first.expect_open(within=0)


@requirement("RFC6544-9.2-01", needs="offers:passive sides:answerer")
def test_selected_connection_outlives_a_valid_pair_of_the_restart(upper, peer, pixit):
    """with    ICE restarted by us, who control, after it had completed on a connection
    when    checks of both sides have succeeded on a new one, but nothing has been nominated
    then    the IUT has not closed the former connection."""
    selected = establish(upper, peer, "answerer", opener="tester")
    iut = restart(upper, peer, "tester")
    second = peer.connect(iut.candidate(tcptype="passive"))
    second.send(RFC4571() / peer.check(iut))
    peer.wait_until(lambda: second.checked, pixit.connect)
    selected.expect_open(within=pixit.silence)


@both_sides
@requirement("RFC6544-9.2-04", needs="connects:active")
def test_former_connection_that_the_iut_opened_is_closed(upper, peer, side, pixit):
    """with    ICE restarted after it had completed on a connection that the IUT opened
    when    the restart completes on another one that it opens
    then    the IUT closes the former one."""
    former = establish(upper, peer, side, opener="IUT")
    iut = restart(upper, peer, RESTARTS_BY[side], "passive")
    peer.complete(iut, await_connection_of_restart(peer, iut))
    former.expect_end(within=pixit.close)


@watches(6.0)
@both_sides
@places("so", "relayed")
@requirement("RFC6544-9.2-01", needs="restart")
def test_connection_to_another_candidate_stays_open_when_ice_restarts(upper, peer, side, where, pixit):
    """with    ICE completed on a connection to the IUT's S-O or relayed candidate
    when    the side that offered restarts ICE
    then    the IUT does not close the connection."""
    ((_, selected),) = selected_at(upper, peer, side, where)
    restart(upper, peer, RESTARTS_BY[side])
    selected.expect_open(within=pixit.close)


@watches(6.0)
@both_sides
@requirement("RFC6544-9.2-01", needs="offers:passive restart streams:2")
def test_connections_of_all_streams_stay_open_when_ice_restarts(upper, peer, side, pixit):
    """with    ICE completed on the connections of two streams
    when    the side that offered restarts ICE for both
    then    the IUT closes neither."""
    (_, first), (_, second) = selected_at(upper, peer, side, "stream")
    restart(upper, peer, RESTARTS_BY[side], streams=STREAMS)
    second.expect_open(within=pixit.close)
    first.expect_open(within=0)


@crosswise
@requirement("RFC6544-9.2-01", needs="offers:passive restart")
def test_connection_of_a_restart_stays_open_in_the_next(upper, peer, side, pixit):
    """with    ICE restarted, and completed on a new connection
    when    ICE is restarted once more
    then    the IUT does not close this connection."""
    establish(upper, peer, side, opener="tester")
    iut = restart(upper, peer, RESTARTS_BY[side])
    ((_, second),) = complete_each(upper, peer, [(iut, peer.connect(iut.candidate(tcptype="passive")))])
    restart(upper, peer, RESTARTS_BY[side])
    second.expect_open(within=pixit.silence)

"""RFC 6544 section 9.2: what becomes of selected connections when ICE restarts."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingSuccess
from conformance.suites.case import RESTARTS_BY, both_sides, establish, requirement, restart
from conformance.wire.layers import RFC4571

either_restarts = pytest.mark.parametrize("by", ["IUT", "tester"])


@either_restarts
@both_sides
@requirement("RFC6544-9.2-01")
def test_selected_connection_stays_open_when_ice_restarts(upper, peer, side, by, pixit):
    """with    ICE completed on a connection
    when    the IUT or we restart ICE by offer and answer
    then    the IUT does not close the connection."""
    selected = establish(upper, peer, side)
    restart(upper, peer, by)
    selected.expect_open(within=pixit.silence)


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
    second.expect(BindingSuccess, within=pixit.response)
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

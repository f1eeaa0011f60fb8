"""RFC 8445 section 6.1.1: roles in a restart and behind it."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import claims_role
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, lasts, requirement
from conformance.suites.restarts import RESTARTS_BY, await_connection_of_restart, restart
from conformance.wire.attributes import Attribute
from conformance.wire.layers import RFC4571

# Where the other side than the first offerer restarts, RFC 5245 section 9.1.1.1 lets it take the control.
_BY_US = [
    pytest.param("answerer", "controlled"),
    pytest.param("offerer", "controlling", marks=pytest.mark.requirement(needs=("ice2",))),
]
_BY_THE_IUT = [
    pytest.param("offerer", "controlling"),
    pytest.param("answerer", "controlled", marks=pytest.mark.requirement(needs=("ice2",))),
]


@pytest.mark.parametrize(("side", "role"), _BY_US)
@requirement("RFC8445-6.1.1-04", needs="connects:active")
def test_role_stays_when_we_restart(upper, peer, side, role, pixit):
    """with    ICE completed, and restarted by us
    when    the IUT connects and checks
    then    its check claims the role of before."""
    establish(upper, peer, side)
    iut = restart(upper, peer, "tester", "passive")
    request = await_connection_of_restart(peer, iut).await_frame(BindingRequest, within=pixit.response)
    assert claims_role(request, role), f"its check does not claim to be {role}"


@requirement("RFC8445-6.1.1-05", needs="connects:active sides:answerer")
def test_iut_takes_control_when_we_become_lite(upper, peer, pixit):
    """with    ICE completed with the IUT controlled, and a restart in which we are a lite agent
    when    the IUT connects and checks
    then    its check claims to be controlling."""
    establish(upper, peer, "answerer")
    upper.accept(peer.restart_offer("passive", ice_lite=True), kind="offer")
    upper.describe()
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert claims_role(request, "controlling"), "its check does not claim to be controlling"


@both_sides
@requirement("RFC8445-6.1.1-06", needs="offers:passive")
def test_role_that_we_take_in_a_restart_is_accepted(upper, peer, side, pixit):
    """with    ICE restarted after it had completed
    when    our check claims the IUT's role, with a tie-breaker by which the IUT has to give way
    then    the IUT answers with success, and its own check claims the other role."""
    establish(upper, peer, side)
    iut = restart(upper, peer, RESTARTS_BY[side])
    peer.switch_roles()
    connection = peer.connect(iut.candidate(tcptype="passive"))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    connection.expect(BindingSuccess(request.transaction_id), within=pixit.response)
    back = connection.expect(BindingRequest, within=pixit.connect)
    other = "controlled" if peer.controlling else "controlling"
    assert claims_role(back, other), "its check claims the role that we have taken"


@both_sides
@lasts(5)
@requirement("RFC8445-6.1.1-s01", needs="consent")
def test_role_stays_when_ice_has_completed(upper, peer, side, pixit):
    """with    ICE completed
    when    the IUT renews its consent to send
    then    its request claims the role of before, if any."""
    selected = establish(upper, peer, side)
    selected.begin_anew(selected=True)
    request = selected.await_frame(BindingRequest, within=2 * pixit.close)
    other = Attribute.ICE_CONTROLLED if side == "offerer" else Attribute.ICE_CONTROLLING
    assert not request.stun.has(other), "its request claims the other role"

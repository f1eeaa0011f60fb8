"""RFC 8445 section 7.3.1.1: role conflicts are found and repaired."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse, BindingRequest, BindingSuccess
from conformance.peer.identity import GREAT, SMALL
from conformance.suites.checks import claims_role, expect_answer, expect_refusal, expect_role
from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571

kept_by_the_iut = pytest.mark.parametrize(
    ("side", "controlling", "tie_breaker"),
    [("offerer", True, SMALL), ("answerer", False, GREAT)],
    ids=["offerer-True-0", f"answerer-False-{2**64 - 1}"],  # which are in files of known failures
)


@pytest.mark.parametrize(("side", "role"), [("offerer", "controlled"), ("answerer", "controlling")])
@requirement("RFC8445-7.3.1.1-03", "RFC6544-7.2-s01", needs="offers:passive")
def test_role_conflict_that_the_iut_loses_switches_its_role(upper, peer, side, role, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check claims the IUT's role with a tie-breaker by which the IUT loses it
    then    the IUT answers with success, and its own check claims the other role."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.switch_roles()
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    expect_answer(peer, iut, connection)
    request = connection.await_frame(BindingRequest, within=pixit.connect)
    assert claims_role(request, role), f"its check does not claim to be {role}"


@pytest.mark.parametrize(("side", "role"), [("offerer", "controlled"), ("answerer", "controlling")])
@requirement("RFC8445-7.3.1.1-03", needs="connects:active")
def test_lost_role_conflict_on_an_opened_connection_switches_its_role(upper, peer, side, role, pixit):
    """with    a connection that the IUT has opened, and its check there not answered
    when    a check of ours claims the IUT's role with a tie-breaker by which the IUT loses it
    then    the IUT answers with success, and its further checks claim the other role."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    peer.switch_roles()
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)
    expect_role(peer, role, since=len(peer.checks()), within=pixit.connect)


@kept_by_the_iut
@requirement("RFC8445-7.3.1.1-03", "RFC6544-7.2-s01")
def test_late_role_conflict_is_refused_with_487(upper, peer, side, controlling, tie_breaker):
    """with    ICE completed
    when    a check on the selected connection claims the IUT's own role with a tie-breaker by which the IUT keeps it
    then    the IUT answers with error 487."""
    selected = establish(upper, peer, side)
    iut = upper.description
    peer.tie_breaker = tie_breaker
    request = peer.check(iut, controlling=controlling)
    selected.send(RFC4571() / request)
    expect_refusal(peer, iut, selected, 487, request=request)


@pytest.mark.parametrize(("side", "role"), [("offerer", "controlling"), ("answerer", "controlled")])
@pytest.mark.parametrize("tie_breaker", [0, 2**64 - 1], ids=["smallest", "largest"])
@requirement("RFC8445-7.3.1.1-s01", needs="offers:passive")
def test_different_roles_are_no_conflict(upper, peer, side, role, tie_breaker, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check claims the role that the IUT does not have, with the smallest or the largest tie-breaker
    then    the IUT answers with success, and its own check claims the role of before."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.tie_breaker = tie_breaker
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    response = connection.await_frame(AnyResponse, within=pixit.response)
    assert response.stun.is_success, f"it answers with {response}"
    request = connection.await_frame(BindingRequest, within=pixit.connect)
    assert claims_role(request, role), f"its check does not claim to be {role}"


@kept_by_the_iut
@requirement("RFC8445-7.3.1.1-03", "RFC6544-7.2-s01", needs="offers:passive")
def test_role_conflict_is_refused_with_487(upper, peer, side, controlling, tie_breaker):
    """with    a connection to the IUT's passive candidate
    when    a check claims the IUT's own role with a tie-breaker by which the IUT keeps it
    then    the IUT answers with error 487."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.tie_breaker = tie_breaker
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut, controlling=controlling))
    expect_refusal(peer, iut, connection, 487)

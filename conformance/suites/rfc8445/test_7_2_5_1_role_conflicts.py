"""RFC 8445 section 7.2.5.1: the answer 487 to a check."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    needs_regular_nomination,
    tie_breaker_of,
)
from conformance.suites.marks import SIDES, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571

_OTHER_ROLE = pytest.mark.parametrize(("side", "role"), list(zip(SIDES, ("controlled", "controlling"), strict=True)))


@_OTHER_ROLE
@requirement(
    "RFC8445-7.2.5.1-03",
    "RFC8445-7.2.5.1-01",
    "RFC8445-7.2.5.1-02",
    "RFC6544-7.1-s04",
    needs="connects:active",
)
def test_role_conflict_makes_the_check_come_again_in_the_other_role(upper, peer, side, role, pixit):
    """with    the IUT's check on a connection
    when    we answer it with 487 (Role Conflict)
    then    the IUT checks the pair again, and now claims the other role."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    tie_breaker_of(request)  # n/a where its checks claim no role
    connection.pass_over_all()
    connection.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    connection.expect(BindingRequest(role=role), within=pixit.connect)


@_OTHER_ROLE
@requirement("RFC8445-7.2.5.1-04", needs="connects:active ice2")
def test_role_conflict_changes_the_tie_breaker(upper, peer, side, role, pixit):
    """with    the check of an IUT that follows RFC 8445
    when    we answer it with 487 (Role Conflict)
    then    the next check has another tie-breaker."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    again = connection.await_frame(BindingRequest, within=pixit.connect)
    before = tie_breaker_of(request)
    assert before != tie_breaker_of(again), "the tie-breaker is that of before"


@requirement("RFC8445-7.2.5.1-01", "RFC6544-8-01", "RFC6544-7.1-s04", needs="connects:active sides:answerer")
def test_agent_that_became_controlling_nominates(upper, peer, pixit):
    """with    the controlled IUT's check answered with 487 (Role Conflict)
    when    its next checks are answered with success
    then    it nominates the pair."""
    peer.answering = False
    negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    peer.controlling, peer.answering = False, True
    connection.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    peer.expect_any_nomination(after=request)


@requirement("RFC8445-7.2.5.1-02", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_agent_that_became_controlled_does_not_nominate(upper, peer, pixit):
    """with    the controlling IUT's check answered with 487 (Role Conflict)
    when    its next check is answered with success
    then    it does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    peer.controlling, peer.answering = True, True
    connection.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    connection.expect_nothing(BindingRequest(use_candidate=True), within=pixit.retransmission)

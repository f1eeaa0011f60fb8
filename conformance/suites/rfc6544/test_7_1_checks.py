"""RFC 6544 section 7.1: what each check of the IUT says, and what it takes for an answer."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    WRONG_ANSWERS,
    needs_another_connection,
    needs_regular_nomination,
    roles_said,
    wrong_checks,
)
from conformance.suites.driving import drive
from conformance.suites.establishing import establish
from conformance.suites.marks import SIDES, both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.restarts import restart
from conformance.wire.layers import RFC4571, binding_error

_OTHER_ROLE = pytest.mark.parametrize(("side", "role"), list(zip(SIDES, ("controlled", "controlling"), strict=True)))


@varied("family", "components")
@requirement("RFC6544-7.1-s04", needs="connects:active role:stack")
def test_every_check_on_opened_connections_is_right(upper, peer, side):
    """with    connections that the IUT has opened, one for each component
    when    they have been checked by both sides, and nominated
    then    each check of the IUT's has the right user name, protections, priority and role, and an id of its own."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    drive(peer, iut, [peer.await_connection(listener) for listener in peer.listeners])
    assert not wrong_checks(peer, iut), wrong_checks(peer, iut)[0]


@varied("family", "components")
@requirement("RFC6544-7.1-s04", needs="offers:passive role:stack")
def test_every_check_on_accepted_connections_is_right(upper, peer, side):
    """with    connections to the IUT's passive candidates, one for each component
    when    they have been checked by both sides, and nominated
    then    each check of the IUT's has the right user name, protections, priority and role, and an id of its own."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    passive = [iut.candidate(tcptype="passive", component=n + 1) for n in range(peer.shape.components)]
    drive(peer, iut, [peer.connect(candidate) for candidate in passive])
    assert not wrong_checks(peer, iut), wrong_checks(peer, iut)[0]


@pytest.mark.parametrize("answer", sorted(WRONG_ANSWERS))
@requirement("RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_what_is_no_success_makes_no_pair_valid(upper, peer, answer, pixit):
    """with    the controlling IUT's check on a connection
    when    something comes that is no success response to it, or a success that must be discarded
    then    the IUT does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    channel = peer.await_connection()
    request = channel.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    channel.send(RFC4571() / WRONG_ANSWERS[answer](peer, channel, request))
    channel.expect_nothing(BindingRequest(use_candidate=True), within=pixit.retransmission)


@requirement("RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_response_on_another_connection_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's checks on connections to two candidates of ours
    when    the response to the one comes on the connection of the other
    then    the IUT nominates neither pair, for the addresses are not symmetric."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(2)]
    negotiate(upper, peer, "offerer", peer_candidates=ours)
    first, second = peer.await_connection(), needs_another_connection(peer)
    request = first.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(second.await_frame(BindingRequest, within=pixit.response))
    second.send(RFC4571() / peer.success(first, request))
    peer.wait(pixit.retransmission)
    assert not any(check.stun.use_candidate for check in peer.checks()), "it nominated a pair"


@_OTHER_ROLE
@requirement("RFC6544-7.1-s04", needs="connects:active role:stack")
def test_role_conflict_makes_the_check_come_again_in_the_other_role(upper, peer, side, role, pixit):
    """with    the IUT's check on a connection
    when    we answer it with 487 (Role Conflict)
    then    the IUT checks the pair again, and now claims the other role."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    channel = peer.await_connection()
    request = channel.await_frame(BindingRequest, within=pixit.response)
    channel.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    again = channel.await_frame(BindingRequest, within=pixit.connect)
    assert getattr(again.stun, f"ice_{role}") is not None, f"the new check does not claim to be {role}"


@requirement("RFC6544-7.1-s04", "RFC6544-8-01", needs="connects:active sides:answerer role:stack")
def test_agent_that_became_controlling_nominates(upper, peer, pixit):
    """with    the controlled IUT's check answered with 487 (Role Conflict)
    when    its next checks are answered with success
    then    it nominates the pair."""
    peer.answering = False
    negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    channel = peer.await_connection()
    request = channel.await_frame(BindingRequest, within=pixit.response)
    peer.controlling, peer.answering = False, True
    channel.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    peer.expect(BindingRequest(use_candidate=True), within=pixit.complete)


@requirement("RFC6544-7.1-s04", needs="connects:active sides:offerer role:stack")
def test_agent_that_became_controlled_does_not_nominate(upper, peer, pixit):
    """with    the controlling IUT's check answered with 487 (Role Conflict)
    when    its next check is answered with success
    then    it does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    channel = peer.await_connection()
    request = channel.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    peer.controlling, peer.answering = True, True
    channel.send(RFC4571() / peer.error(request, 487, "Role Conflict"))
    channel.expect_nothing(BindingRequest(use_candidate=True), within=pixit.retransmission)


@both_sides
@requirement("RFC6544-7.1-s04", needs="connects:active role:stack")
def test_unprotected_role_conflict_is_not_believed(upper, peer, side, pixit):
    """with    the IUT's check on a connection
    when    a 487 (Role Conflict) without MESSAGE-INTEGRITY comes as the answer
    then    the IUT keeps its role."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    channel = peer.await_connection()
    request = channel.await_frame(BindingRequest, within=pixit.response)
    before = roles_said(peer)
    channel.send(RFC4571() / binding_error(request.stun.transaction_id, 487, "Role Conflict", None))
    peer.wait(pixit.silence)
    assert roles_said(peer) == before, f"the IUT's checks have claimed to be {' and '.join(roles_said(peer))}"


@both_sides
@requirement("RFC6544-7.1-s04", needs="offers:passive restart role:stack")
def test_every_check_after_a_restart_is_right(upper, peer, side):
    """with    ICE restarted after it had completed on a connection
    when    a new connection has been checked by both sides, and nominated
    then    each check of the IUT's on it has the right user name, protections, priority and role."""
    former = establish(upper, peer, side, opener="tester")
    iut = restart(upper, peer, "IUT" if side == "offerer" else "tester")
    peer.set_aside(former)
    drive(peer, iut, [peer.connect(iut.candidate(tcptype="passive"))])
    assert not wrong_checks(peer, iut), wrong_checks(peer, iut)[0]

"""RFC 8445 section 6.1.1: who controls."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import claims_role
from conformance.suites.driving import check_each
from conformance.suites.marks import both_sides, requirement, watches
from conformance.suites.negotiation import negotiate
from conformance.wire.attributes import Attribute


@requirement("RFC8445-6.1.1-03", "RFC8839-4.4.1.3-06", "RFC6544-6-s01", needs="offers:passive sdp:full")
def test_lite_offerer_controls_beside_a_lite_agent(upper, peer, pixit):
    """with    a lite IUT having offered, our lite answer, and our connection to its passive candidate
    when    it makes an updated offer
    then    the offer names our candidate of the selected pair, as that of the controlling agent does."""
    iut = negotiate(upper, peer, "offerer", agent="lite", peer_lite=True, peer_tcptypes="active")
    peer.connect(iut.candidate(tcptype="passive"))
    upper.ready(within=pixit.response)
    media = upper.updated_offer().media()
    assert media.has("remote-candidates"), "the updated offer has no a=remote-candidates"


@pytest.mark.parametrize(("side", "role"), [("offerer", "controlling"), ("answerer", "controlled")])
@requirement("RFC8445-6.1.1-01", needs="connects:active")
def test_offerer_controls_between_full_agents(upper, peer, side, role, pixit):
    """with    our description being a full agent's
    when    the full IUT has connected and checked
    then    its check claims to be controlling if it has offered, and else to be controlled."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert claims_role(request, role), f"its check does not claim to be {role}"


@both_sides
@requirement("RFC8445-6.1.1-02", "RFC8445-8.1.1-01", needs="connects:active agent:full")
def test_full_agent_controls_beside_a_lite_one(upper, peer, side, pixit):
    """with    our description being a lite agent's, so that we send no checks
    when    the full IUT has connected and checked
    then    its check says that it controls, whoever offered, and it nominates."""
    negotiate(upper, peer, side, peer_lite=True, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    assert claims_role(request, "controlling"), "its check does not claim to be controlling"
    peer.await_any_nomination()


@watches(12)
@requirement("RFC8445-6.1.1-s01", needs="offers:passive sides:answerer")
def test_role_stays_while_nothing_is_nominated(upper, peer):
    """with    the controlled IUT, and a connection that both sides have checked
    when    we nominate nothing for twelve seconds
    then    none of its checks claims to be controlling."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    check_each(peer, iut, [connection], BindingRequest)
    peer.wait(12)
    checks = [event for event in connection.events if BindingRequest().fulfilled_by(event)]
    claims = [check for check in checks if check.stun.has(Attribute.ICE_CONTROLLING)]
    assert not claims, f"{len(claims)} of {len(checks)} checks claim to be controlling"

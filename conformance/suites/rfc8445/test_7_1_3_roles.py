"""RFC 8445 section 7.1.3: ICE-CONTROLLING and ICE-CONTROLLED in checks."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.check_contents import exchange_checks, wrong_checks
from conformance.suites.marks import everywhere, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.attributes import Attribute


@requirement("RFC8445-7.1.3-01", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_controlling_agents_check_says_so(upper, peer, pixit):
    """with    the IUT having offered, and controlling
    when    its check arrives
    then    it has ICE-CONTROLLING."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert request.stun.has(Attribute.ICE_CONTROLLING), "no ICE-CONTROLLING attribute"


@requirement("RFC8445-7.1.3-02", "RFC6544-7.1-s04", needs="connects:active sides:answerer")
def test_controlled_agents_check_says_so(upper, peer, pixit):
    """with    the IUT having answered, and controlled
    when    its check arrives
    then    it has ICE-CONTROLLED."""
    negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    request = peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    assert request.stun.has(Attribute.ICE_CONTROLLED), "no ICE-CONTROLLED attribute"


@everywhere
@requirement("RFC8445-7.1.3-01", "RFC6544-7.1-s04", needs="sides:offerer")
def test_every_check_of_the_controlling_agent_says_so(upper, peer, where):
    """with    the IUT controlling, and connections that have been checked by both sides, and nominated
    when    each check of the IUT's is read
    then    it has ICE-CONTROLLING, and no ICE-CONTROLLED."""
    iut = exchange_checks(upper, peer, "offerer", where)
    wrong = wrong_checks(peer, iut, "ICE-CONTROLLING alone")
    assert not wrong, wrong[0]


@everywhere
@requirement("RFC8445-7.1.3-02", "RFC6544-7.1-s04", needs="sides:answerer")
def test_every_check_of_the_controlled_agent_says_so(upper, peer, where):
    """with    the IUT controlled, and connections that have been checked by both sides, and nominated by us
    when    each check of the IUT's is read
    then    it has ICE-CONTROLLED, and no ICE-CONTROLLING."""
    iut = exchange_checks(upper, peer, "answerer", where)
    wrong = wrong_checks(peer, iut, "ICE-CONTROLLED alone")
    assert not wrong, wrong[0]

"""RFC 8489 section 6.1: what an agent sends unasked."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import both_sides, requirement
from conformance.suites.messages import unasked
from conformance.suites.negotiation import negotiate


@both_sides
@requirement("RFC8489-6.1-02", needs="connects:active")
def test_nothing_but_requests_and_indications_comes_unasked(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, on which we send nothing but answers
    when    what it sends on it is read
    then    every message is a Binding request or indication."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.wait_for(BindingRequest, within=pixit.response)
    peer.wait(pixit.silence)
    wrong = unasked(connection)
    assert not wrong, f"it sent {wrong[0]}, unasked"

"""RFC 6544 section 3: the port of an active candidate means nothing."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.checks import await_success
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-3-s01", needs="offers:passive")
def test_any_port_of_our_active_candidate_is_ignored(upper, peer, side, pixit):
    """with    our active candidate naming a port that is not 9, and a check from this port answered
    when    we connect from another port and send a check
    then    the IUT answers it."""
    peer.answering = False  # else a controlling IUT may complete with the first connection, and close the other
    named = peer.listen()
    iut = negotiate(upper, peer, side, peer_candidates=[peer.candidate("active", port=named.port)])
    await_success(peer, iut, peer.connect(iut.candidate(tcptype="passive"), source=named))
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC6544-3-s01", needs="offers:passive")
def test_port_of_our_active_candidate_is_ignored(upper, peer, side, pixit):
    """with    our active candidate naming port 9
    when    we connect from another port and send a check
    then    the IUT answers it."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)

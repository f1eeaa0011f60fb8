"""RFC 6544 section 8: nomination, and which connections survive it."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.case import negotiate, requirement, varied
from conformance.wire.layers import RFC4571


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC6544-8-01", needs="connects:active sides:offerer")
def test_first_check_does_not_nominate(upper, peer, pixit):
    """with    the IUT controlling
    when    its first check on a connection arrives
    then    it is without USE-CANDIDATE."""
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    request = peer.expect_connection().expect(BindingRequest, within=pixit.response)
    assert not request.stun.use_candidate, "the first check on the connection carries USE-CANDIDATE"


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC6544-8-01", needs="connects:active sides:offerer")
def test_nomination_waits_for_a_success(upper, peer, pixit):
    """with    the IUT controlling, and its first check unanswered
    when    some time passes
    then    it does not nominate; it does once a check has succeeded."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    channel = peer.expect_connection()
    request = channel.expect(BindingRequest, within=pixit.response)
    channel.expect_nothing(BindingRequest(use_candidate=True), within=pixit.silence)
    peer.answer_only_on(channel)
    channel.send(RFC4571() / peer.success(channel, request))
    channel.expect(BindingRequest(use_candidate=True), within=pixit.complete)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-8-02", needs="offers:passive")
def test_connections_that_were_not_selected_are_closed(upper, peer, side, pixit):
    """with    two validated connections of one component
    when    one of them has been selected
    then    the IUT closes the other."""
    peer.answering = False  # or a controlling IUT may complete on the first before there is a second
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    spare = peer.connect(iut.candidate(tcptype="passive"))
    spare.send(RFC4571() / peer.check(iut))
    spare.expect(BindingSuccess, within=pixit.response)
    second = peer.connect(iut.candidate(tcptype="passive"))
    second.send(RFC4571() / peer.check(iut))
    second.expect(BindingSuccess, within=pixit.response)
    peer.answer_held()
    selected = peer.complete_any(iut)
    peer.expect_others_closed(selected, within=pixit.close)

"""RFC 8445 section 7.2.5: to which check a response belongs."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import needs_another_connection, needs_regular_nomination
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@requirement("RFC8445-7.2.5-s01", "RFC8445-7.1.2-01", needs="connects:active sides:offerer")
def test_response_belongs_to_the_pair_of_its_check(upper, peer, pixit):
    """with    the controlling IUT's checks on connections to two candidates of ours, both unanswered
    when    the later one is answered with success
    then    the IUT nominates its pair, and not the other."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(2)]
    negotiate(upper, peer, "offerer", peer_candidates=ours)
    first, second = peer.await_connection(), needs_another_connection(peer)
    first.await_frame(BindingRequest, within=pixit.response)
    request = second.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    peer.answer_only_on(second)
    second.send(RFC4571() / peer.success(second, request))
    peer.await_any_nomination()
    assert not first.has(BindingRequest(use_candidate=True)), "it nominates the pair whose check is not answered"

"""RFC 8445 section 7.2.5.2.1: a response comes back on the 5-tuple of its check."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    expect_no_valid_pair,
    needs_another_connection,
    needs_ids_of_their_own,
    needs_valid_pairs_to_show,
)
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@requirement("RFC8445-7.2.5.2.1-02", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_response_on_another_connection_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's checks on connections to two candidates of ours
    when    the response to the first check comes on the connection of the second
    then    the IUT nominates neither pair, for the addresses are not symmetric."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(2)]
    negotiate(upper, peer, "offerer", peer_candidates=ours)
    first, second = peer.await_connection(), needs_another_connection(peer)
    request = first.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    needs_ids_of_their_own(request, second.await_frame(BindingRequest, within=pixit.response))
    second.send(RFC4571() / peer.success(first, request))
    expect_no_valid_pair(upper, peer, request)

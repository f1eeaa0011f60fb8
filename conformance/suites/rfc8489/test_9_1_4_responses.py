"""RFC 8489 section 9.1.4: responses whose integrity is wrong or missing."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    UNAUTHENTICATED,
    expect_no_valid_pair,
    needs_valid_pairs_to_show,
    roles_said,
)
from conformance.suites.marks import (
    both_sides,
    requirement,
    varied,
)
from conformance.suites.messages import by_sha256, first_check
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571, binding_error, binding_success


@both_sides
@requirement("RFC8489-9.1.4-04", "RFC6544-7.1-s04", needs="connects:active")
def test_unprotected_role_conflict_is_not_believed(upper, peer, side, pixit):
    """with    the IUT's check on a connection
    when    a 487 (Role Conflict) without MESSAGE-INTEGRITY comes as the answer
    then    the IUT keeps its role."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    before = roles_said(peer)
    connection.send(RFC4571() / binding_error(request.stun.transaction_id, 487, "Role Conflict", None))
    peer.wait(pixit.silence)
    assert roles_said(peer) == before, f"the IUT's checks have claimed to be {' and '.join(roles_said(peer))}"


@varied("family", "segmentation", "candidates", side="offerer")
@requirement("RFC8489-9.1.4-04", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_success_without_valid_integrity_is_discarded(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    the success response to it is made with a wrong password
    then    the IUT does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    connection.send(RFC4571() / binding_success(request.stun.transaction_id, connection.remote_address, "wrong" * 5))
    expect_no_valid_pair(upper, peer, request)


@pytest.mark.parametrize("how", sorted(UNAUTHENTICATED))
@requirement("RFC8489-9.1.4-04", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_unauthenticated_success_makes_no_pair_valid(upper, peer, how, pixit):
    """with    the controlling IUT's check on a connection
    when    a success response comes whose integrity is wrong or missing
    then    the IUT does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    connection.send(
        RFC4571() / binding_success(request.stun.transaction_id, connection.seen_from, UNAUTHENTICATED[how])
    )
    expect_no_valid_pair(upper, peer, request)


@requirement("RFC8489-9.1.4-01", "RFC8489-9.1.4-04", needs="connects:active sides:offerer")
def test_response_by_the_other_algorithm_makes_no_pair_valid(upper, peer, pixit):
    """with    the controlling IUT's check, whose only integrity is MESSAGE-INTEGRITY
    when    the success response to it has MESSAGE-INTEGRITY-SHA256 alone
    then    the IUT does not nominate the pair."""
    connection, request = first_check(upper, peer)
    needs_valid_pairs_to_show(upper, peer, request)
    success = binding_success(request.stun.transaction_id, connection.seen_from, peer.pwd)
    connection.send(RFC4571() / by_sha256(success, peer.pwd))
    expect_no_valid_pair(upper, peer, request)

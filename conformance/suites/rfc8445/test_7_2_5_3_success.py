"""RFC 8445 section 7.2.5.3: what makes a check a success."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import ERRORS, expect_no_valid_pair, needs_valid_pairs_to_show
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@pytest.mark.parametrize("code", sorted(ERRORS))
@requirement("RFC8445-7.2.5.3-s01", "RFC8445-7.2.5.2.4-01", "RFC6544-7.1-s04", needs="connects:active sides:offerer")
def test_error_response_makes_no_pair_valid(upper, peer, code, pixit):
    """with    the controlling IUT's check on a connection
    when    an error response answers it
    then    the IUT does not nominate the pair."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    needs_valid_pairs_to_show(upper, peer, request)
    connection.send(RFC4571() / peer.error(request, code, ERRORS[code]))
    expect_no_valid_pair(upper, peer, request)

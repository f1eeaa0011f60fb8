"""RFC 8489 section 9.1.5: subsequent requests."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.marks import both_sides, requirement
from conformance.suites.messages import sha256_of
from conformance.suites.negotiation import negotiate
from conformance.wire.attributes import Attribute


@both_sides
@requirement("RFC8489-9.1.5-01", needs="connects:active")
def test_later_requests_keep_to_the_algorithm(upper, peer, side, pixit):
    """with    the IUT's first check having both kinds of integrity, and our response MESSAGE-INTEGRITY alone
    when    further requests come on this connection
    then    none has MESSAGE-INTEGRITY-SHA256. An IUT that never sends both has nothing to keep to."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    sha256_of(request.stun)
    peer.complete(iut, connection)
    later = [check for check in peer.checks() if check is not request]
    both = [check for check in later if check.stun.has(Attribute.MESSAGE_INTEGRITY_SHA256)]
    assert not both, f"{both[0]} has MESSAGE-INTEGRITY-SHA256"

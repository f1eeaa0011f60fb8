"""RFC 8489 section 6.3.1.2: where a response goes, and in which order."""

from __future__ import annotations

from conformance.peer.events import AnyResponse, BindingRequest
from conformance.suites.checks import needs_regular_nomination
from conformance.suites.establishing import connect_twice
from conformance.suites.marks import both_sides, requirement
from conformance.suites.media import expect_completion
from conformance.suites.messages import second_check
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC8489-6.3.1.2-s01", needs="offers:passive")
def test_response_comes_on_the_connection_of_its_request(upper, peer, side, pixit):
    """with    two connections to the IUT's passive candidate
    when    a check arrives on the second one
    then    the IUT answers it there, and not on the first one."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    first, second = connect_twice(peer, iut)
    request = peer.check(iut)
    second.send(RFC4571() / request)
    second.wait_for(AnyResponse(request.transaction_id), within=pixit.response)
    strays = first.messages(transaction_id=request.transaction_id)
    assert not strays, f"{strays[0]} came on the first connection"
    second.expect(AnyResponse(request.transaction_id), within=pixit.drip)


@requirement("RFC8489-6.3.1.2-s02", needs="connects:active sides:offerer")
def test_responses_are_taken_in_any_order(upper, peer, pixit):
    """with    the controlling IUT's check on a connection unanswered, and another one of its for a check of ours
    when    the later one is answered first
    then    the pair has become valid: a nomination, a state or data shows it."""
    peer.answering = False
    iut = negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    first = connection.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(first)
    second = second_check(peer, iut, connection, first)
    connection.send(RFC4571() / peer.success(connection, second))
    peer.answer_only_on(connection)
    expect_completion(upper, peer, connection)

"""RFC 6544 section 7.1: the IUT opens connections and sends checks."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest
from conformance.suites.checks import (
    await_success,
    expect_answer,
    expect_checks_at_each,
    needs_another_connection,
    needs_closed,
    needs_regular_nomination,
)
from conformance.suites.framing import await_message_octets, misframed
from conformance.suites.marks import EVERY_CUT, SIDES, both_sides, in_pieces, requirement, varied
from conformance.suites.media import expect_completion
from conformance.suites.negotiation import negotiate
from conformance.suites.values import NOT_STUN, OTHER_PROTOCOLS
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import frame

_ROLES = pytest.mark.parametrize(("side", "role"), list(zip(SIDES, ("ice_controlling", "ice_controlled"), strict=True)))


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-s01", needs="connects:active")
def test_connection_is_opened_for_a_check(upper, peer, side):
    """with    our description holding a passive candidate for each component
    when    the IUT has both descriptions
    then    it opens a connection to each and sends a check."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    expect_checks_at_each(peer)


@both_sides
@requirement("RFC6544-7.1-s01", needs="connects:active")
def test_every_passive_candidate_is_checked(upper, peer, side):
    """with    three passive candidates of ours, of different foundations, and no check answered
    when    the IUT has both descriptions
    then    it opens a connection to each and sends a check."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(3)]
    negotiate(upper, peer, side, peer_candidates=ours)
    expect_checks_at_each(peer)


@both_sides
@requirement("RFC6544-7.1-01", needs="connects:active obeys:addresses")
def test_connects_from_the_interface_of_its_candidate(upper, peer, side):
    """with    the IUT confined to an address that is not the host's first
    when    it connects to our passive candidate
    then    the connection comes from that address."""
    second = upper.two_addresses()[1]
    negotiate(upper, peer, side, peer_tcptypes="passive", addresses=[second])
    connection = peer.await_connection()
    assert connection.remote_address.ip == second, f"it connected from {connection.remote_address}"


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-02", needs="connects:active offers:passive")
def test_connects_from_an_unallocated_port(upper, peer, side):
    """with    the IUT having passive candidates and active ones
    when    it connects to our passive candidate
    then    the connection comes from a port that is no candidate's, but for what an active one may state."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    allocated = {c.port for c in iut.candidates() if c.tcptype != "active"}
    assert connection.remote_address.port not in allocated, f"it connected from {connection.remote_address}"


@both_sides
@requirement("RFC6544-7.1-02", needs="connects:active")
def test_each_connection_has_a_port_of_its_own(upper, peer, side):
    """with    two passive candidates of ours, of different foundations, and no check answered
    when    the IUT has connected to both
    then    the connections come from different ports."""
    peer.answering = False
    ours = [peer.candidate("passive", foundation=f"f{n}", other=8191 - n) for n in range(2)]
    negotiate(upper, peer, side, peer_candidates=ours)
    first, second = peer.await_connection(), needs_another_connection(peer)
    assert first.remote_address != second.remote_address, f"both come from {first.remote_address}"


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-03", "RFC8489-6.2.2-01", needs="connects:active")
def test_check_is_framed(upper, peer, side, pixit):
    """with    a connection that the IUT has opened
    when    its first octets arrive
    then    they are a frame that holds exactly one Binding request."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    await_message_octets(peer, connection)
    bare = misframed([connection]).unframed
    assert not bare, bare[0]
    request = connection.expect(BindingRequest, within=pixit.response)
    assert request.number == 1, f"{request.number - 1} frames came before the check"


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-s02", needs="connects:active offers:active")  # or its bases, and so its pairs, are not known
def test_one_connection_serves_a_pair(upper, peer, side, pixit):
    """with    one passive candidate of ours, and the IUT's check on it answered
    when    the time for further checks of the pair, a nomination for one, has passed
    then    the IUT has opened no second connection to it from the same active candidate."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    first = peer.await_connection()
    first.await_frame(BindingRequest, within=pixit.response)
    iut.needs_one_active(first.remote_address.ip)  # several there are several pairs
    peer.expect_no_connection(beside=first, within=pixit.retransmission)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-04", needs="connects:active")
def test_refused_connection_fails_only_its_pair(upper, peer, side, pixit):
    """with    our first candidate refusing connections, and a second one of lower priority
    when    the IUT has both descriptions
    then    it checks the second one."""
    refused = peer.candidate("passive", port=peer.refusing_port())
    negotiate(upper, peer, side, peer_candidates=[refused, peer.candidate("passive", other=8000)])
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@both_sides
@requirement("RFC6544-7.1-04", needs="connects:active")
def test_many_refused_connections_fail_only_their_pairs(upper, peer, side, pixit):
    """with    eight candidates of ours that refuse connections, and one of lower priority that does not
    when    the IUT has tried them
    then    it checks the last one: attempts that have ended count towards no limit."""
    refused = [peer.candidate("passive", port=peer.refusing_port(), foundation=f"refused{n}") for n in range(8)]
    negotiate(upper, peer, side, peer_candidates=[*refused, peer.candidate("passive", other=8000)])
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-05", needs="connects:active")
def test_answer_that_is_no_stun_closes_the_connection(upper, peer, side, pixit):
    """with    the IUT's first check on a connection
    when    the answer to it is a frame that does not hold a STUN message
    then    the IUT closes the connection."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(frame(NOT_STUN))
    connection.expect_end(within=pixit.close)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.1-05", needs="connects:active")
def test_answer_that_is_no_stun_fails_the_remote_candidate(upper, peer, side, pixit):
    """with    the IUT's first check answered by a frame that does not hold a STUN message
    when    it has ended the connection
    then    it does not try this remote candidate again."""
    peer.answering = False
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(frame(NOT_STUN))
    needs_closed(connection, within=pixit.close)
    peer.forget_arrivals()  # other pairs of this candidate, if the IUT has other addresses
    peer.expect_no_connection(within=pixit.retransmission)


@pytest.mark.parametrize("answer", sorted(OTHER_PROTOCOLS))
@requirement("RFC6544-7.1-05", needs="sides:answerer connects:active")
def test_other_protocols_answer_closes_the_connection(upper, peer, answer, pixit):
    """with    the IUT's first check on a connection
    when    something answers that does not speak STUN, though in frames, or not even frames
    then    the IUT closes the connection."""
    peer.answering = False
    negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(OTHER_PROTOCOLS[answer])
    connection.expect_end(within=pixit.close)


@requirement("RFC6544-7.1-05", needs="connects:active obeys:addresses sides:offerer")
def test_answer_that_is_no_stun_fails_all_pairs_with_the_candidate(upper, peer, pixit):
    """with    the controlling IUT's checks from two addresses to our candidate
    when    the one is answered by a frame that does not hold a STUN message, and then the other with success
    then    the IUT does not nominate the other's pair, whose remote candidate is not ours."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive", addresses=upper.two_addresses())
    first, second = peer.await_connection(), peer.await_connection()
    first.await_frame(BindingRequest, within=pixit.response)
    request = second.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(request)
    first.send(frame(NOT_STUN))
    needs_closed(first, within=pixit.close)
    second.send(RFC4571() / peer.success(second, request))
    second.expect_nothing(BindingRequest(use_candidate=True), within=pixit.retransmission)


@both_sides
@requirement("RFC6544-7.1-03", "RFC4571-2-s01", needs="connects:active")
def test_response_and_check_in_one_segment_are_both_taken(upper, peer, side, pixit):
    """with    the IUT's check on a connection, and an answer of its to a check of ours there
    when    the response to its check and a further one of ours arrive in one segment
    then    the IUT answers the check."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    await_success(peer, iut, connection)
    connection.send(bytes(RFC4571() / peer.success(connection, request)) + bytes(RFC4571() / peer.check(iut)))
    expect_answer(peer, iut, connection)


@varied("family", "segmentation", "candidates", side="offerer", cuts=EVERY_CUT)
@requirement("RFC6544-7.1-03", "RFC4571-2-s01", needs="connects:active sides:offerer")
def test_response_is_taken(upper, peer, pixit):
    """with    the controlling IUT's check on a connection
    when    the success response comes, divided in any way
    then    the pair has become valid: a nomination, a state or data shows it."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    peer.answer_only_on(connection)
    connection.send(RFC4571() / peer.success(connection, request))
    expect_completion(upper, peer, connection)


@varied("family", "candidates", side="offerer")
@in_pieces
@requirement("RFC6544-7.1-03", "RFC4571-2-s01", needs="connects:active sides:offerer")
def test_response_in_pieces_is_taken(upper, peer, pixit, cut):
    """with    the controlling IUT's check on a connection
    when    the success response comes in pieces
    then    the pair has become valid: a nomination, a state or data shows it."""
    peer.answering = False
    negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    peer.answer_only_on(connection)
    connection.send(RFC4571() / peer.success(connection, request), cut=cut, pause=pixit.drip / len(cut))
    expect_completion(upper, peer, connection)

"""RFC 6544 section 7.1 and appendix B: the IUT connects from its simultaneous-open candidates."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.framing import await_message_octets, misframed
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-7.1-s01", needs="offers:so connects:so")
def test_connects_from_the_so_candidate_itself(upper, peer, side):
    """with    our description holding an S-O candidate only
    when    the IUT connects to it
    then    the connection comes from the address and port of an S-O candidate of the IUT."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="so")
    connection = peer.await_connection()
    bases = {c.endpoint for c in iut.candidates(tcptype="so", type="host")}
    assert connection.remote_address in bases, f"it connected from {connection.remote_address}"


@both_sides
@requirement("RFC6544-7.1-03", needs="offers:so connects:so")
def test_check_from_the_so_candidate_is_framed(upper, peer, side, pixit):
    """with    a connection that the IUT has opened from its S-O candidate
    when    its first octets arrive
    then    they are a frame that holds exactly one Binding request."""
    negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="so")
    connection = peer.await_connection()
    await_message_octets(peer, connection)
    bare = misframed([connection]).unframed
    assert not bare, bare[0]
    request = connection.expect(BindingRequest, within=pixit.response)
    assert request.number == 1, f"{request.number - 1} frames came before the check"


@requirement("RFC6544-7.1-s02", needs="offers:so connects:so sides:offerer")
def test_no_second_connection_for_an_so_pair(upper, peer, pixit):
    """with    a connection from our S-O candidate to the IUT's, opened before it has our answer
    when    the IUT has the answer, and its checks are due
    then    they come on this connection, and no other one is opened from the same address."""
    offer = upper.offer("active passive so")
    base = peer.listen()
    connection = peer.connect_if_possible(offer.candidate(tcptype="so"), source=base)
    upper.accept(peer.answer(offer.sdp, candidates=[peer.candidate("so", port=base.port)]))
    connection.send(RFC4571() / peer.check(offer))
    connection.await_frame(BindingRequest, within=pixit.connect)
    peer.expect_no_connection(beside=connection, within=pixit.retransmission)


@both_sides
@requirement("RFC6544-7.1-04", needs="offers:so connects:so")
def test_refused_so_connection_fails_only_its_pair(upper, peer, side, pixit):
    """with    our first S-O candidate refusing connections, and a second one of lower priority
    when    the IUT has both descriptions
    then    it checks the second one."""
    refused = peer.candidate("so", port=peer.refusing_port())
    ours = [refused, peer.candidate("so", other=8000)]
    negotiate(upper, peer, side, tcptypes="active passive so", peer_candidates=ours)
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)

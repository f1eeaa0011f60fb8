"""RFC 6544 section 7.2: the IUT accepts connections on its simultaneous-open candidates and answers checks."""

from __future__ import annotations

from conformance.peer.events import BindingSuccess
from conformance.suites.checks import await_success
from conformance.suites.framing import await_answer_octets, misframed
from conformance.suites.marks import both_sides, requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:so")
def test_connection_to_an_so_candidate_is_accepted(upper, peer, side):
    """with    both descriptions exchanged, ours without S-O candidates, so that the IUT opens no S-O connection
    when    we connect to the IUT's S-O candidate
    then    the connection is accepted."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    peer.expect_accept(iut.candidate(tcptype="so")).expect_open(within=peer.pixit.silence)


@requirement("RFC6544-7.2-01", needs="offers:so sides:offerer")
def test_so_connection_before_the_answer_is_accepted(upper, peer):
    """with    the IUT's offer out, and no answer yet
    when    we connect to its S-O candidate
    then    the connection is accepted."""
    offer = upper.offer("active passive so")
    peer.expect_accept(offer.candidate(tcptype="so"))


@both_sides
@requirement("RFC6544-7.2-03", needs="offers:so")
def test_check_on_an_so_connection_is_answered(upper, peer, side):
    """with    a connection to the IUT's S-O candidate
    when    a check arrives in a frame
    then    the success response comes back in a frame."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    connection = peer.connect_if_possible(iut.candidate(tcptype="so"))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    await_answer_octets(peer, connection, request.transaction_id)
    bare = misframed([connection]).unframed
    assert not bare, bare[0]


@both_sides
@requirement("RFC6544-7.2-02", needs="offers:so")
def test_further_connections_to_an_so_candidate_are_served(upper, peer, side, pixit):
    """with    a connection to the IUT's S-O candidate, on which a check was answered
    when    a second one is opened to it, with a check
    then    it is accepted, and the check answered."""
    peer.answering = False
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    await_success(peer, iut, peer.connect(iut.candidate(tcptype="so")))
    second = peer.expect_accept(iut.candidate(tcptype="so"))
    second.send(RFC4571() / peer.check(iut))
    second.expect(BindingSuccess, within=pixit.response)

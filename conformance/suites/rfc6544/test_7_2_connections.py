"""RFC 6544 section 7.2: the IUT accepts connections."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import await_success, expect_answer
from conformance.suites.establishing import establish
from conformance.suites.marks import both_sides, requirement, varied, watches
from conformance.suites.negotiation import negotiate
from conformance.suites.restarts import RESTARTS_BY, restart
from conformance.suites.values import ELSEWHERE
from conformance.wire.layers import RFC4571


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive")
def test_connection_to_a_passive_candidate_is_accepted(upper, peer, side):
    """with    both descriptions exchanged
    when    we connect to the IUT's passive candidate
    then    the connection is accepted."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.expect_accept(iut.candidate(tcptype="passive")).expect_open(within=peer.pixit.silence)


@both_sides
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive components:2")
def test_every_component_accepts(upper, peer, side):
    """with    the IUT having two components
    when    we connect to the passive candidate of each
    then    each connection is accepted."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", components=2)
    passive = [iut.candidate(tcptype="passive", component=number) for number in (1, 2)]
    connections = peer.expect_all_accepted(passive)
    connections[-1].expect_open(within=peer.pixit.silence)


@varied("family", "candidates", side="offerer")
@requirement("RFC6544-7.2-01", needs="offers:passive sides:offerer")
def test_connection_before_the_answer_is_accepted(upper, peer):
    """with    the IUT's offer out, and no answer yet
    when    we connect to its passive candidate
    then    the connection is accepted."""
    offer = upper.offer()
    peer.expect_accept(offer.candidate(tcptype="passive")).expect_open(within=peer.pixit.silence)


_LONG = 20.0  # seconds: a person answers late, and ICE has not failed yet (RFC 8863 section 4: 39.5 s)


@watches(_LONG)
@requirement("RFC6544-7.2-01", needs="offers:passive sides:offerer")
def test_connection_long_before_the_answer_is_accepted(upper, peer, pixit):
    """with    the IUT's offer out for 20 seconds, and no answer yet
    when    we connect to its passive candidate, answer, and send a check
    then    the connection is accepted, and the check answered with success."""
    offer = upper.offer()
    peer.wait(_LONG)
    connection = peer.expect_accept(offer.candidate(tcptype="passive"))
    connection.expect_open(within=pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    connection.send(RFC4571() / peer.check(offer))
    expect_answer(peer, offer, connection)


@watches(_LONG)
@both_sides
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive")
def test_connection_long_after_the_descriptions_is_accepted(upper, peer, side, pixit):
    """with    descriptions exchanged 20 seconds ago, and our active candidate alone
    when    we connect to the IUT's passive candidate and send a check
    then    the connection is accepted, and the check answered with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    peer.wait(_LONG)
    connection = peer.expect_accept(iut.candidate(tcptype="passive"))
    connection.expect_open(within=pixit.silence)
    connection.send(RFC4571() / peer.check(iut))
    expect_answer(peer, iut, connection)


@requirement("RFC6544-7.2-02", "RFC6544-7.2-s02", needs="offers:passive sides:offerer")
def test_connection_of_before_the_answer_is_served(upper, peer, pixit):
    """with    a connection to the IUT's passive candidate, opened before it had our answer
    when    it has the answer, and a check arrives
    then    the IUT answers it with success."""
    offer = upper.offer()
    connection = peer.connect(offer.candidate(tcptype="passive"))
    peer.wait(pixit.silence)
    upper.accept(peer.answer(offer.sdp, "active"))
    connection.send(RFC4571() / peer.check(offer))
    expect_answer(peer, offer, connection)


@both_sides
@requirement("RFC6544-7.2-01", needs="offers:passive connects:active")
def test_connection_is_accepted_beside_one_that_the_iut_opened(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, its check there unanswered
    when    we connect to its passive candidate
    then    the connection is accepted, and serves a check."""
    peer.answering = False
    iut = negotiate(upper, peer, side)
    peer.await_connection().await_frame(BindingRequest, within=pixit.response)
    connection = peer.expect_accept(iut.candidate(tcptype="passive"))
    await_success(peer, iut, connection)


@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive sides:answerer")
def test_connection_is_accepted_beside_a_valid_pair(upper, peer, pixit):
    """with    the IUT controlled, and a connection on which checks of both sides have succeeded
    when    we connect to its passive candidate once more, and nothing has been nominated
    then    the connection is accepted, and a check answered."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="active")
    first = peer.connect(iut.candidate(tcptype="passive"))
    await_success(peer, iut, first)
    peer.wait_until(lambda: first.checked, pixit.connect)
    second = peer.expect_accept(iut.candidate(tcptype="passive"))
    second.send(RFC4571() / peer.check(iut))
    second.expect(BindingSuccess, within=pixit.response)


@both_sides
@requirement("RFC6544-7.2-01", needs="offers:passive restart")
def test_connection_after_a_restart_is_accepted(upper, peer, side, pixit):
    """with    ICE restarted after it had completed on a connection
    when    we connect to the passive candidate of the IUT's new description
    then    the connection is accepted, and a check answered."""
    establish(upper, peer, side, opener="tester")
    iut = restart(upper, peer, RESTARTS_BY[side])
    connection = peer.expect_accept(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)


@both_sides
@requirement("RFC6544-7.2-02", needs="offers:passive")
def test_connection_from_an_address_not_described_is_accepted(upper, peer, side, pixit):
    """with    our description holding an active candidate at another address than the one we have
    when    we nevertheless connect to the IUT's passive candidate
    then    the connection is accepted and kept, so that a check on it is answered."""
    elsewhere = peer.candidate("active", address=ELSEWHERE[peer.shape.family])
    iut = negotiate(upper, peer, side, peer_candidates=[elsewhere])
    connection = peer.expect_accept(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.expect_open(within=pixit.silence)
    connection.await_frame(BindingSuccess, within=pixit.response)


@both_sides
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive obeys:addresses")
def test_every_passive_candidate_accepts(upper, peer, side):
    """with    the IUT on two addresses
    when    we connect to each of its passive host candidates
    then    each connection is accepted."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", addresses=upper.two_addresses())
    passive = iut.candidates(tcptype="passive", type="host")
    iut.require(len(passive) > 1, "passive candidates on two addresses")
    connections = peer.expect_all_accepted(passive)
    connections[-1].expect_open(within=peer.pixit.silence)


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-02", needs="offers:passive")
def test_further_connections_are_accepted_and_served(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate, on which a check was answered
    when    a second and a third one are opened to it, each with a check
    then    each check is answered on its connection."""
    peer.answering = False  # or a controlling IUT may lawfully complete, and close all but one (section 8)
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    passive = iut.candidate(tcptype="passive")
    await_success(peer, iut, peer.connect(passive))
    second, third = peer.expect_accept(passive), peer.expect_accept(passive)
    second.send(RFC4571() / peer.check(iut))
    third.send(RFC4571() / peer.check(iut))
    second.expect(BindingSuccess, within=pixit.response)
    third.expect(BindingSuccess, within=pixit.response)

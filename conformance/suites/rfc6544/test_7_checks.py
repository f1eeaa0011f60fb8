"""RFC 6544 section 7: who sends checks, and in which order."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites import order
from conformance.suites.framing import await_answer_octets, misframed
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7-s01", "RFC6544-6.2-s03", needs="offers:passive")
def test_lite_agent_does_not_check_our_candidates(upper, peer, side, pixit):
    """with    a lite IUT, and a passive and an active candidate of ours
    when    checks have begun, as our own connection shows
    then    the IUT opens no connection to ours."""
    iut = negotiate(upper, peer, side, agent="lite")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.wait_for(BindingSuccess, within=pixit.response)
    peer.expect_no_connection()
    connection.await_frame(BindingSuccess, within=0)  # else checks have not begun


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7-s01", needs="offers:passive")
def test_lite_agent_sends_no_check_in_turn(upper, peer, side, pixit):
    """with    a lite IUT
    when    a check of ours has been answered with success
    then    no check of the IUT's comes on the connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", agent="lite")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.expect_nothing(BindingRequest, within=pixit.silence)


@varied("family", "segmentation", "candidates")
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", "RFC6544-7.2-03", needs="agent:lite offers:passive")
def test_lite_agent_accepts_and_answers(upper, peer, side):
    """with    a lite IUT
    when    we connect to its passive candidate and send a check in a frame
    then    the connection is accepted, and the check answered in a frame."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active", agent="lite")
    connection = peer.expect_accept(iut.candidate(tcptype="passive"))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    await_answer_octets(peer, connection, request.transaction_id)
    assert not misframed([connection]).unframed, misframed([connection]).unframed[0]


@both_sides
@requirement("RFC6544-7-s02", needs="transports:udp transports:tcp connects:active")
def test_udp_and_tcp_pairs_are_checked_in_one_order(upper, peer, side, pixit):
    """with    passive candidates of ours above and below our UDP candidate in priority, and no check answered
    when    the IUT, which has both transports, checks them
    then    it takes them up in order of priority, whichever the transport."""
    peer.answering = False
    ranked = order.ranked(peer, above=3, below=3)
    negotiate(upper, peer, side, peer_candidates=[*ranked.candidates], transports=["udp", "tcp"])
    wrong = ranked.reversed_pairs(peer, within=pixit.complete)
    assert not wrong, f"not in order of priority: {wrong[0]}"

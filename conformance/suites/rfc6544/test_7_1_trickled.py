"""RFC 6544 section 7.1: checks of candidates that come after the descriptions."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.marks import both_sides, crosswise, requirement
from conformance.suites.negotiation import negotiate_trickled
from conformance.wire.layers import RFC4571


@crosswise
@requirement("RFC6544-7.1-04", "RFC8838-8-01", needs="connects:active trickle")
def test_failed_pair_is_not_the_end_while_candidates_come(upper, peer, side, pixit):
    """with    a trickled passive candidate of ours that refuses connections, the only one so far
    when    another one is trickled after a while, the end of candidates not having been told
    then    the IUT checks that one."""
    negotiate_trickled(upper, peer, side)
    upper.trickle(peer.candidate("passive", port=peer.refusing_port()))
    peer.wait(pixit.silence)
    upper.trickle(peer.candidate("passive", other=8000))
    peer.expect_connection().await_frame(BindingRequest, within=pixit.response)


@both_sides
@requirement("RFC6544-7.1-s02", "RFC8838-11-02", needs="offers:so connects:so trickle")
def test_no_second_connection_for_a_trickled_so_candidate(upper, peer, side, pixit):
    """with    a connection from a port of ours to the IUT's S-O candidate, and a check on it
    when    our S-O candidate at this port is trickled
    then    the IUT's check comes on this connection, and no other one is opened from its address."""
    negotiate_trickled(upper, peer, side, tcptypes="active passive so")
    iut = upper.await_candidates()
    base = peer.listen()
    connection = peer.connect_if_possible(iut.candidate(tcptype="so"), source=base)
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    upper.trickle(peer.candidate("so", port=base.port))
    connection.await_frame(BindingRequest, within=pixit.connect)
    peer.expect_no_connection(beside=connection, within=pixit.retransmission)

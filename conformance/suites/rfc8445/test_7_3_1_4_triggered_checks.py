"""RFC 8445 section 7.3.1.4: triggered checks."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import (
    await_checked,
    await_success,
    expect_check,
    needs_new_request,
    needs_open,
    needs_regular_nomination,
)
from conformance.suites.establishing import connect_twice
from conformance.suites.keepalives import expect_no_check_in_return
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.suites.places import connected_at, places
from conformance.wire.layers import RFC4571


@varied("family")
@requirement("RFC8445-7.3.1.4-01", needs="connects:active")
def test_check_on_a_pair_in_progress_triggers_another(upper, peer, side, pixit):
    """with    the IUT's check on a connection that it has opened, unanswered
    when    a check of ours on this connection has been answered
    then    the IUT sends another check there, of another transaction."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    first = connection.await_frame(BindingRequest, within=pixit.response)
    await_success(peer, iut, connection)
    second = connection.expect(BindingRequest, within=pixit.connect)
    needs_new_request(first, second)
    assert second.stun.transaction_id != first.stun.transaction_id, "it is the first one's transaction"


@varied("family")
@requirement("RFC8445-7.3.1.4-02", needs="connects:active")
def test_check_on_a_failed_pair_triggers_another(upper, peer, side, pixit):
    """with    the IUT's check on a connection that it has opened answered with an error, and the connection still open
    when    a check of ours on this connection has been answered
    then    the IUT sends another check there."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.error(request, 500, "Server Error"))
    peer.wait(pixit.silence)
    needs_open(connection, "its pair has failed")
    await_success(peer, iut, connection)
    connection.expect(BindingRequest, within=pixit.connect)


@varied("family", side="answerer")
@requirement("RFC8445-7.3.1.4-s01", needs="connects:active sides:answerer")
def test_check_on_a_valid_pair_triggers_none(upper, peer, pixit):
    """with    the controlled IUT's check on a connection that it has opened answered with success
    when    a check of ours on this connection has been answered
    then    the IUT sends no further check there."""
    iut = negotiate(upper, peer, "answerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    await_checked(peer, connection)
    expect_no_check_in_return(peer, iut, connection, within=pixit.retransmission)


@varied("family", side="offerer")
@requirement("RFC8445-7.3.1.4-s04", needs="connects:active sides:offerer")
def test_cancelled_check_may_still_succeed(upper, peer, pixit):
    """with    the controlling IUT's check on a connection that it has opened cancelled by one of ours
    when    the cancelled check is answered with success, and the one in its place is not answered
    then    the pair has become valid: the IUT nominates it."""
    peer.answering = False
    iut = negotiate(upper, peer, "offerer", peer_tcptypes="passive")
    connection = peer.await_connection()
    first = connection.await_frame(BindingRequest, within=pixit.response)
    needs_regular_nomination(first)
    await_success(peer, iut, connection)
    connection.await_frame(BindingRequest, within=pixit.connect)
    connection.send(RFC4571() / peer.success(connection, first))
    peer.expect_nomination(connection)


@varied("components")
@requirement("RFC8445-7.3.1.4-s02", "RFC8445-7.3.1.4-s03", "RFC6544-7.2-s01", needs="offers:passive")
def test_checks_on_further_connections_trigger_checks(upper, peer, side):
    """with    connections to the passive candidate of the IUT's last component
    when    each has brought a check
    then    the IUT sends a check of its own on each of them."""
    peer.answering = False  # or a controlling IUT may complete on the first
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    passive = iut.candidate(tcptype="passive", component=peer.shape.components)
    first, second = peer.connect(passive), peer.connect(passive)
    first.send(RFC4571() / peer.check(iut, component=first.component))
    expect_check(peer, iut, first)
    second.send(RFC4571() / peer.check(iut, component=second.component))
    expect_check(peer, iut, second)


@both_sides
@requirement("RFC8445-7.3.1.4-s02", "RFC8445-7.3.1.3-s01", "RFC6544-7.2-s01", needs="offers:so")
def test_check_on_an_so_connection_triggers_a_check(upper, peer, side, pixit):
    """with    a connection to the IUT's S-O candidate from an address that our description does not hold
    when    our check has been answered
    then    the IUT sends a check of its own on this connection."""
    iut = negotiate(upper, peer, side, tcptypes="active passive so", peer_tcptypes="active")
    connection = peer.connect_if_possible(iut.candidate(tcptype="so"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.expect(BindingRequest, within=pixit.connect)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC8445-7.3.1.4-s02", "RFC8445-7.3.1.4-s03", "RFC6544-7.2-s01", needs="offers:passive")
def test_check_triggers_a_check_on_the_same_connection(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate from our active one
    when    our check has been answered
    then    the IUT sends a check of its own on this connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    expect_check(peer, iut, connection)


@both_sides
@places("component", "stream", "relayed")
@requirement("RFC8445-7.3.1.4-s02", "RFC6544-7.2-s01")
def test_check_on_another_connection_triggers_a_check(upper, peer, side, where, pixit):
    """with    a connection to the IUT's second component or stream, or to its relayed candidate
    when    our check there has been answered
    then    the IUT sends a check of its own on this connection."""
    iut, connection = connected_at(upper, peer, side, where)[-1]
    await_success(peer, iut, connection)
    connection.expect(BindingRequest, within=pixit.connect)


@both_sides
@requirement("RFC8445-7.3.1.4-s03", needs="offers:passive")
def test_triggered_check_comes_on_the_connection_of_the_check(upper, peer, side, pixit):
    """with    two connections to the IUT's passive candidate
    when    a check of ours on the second has been answered
    then    the IUT sends a check of its own on the second, and none on the first."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    first, second = connect_twice(peer, iut)
    await_success(peer, iut, second)
    second.expect(BindingRequest, within=pixit.connect)
    first.expect_nothing(BindingRequest, within=pixit.silence)

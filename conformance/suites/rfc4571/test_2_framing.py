"""RFC 4571 section 2 (and 8): the frame."""

from __future__ import annotations

import pytest

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.checks import await_successes, expect_answer
from conformance.suites.delivery import deliverable, expect_delivered_in_turn
from conformance.suites.driving import live
from conformance.suites.establishing import connect_twice, establish, open_connections
from conformance.suites.framing import await_answer_octets, await_message_octets, misframed, send_halves
from conformance.suites.marks import OPENERS, both_sides, requirement, varied
from conformance.suites.media import await_delivered
from conformance.suites.negotiation import negotiate
from conformance.suites.values import DATA
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import frame


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC4571-2-01", "RFC4571-2-s01", needs="offers:passive")
def test_length_equals_the_response(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check has been answered
    then    LENGTH is the number of octets of the response, by the response's own header."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    await_answer_octets(peer, connection, request.transaction_id)
    wrong = misframed([connection]).length
    assert not wrong, wrong[0]


@varied("family", "segmentation", "candidates")
@requirement("RFC4571-2-01", "RFC4571-2-s01", needs="connects:active")
def test_length_equals_the_request(upper, peer, side):
    """with    a connection that the IUT has opened
    when    its check arrives
    then    LENGTH is the number of octets of the request, by the request's own header."""
    negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    await_message_octets(peer, connection)
    wrong = misframed([connection]).length
    assert not wrong, wrong[0]


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC4571-2-s03", needs="offers:passive")
def test_frames_follow_each_other_directly(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    three checks have arrived on it
    then    the responses come in frames with no marker before their LENGTH and nothing else between them."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    requests = [peer.check(iut) for _ in range(3)]
    connection.send(b"".join(bytes(RFC4571() / request) for request in requests))
    await_answer_octets(peer, connection, requests[-1].transaction_id)
    strays = misframed([connection]).between
    assert not strays, strays[0]


@both_sides
@requirement("RFC4571-2-s01", needs="offers:passive")
def test_frame_may_pause(upper, peer, side, pixit):
    """with    the selected connection
    when    a check stands still half way for as long as TCP takes to repeat a lost segment, or longer
    then    it is answered as soon as its other half is there."""
    selected = establish(upper, peer, side)
    request = peer.check(upper.description)
    selected.send(RFC4571() / request, cut=[50], pause=pixit.drip * 60)
    selected.expect(BindingSuccess(request.transaction_id), within=pixit.response)


@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC4571-2-01", "RFC4571-2-s01", needs="sides:offerer")
def test_every_length_is_right(upper, peer, opener):
    """with    a connection
    when    checks have been refused and accepted, a pair nominated and packets of many lengths sent
    then    each LENGTH was the number of octets of the one message or packet behind it."""
    iut, connections = open_connections(upper, peer, "offerer", opener)
    live(upper, peer, iut, connections)
    wrong = misframed(connections).length
    assert not wrong, wrong[0]


@pytest.mark.parametrize("opener", OPENERS)
@requirement("RFC4571-2-s03", needs="sides:offerer")
def test_nothing_stands_between_frames(upper, peer, opener):
    """with    a connection
    when    checks have been refused and accepted, a pair nominated and packets of many lengths sent
    then    no octets came between one frame and the next LENGTH."""
    iut, connections = open_connections(upper, peer, "offerer", opener)
    live(upper, peer, iut, connections)
    strays = misframed(connections).between
    assert not strays, strays[0]


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC4571-2-s02", needs="offers:passive")
def test_null_frame_before_the_first_check(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a null frame arrives, and then a check
    then    the IUT answers the check."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(frame(b"") + bytes(RFC4571() / peer.check(iut)))
    expect_answer(peer, iut, connection)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC4571-2-s02", needs="offers:passive")
def test_null_frames_between_checks(upper, peer, side, pixit):
    """with    a connection on which a check has been answered
    when    null frames arrive, one of them cut in two, and then a check
    then    the connection stays open and the IUT answers the check."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut))
    connection.await_frame(BindingSuccess, within=pixit.response)
    connection.send(frame(b"") * 3, cut=[1], pause=pixit.drip)
    connection.send(RFC4571() / peer.check(iut))
    connection.expect(BindingSuccess, within=pixit.response)


@varied("family", "roles", "segmentation", "components", "candidates")
@requirement("RFC4571-2-s02", needs="reports:data")
def test_null_frames_among_media(upper, peer, side, pixit):
    """with    ICE completed on a connection
    when    null frames arrive before, between and behind frames with data
    then    the IUT's application receives the data and the connection stays open."""
    selected = establish(upper, peer, side)
    await_delivered(upper, peer, selected)
    data = deliverable(upper, peer, selected)
    expect_delivered_in_turn(upper, peer, selected, [(frame(b"") + frame(packet), packet) for packet in (DATA, data)])
    selected.send(frame(b""))
    selected.expect_open(within=pixit.silence)


@both_sides
@requirement("RFC4571-2-s01", needs="offers:passive")
def test_frames_of_two_connections_are_kept_apart(upper, peer, side, pixit):
    """with    two connections to the IUT's passive candidate, on each of which a check was answered
    when    the first halves of a further check are read on each, and then the second halves arrive
    then    the IUT answers both."""
    peer.answering = False
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connections = connect_twice(peer, iut)
    await_successes(peer, iut, connections)
    checks = [peer.check(iut) for _ in connections]
    send_halves(peer, connections, [bytes(RFC4571() / check) for check in checks])
    connections[0].expect(BindingSuccess(checks[0].transaction_id), within=pixit.response)
    connections[1].expect(BindingSuccess(checks[1].transaction_id), within=pixit.response)


@both_sides
@requirement("RFC4571-2-s02", needs="connects:active")
def test_null_frames_on_an_opened_connection(upper, peer, side, pixit):
    """with    a connection that the IUT has opened, and its first check answered
    when    null frames arrive, and then a check
    then    the connection stays open and the IUT answers the check."""
    iut = negotiate(upper, peer, side, peer_tcptypes="passive")
    connection = peer.await_connection()
    connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(frame(b"") * 2 + bytes(RFC4571() / peer.check(iut)))
    connection.expect(BindingSuccess, within=pixit.response)

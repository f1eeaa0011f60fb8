"""RFC 6544 section 7.2: the IUT accepts connections and answers checks."""

from __future__ import annotations

import pytest

from conformance.peer.events import AnyResponse
from conformance.suites.checks import expect_answer, expect_answer_octets
from conformance.suites.framing import await_answer_octets, misframed
from conformance.suites.marks import EVERY_CUT, both_sides, requirement, varied
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@both_sides
@requirement("RFC6544-7.2-03", needs="offers:passive")
def test_request_without_a_frame_is_not_answered(upper, peer, side, pixit):
    """with    a connection to the IUT's passive candidate
    when    a check arrives without LENGTH before it
    then    it is not answered: without a frame it is not a STUN message."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(peer.check(iut, transaction_id=b"out-of-frame"))
    peer.wait(pixit.silence)
    assert b"out-of-frame" not in connection.octets, "it was answered"


@varied("family", "roles", "segmentation", "components", "candidates", cuts=EVERY_CUT)
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_response_is_framed(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives in a frame
    then    the success response comes back in a frame."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    request = peer.check(iut)
    connection.send(RFC4571() / request)
    expect_answer_octets(peer, iut, connection, request)
    bare = misframed([connection]).unframed
    assert not bare, bare[0]


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_length_field_split_between_segments(upper, peer, side, pixit):
    """with    the IUT offering a passive host candidate
    when    a Binding request arrives with its frame length in two segments
    then    the IUT answers once, on the same connection."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut), cut=[1], pause=pixit.drip)
    expect_answer(peer, iut, connection)
    connection.expect_nothing(AnyResponse, within=pixit.silence)


@varied("family", "roles", "components", "candidates")
@pytest.mark.parametrize(
    "cut", [(2,), (10,), (22,), (-1,)], ids=["behind-length", "in-header", "behind-header", "last-octet"]
)
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_request_split_between_segments(upper, peer, side, pixit, cut):
    """with    a connection to the IUT's passive candidate
    when    the frame with a check comes in two segments
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    connection.send(RFC4571() / peer.check(iut), cut=cut, pause=pixit.drip)
    expect_answer(peer, iut, connection)


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_request_octet_by_octet(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    a check arrives octet by octet
    then    the IUT answers it with success."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    request = bytes(RFC4571() / peer.check(iut))
    connection.send(request, cut=range(1, len(request)), pause=0.001)
    expect_answer(peer, iut, connection)


@varied("family", "roles", "components", "candidates")
@requirement("RFC6544-7.2-03", "RFC4571-2-s01", needs="offers:passive")
def test_two_requests_in_one_segment(upper, peer, side):
    """with    a connection to the IUT's passive candidate
    when    two checks arrive in one segment
    then    the IUT answers both."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    connection = peer.connect(iut.candidate(tcptype="passive"))
    checks = [peer.check(iut) for _ in range(2)]
    connection.send(b"".join(bytes(RFC4571() / check) for check in checks))
    expect_answer(peer, iut, connection, *checks)


@varied("family", "roles", "segmentation", "candidates")
@requirement("RFC6544-7.2-03", needs="offers:passive")
def test_framing_lasts_beyond_selection(upper, peer, side):
    """with    ICE completed on a connection that we opened
    when    a further check arrives on it
    then    the response comes in a frame."""
    iut = negotiate(upper, peer, side, peer_tcptypes="active")
    selected = peer.complete(iut, peer.connect(iut.candidate(tcptype="passive")))
    request = peer.check(iut)
    selected.send(RFC4571() / request)
    await_answer_octets(peer, selected, request.transaction_id)
    bare = misframed([selected]).unframed
    assert not bare, bare[0]

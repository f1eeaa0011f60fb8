"""RFC 4571 section 4: the media section of a TCP/RTP/AVP stream, and how many connections it gets."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.negotiation import negotiate, obtain_description
from conformance.suites.values import NO_RTCP, needs_rtcp, says_no_rtcp
from conformance.wire.layers import RFC4571


@varied("family", "components")
@requirement("RFC4571-4-07")
def test_formats_are_payload_types(upper, peer, side):
    """with    a description of the IUT with a TCP/RTP/AVP stream
    when    the formats of its media line are read
    then    they are different numbers from 0 to 127."""
    iut = obtain_description(upper, peer, side)
    media = iut.media()
    iut.require(media.proto.upper().startswith("TCP/RTP/"), "a TCP/RTP media line")
    numbers = [int(text) if text.isdigit() else -1 for text in media.formats]
    assert all(0 <= number <= 127 for number in numbers), f"formats: {media.formats}"
    assert len(set(numbers)) == len(numbers), f"formats: {media.formats}"


@varied("family")
@requirement("RFC4571-4-11")
def test_no_rtcp_is_said(upper, peer, side):
    """with    a description of the IUT with a TCP/RTP/AVP stream of one component, so that it sends no RTCP
    when    its bandwidth lines are read
    then    b=RS:0 and b=RR:0 are there."""
    iut = obtain_description(upper, peer, side, components=1)
    media = iut.media()
    iut.require(media.proto.upper().startswith("TCP/RTP/"), "a TCP/RTP media line")
    iut.needs_no("rtcp-mux")
    assert says_no_rtcp(iut), f"bandwidth lines: {iut.sdp.values('b') + media.bandwidth}"


@both_sides
@requirement("RFC4571-4-12", needs="connects:active")
def test_no_connection_for_rtcp_that_nobody_sends(upper, peer, side, pixit):
    """with    b=RS:0 and b=RR:0 in both descriptions, and candidates for RTP and for RTCP in ours
    when    ICE completes for RTP on a connection that the IUT has opened
    then    the IUT opens no connection for RTCP."""
    rtp, rtcp = (peer.candidate("passive", component=component) for component in (1, 2))
    said = {"bandwidth": NO_RTCP}
    iut = negotiate(upper, peer, side, peer_candidates=[rtp, rtcp], says=said, may_reject=True)
    iut.require(says_no_rtcp(iut), "b=RS:0 and b=RR:0")
    peer.complete(iut, peer.await_connection(peer.listeners[0]))
    peer.expect_no_connection(peer.listeners[1], within=pixit.silence)


@both_sides
@requirement("RFC4571-4-13", needs="connects:active")
def test_connection_for_rtcp_is_opened(upper, peer, side, pixit):
    """with    descriptions of a stream with RTCP, and our passive candidates for RTP and for RTCP
    when    the IUT's checks on its connection for RTP are answered
    then    it opens one for RTCP, too, and checks it."""
    iut = negotiate(upper, peer, side, components=2, peer_tcptypes="passive")
    needs_rtcp(iut)
    peer.await_connection(peer.listeners[0])
    peer.expect_connection(peer.listeners[1]).expect(BindingRequest, within=pixit.response)


@both_sides
@requirement("RFC4571-4-13", needs="offers:passive")
def test_connection_for_rtcp_is_accepted(upper, peer, side, pixit):
    """with    descriptions of a stream with RTCP, and a connection of ours to the IUT's candidate for RTP
    when    we connect to its candidate for RTCP and send a check
    then    the IUT accepts the connection and answers."""
    iut = negotiate(upper, peer, side, components=2, peer_tcptypes="active")
    needs_rtcp(iut)
    peer.connect(iut.candidate(tcptype="passive")).send(RFC4571() / peer.check(iut))
    connection = peer.expect_accept(iut.candidate(tcptype="passive", component=2))
    connection.send(RFC4571() / peer.check(iut, component=2))
    connection.expect(BindingSuccess, within=pixit.response)

"""RFC 4571 section 3: a direction of a connection carries packets of several synchronization sources."""

from __future__ import annotations

from conformance.suites.establishing import establish, establish_components
from conformance.suites.marks import both_sides, requirement, varied
from conformance.suites.media import await_delivered, await_sent, send_each
from conformance.suites.values import OTHER_SOURCE, SOURCE, rtcp, rtp
from conformance.wire.rfc4571 import frame

_RTP, _OTHER_RTP = rtp(1, b"of one source"), rtp(1, b"of another", OTHER_SOURCE)
_RTCP, _OTHER_RTCP = rtcp(SOURCE), rtcp(OTHER_SOURCE)


@varied("family", "roles", "segmentation")
@requirement("RFC4571-3-02", needs="reports:data")
def test_rtp_of_two_sources_is_delivered(upper, peer, side, pixit):
    """with    ICE completed, and an RTP packet of one source delivered
    when    packets of that source and of another one arrive in turn
    then    the IUT's application receives all of them."""
    selected = establish(upper, peer, side)
    await_delivered(upper, peer, selected, _RTP)
    packets = [_OTHER_RTP, _RTP, _OTHER_RTP]
    selected.send(b"".join(map(frame, packets)))
    upper.expect_data(b"".join(packets), within=pixit.response)


@varied("family", "roles")
@requirement("RFC4571-3-02")
def test_rtp_of_two_sources_is_sent(upper, peer, side, pixit):
    """with    ICE completed, and an RTP packet of one source sent by the IUT's application
    when    it sends packets of that source and of another one in turn
    then    all of them come."""
    selected = establish(upper, peer, side)
    await_sent(upper, peer, selected, _RTP)
    packets = [_OTHER_RTP, _RTP, _OTHER_RTP]
    send_each(upper, packets)
    selected.expect_data(b"".join(packets), within=pixit.response)


@both_sides
@requirement("RFC4571-3-03", needs="offers:passive reports:data")
def test_rtcp_of_two_sources_is_delivered(upper, peer, side, pixit):
    """with    ICE completed for RTP and RTCP, and an RTCP packet of one source delivered
    when    packets of that source and of another one arrive in turn
    then    the IUT's application receives all of them."""
    _, selected = establish_components(upper, peer, side, 2)
    await_delivered(upper, peer, selected, _RTCP)
    packets = [_OTHER_RTCP, _RTCP, _OTHER_RTCP]
    selected.send(b"".join(map(frame, packets)))
    upper.expect_data(b"".join(packets), component=2, within=pixit.response)


@both_sides
@requirement("RFC4571-3-03", needs="offers:passive")
def test_rtcp_of_two_sources_is_sent(upper, peer, side, pixit):
    """with    ICE completed for RTP and RTCP, and an RTCP packet of one source sent by the IUT's application
    when    it sends packets of that source and of another one in turn
    then    all of them come."""
    _, selected = establish_components(upper, peer, side, 2)
    await_sent(upper, peer, selected, _RTCP)
    packets = [_OTHER_RTCP, _RTCP, _OTHER_RTCP]
    send_each(upper, packets, component=2)
    selected.expect_data(b"".join(packets), within=pixit.response)

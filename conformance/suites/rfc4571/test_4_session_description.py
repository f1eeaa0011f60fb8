"""RFC 4571 section 4: the media section of a TCP/RTP/AVP stream."""

from __future__ import annotations

from conformance.suites.marks import requirement, varied
from conformance.suites.negotiation import obtain_description


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
    bandwidth = iut.sdp.values("b") + media.bandwidth
    assert {"RS:0", "RR:0"} <= set(bandwidth), f"bandwidth lines: {bandwidth}"

"""RFC 6544 section 4.3: the default candidate."""

from __future__ import annotations

from conformance.suites.marks import requirement
from conformance.suites.values import both_transports


@requirement("RFC6544-4.3-01", needs="sides:offerer")
def test_default_for_rtp_is_udp(upper):
    """with    the IUT having UDP and TCP candidates for RTP
    when    it offers them
    then    the media line is one of UDP, and its port is no TCP candidate's alone."""
    offer = upper.offer(transports=["udp", "tcp"])
    udp, tcp = both_transports(offer)
    media = offer.media()
    assert not media.proto.upper().startswith("TCP"), f"the media line says {media.proto}"
    tcp_alone = {c.port for c in tcp} - {c.port for c in udp} - {9}
    assert media.port not in tcp_alone, f"the default port {media.port} is a TCP candidate's"


@requirement("RFC6544-4.3-03", needs="offers:active connects:active")
def test_default_of_an_offer_is_active(upper):
    """with    a full IUT with active candidates
    when    it offers a byte stream, which is TCP by nature
    then    its default is active: setup:active."""
    media = upper.offer(media="bytes").media()
    assert media.setup == "active", f"a=setup:{media.setup}"


@requirement("RFC6544-4.3-04", needs="offers:passive")
def test_default_of_a_lite_offer_is_passive(upper):
    """with    a lite IUT
    when    it offers a byte stream, which is TCP by nature
    then    its default is passive: setup:passive, and a passive candidate's port in the media line."""
    offer = upper.offer(agent="lite", media="bytes")
    media, ports = offer.media(), {c.port for c in offer.candidates(tcptype="passive", component=1)}
    assert media.setup == "passive", f"a=setup:{media.setup}"
    assert media.port in ports, f"port {media.port} is no passive candidate's"

"""RFC 3264 section 8.2: streams of port 0."""

from __future__ import annotations

from conformance.peer.describe import joined
from conformance.suites.marks import requirement
from conformance.suites.sections import disabled


@requirement("RFC3264-8.2-02")
def test_port_0_is_answered_by_port_0(upper, peer):
    """with    our offer of two sections, the second of port 0
    when    the IUT answers it
    then    the second section of its answer has port 0."""
    offer = joined([peer.offer("active"), disabled(peer.offer("active", mid="1"))])
    media = upper.answer_unless_rejected(offer).media(1)
    assert media.port == 0, f"it has port {media.port}"

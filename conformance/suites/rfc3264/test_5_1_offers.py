"""RFC 3264 section 5.1: streams of an offer."""

from __future__ import annotations

from conformance.peer.describe import joined
from conformance.suites.establishing import establish
from conformance.suites.marks import requirement
from conformance.suites.sections import with_port_0
from conformance.suites.values import DATA
from conformance.wire.rfc4571 import frame


@requirement("RFC3264-5.1-05", needs="connects:active sdp:full")
def test_stream_that_is_offered_with_port_0_is_not_used(upper, peer):
    """with    our offer of two sections with a passive candidate each, the second of port 0
    when    the IUT has answered and connected to the first one's candidate
    then    it does not connect to the second one's."""
    first, second = peer.listen(), peer.listen()
    used = peer.offer(candidates=[peer.candidate("passive", port=first.port)])
    spare = peer.offer(candidates=[peer.candidate("passive", port=second.port)], mid="1")
    upper.answer_unless_rejected(joined([used, with_port_0(spare)]))
    peer.await_connection(first)
    peer.expect_no_connection(second)


@requirement("RFC3264-5.1-21", needs="payload:raw reports:data")
def test_offerer_is_ready_for_media(upper, peer, pixit):
    """with    the IUT having offered, and ICE completed
    when    media come at once
    then    the IUT's application receives them."""
    selected = establish(upper, peer, "offerer")
    selected.send(frame(DATA))
    upper.expect_data(DATA, within=pixit.response)

"""RFC 6544 section 7: each of several streams is checked over connections of its own."""

from __future__ import annotations

from conformance.peer.events import BindingRequest, BindingSuccess
from conformance.suites.case import crosswise, requirement
from conformance.suites.streams import exchange
from conformance.wire.layers import RFC4571


@crosswise
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive streams:2 profile:plain")
def test_candidates_of_every_stream_accept(upper, peer, side, pixit):
    """with    descriptions of two streams exchanged
    when    we connect to a passive candidate of each and check with its stream's credentials
    then    the IUT accepts both connections and answers both checks."""
    for stream in exchange(upper, peer, side):
        channel = peer.expect_accept(stream.candidate(tcptype="passive"))
        channel.send(RFC4571() / peer.check(stream))
        channel.expect(BindingSuccess, within=pixit.response)


@crosswise
@requirement("RFC6544-7.1-s01", needs="connects:active streams:2 profile:plain")
def test_candidates_of_every_stream_are_checked(upper, peer, side, pixit):
    """with    descriptions of two streams exchanged, ours with a passive candidate for each
    when    the IUT checks
    then    it connects to both, and each check carries the credentials of its candidate's stream."""
    streams = exchange(upper, peer, side, peer_tcptypes="passive")
    for stream, listener in zip(streams, peer.listeners, strict=True):
        request = peer.expect_connection(listener).expect(BindingRequest, within=pixit.response)
        assert request.stun.username == f"{peer.ufrag}:{stream.ufrag}", f"USERNAME {request.stun.username}"

"""RFC 6544 section 7: each of several streams is checked over connections of its own."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites.checks import expect_answers, user_name_of
from conformance.suites.marks import crosswise, requirement
from conformance.suites.negotiation import negotiate_streams


@crosswise
@requirement("RFC6544-7.2-01", "RFC6544-7.2-02", needs="offers:passive streams:2")
def test_candidates_of_every_stream_accept(upper, peer, side, pixit):
    """with    descriptions of two streams exchanged
    when    we connect to a passive candidate of each and check with its stream's credentials
    then    the IUT accepts both connections and answers both checks."""
    streams = negotiate_streams(upper, peer, side)
    connections = peer.expect_all_accepted(stream.candidate(tcptype="passive") for stream in streams)
    expect_answers(peer, zip(streams, connections, strict=True))


@crosswise
@requirement("RFC6544-7.1-s01", needs="connects:active streams:2")
def test_candidates_of_every_stream_are_checked(upper, peer, side, pixit):
    """with    descriptions of two streams exchanged, ours with a passive candidate for each
    when    the IUT checks
    then    it connects to both, and each check carries the credentials of its candidate's stream."""
    streams = negotiate_streams(upper, peer, side, peer_tcptypes="passive")
    connections = [peer.expect_connection(listener) for listener in peer.listeners]
    names = [user_name_of(connection.await_frame(BindingRequest, within=pixit.response)) for connection in connections]
    own = [stream.ufrag in name.split(":") for stream, name in zip(streams, names, strict=True)]
    assert all(own), f"USERNAME of the checks: {names}"

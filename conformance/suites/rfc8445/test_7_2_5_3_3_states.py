"""RFC 8445 section 7.2.5.3.3: what a success does to the states of other pairs."""

from __future__ import annotations

from conformance.peer.events import BindingRequest
from conformance.suites import order
from conformance.suites.marks import requirement
from conformance.suites.negotiation import negotiate
from conformance.wire.layers import RFC4571


@requirement("RFC8445-7.2.5.3.3-01", needs="offers:active sides:answerer")
def test_success_lets_the_foundation_go(upper, peer, pixit):
    """with    two passive candidates of ours of one foundation, and eight others of lower priority
    when    the check of the first has succeeded, and no other is answered
    then    the IUT checks the second before the last of the others."""
    peer.answering = False
    first = peer.listen()
    ours = [peer.candidate("passive", port=first.port, foundation="same", priority=9000)]
    ours += [peer.candidate("passive", foundation="same", priority=8000)]
    ours += [peer.candidate("passive", foundation=f"other{n}", priority=7000 - n) for n in range(8)]
    iut = negotiate(upper, peer, "answerer", peer_candidates=ours)
    iut.needs_one_base()
    connection = peer.await_connection(first)
    request = connection.await_frame(BindingRequest, within=pixit.response)
    connection.send(RFC4571() / peer.success(connection, request))
    connection.await_read(within=pixit.response)
    left = order.still_left(peer, ours[2:])
    second, last = ((ours[n].port, connection.remote_address.ip) for n in (1, -1))
    wrong = order.overtaken(peer, [second, last], within=pixit.connect, left=left)
    assert not wrong, f"the second pair of the foundation still waits: {wrong[0]}"

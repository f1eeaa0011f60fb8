"""Cases with several streams: each media section has candidates, credentials and connections of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer import describe
from conformance.suites.case import settle

if TYPE_CHECKING:
    from conformance.iut.description import Description
    from conformance.iut.upper import Upper
    from conformance.peer.channel import Channel
    from conformance.peer.tester import Peer

STREAMS = 2


def exchange(upper: Upper, peer: Peer, side: str, *, peer_tcptypes: str = "active") -> list[Description]:
    """Exchange descriptions of two streams; return what the IUT says of each (preamble).

    Candidates of ours are the streams' own, credentials are the same in both, as RFC 8839 section 5.4 allows.
    """
    if side == "offerer":
        theirs = upper.offer(streams=STREAMS)
        streams = [theirs.stream(n) for n in range(STREAMS)]
        answers = [peer.answer(stream.sdp, peer_tcptypes) for stream in streams]
        upper.accept(describe.joined(answers), kind="answer")
        return streams
    offers = [peer.offer(peer_tcptypes, mid=str(n)) for n in range(STREAMS)]
    theirs = upper.answer(describe.joined(offers))
    return [theirs.stream(n) for n in range(STREAMS)]


def establish(upper: Upper, peer: Peer, side: str) -> list[Channel]:
    """Bring ICE to completion for two streams; return the selected connection of each (preamble)."""
    streams = exchange(upper, peer, side)
    channels = [peer.connect(stream.candidate(tcptype="passive")) for stream in streams]
    for stream, channel in zip(streams, channels, strict=True):
        peer.complete(stream, channel)
    for channel in channels:
        settle(upper, peer, channel)
    upper.forget_data()
    return channels

"""What tests of the agent against a scripted peer begin with."""

from __future__ import annotations

from agent_simulation import Peer

from conformance.wire.sdp import SessionDescription

BOTH = frozenset({"active", "passive"})
ACTIVE, PASSIVE = frozenset({"active"}), frozenset({"passive"})


def pair_of(network, **more):
    return (
        network.host(offerer=True, addresses=["10.0.0.1"], **more),
        network.host(offerer=False, addresses=["10.0.0.2"], **more),
    )


def octet_by_octet(octets):
    return [octets[n : n + 1] for n in range(len(octets))]


def scripted(network, *, offerer=True, listeners=1, accept=True, foundations=True, **more):
    """An agent, a scripted peer and its listeners; descriptions exchanged."""
    a = network.host(offerer=offerer, **more)
    ears = [network.listen(port=6000 + n) for n in range(listeners)]
    peer = Peer("", "")
    lines = [
        peer.passive(ear.address, str(n) if foundations else "1", 2124414975 - n * 256) for n, ear in enumerate(ears)
    ]
    text = peer.description(*lines, peer.active, setup="passive" if offerer else "active")
    if not offerer:
        a.tell("accept", "offer", text)
    own = SessionDescription.parse(a.describe()).media[0]
    peer.iut_ufrag, peer.iut_pwd = own.ufrag, own.pwd
    if offerer and accept:
        a.tell("accept", "answer", text)
    return a, peer, ears, own


def base_of(own, tcptype="passive"):
    return next(c.endpoint for c in own.candidates if c.tcptype == tcptype)

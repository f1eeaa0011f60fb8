"""Whatever comes, the core neither raises nor spins, and takes nothing for the peer that has not authenticated."""

from __future__ import annotations

from agent_simulation import Network, Peer
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

_GOOD = [
    lambda peer: peer.check(controlling=True),
    lambda peer: peer.check(controlling=True, use_candidate=True),
    lambda peer: peer.check(controlling=False),
    lambda peer: peer.check(controlling=True, key=b"wrong"),
]
PIECES = st.one_of(
    st.binary(max_size=40).map(lambda octets: lambda peer: octets),
    st.binary(max_size=40).map(lambda octets: lambda peer: frame(octets)),
    st.sampled_from(_GOOD).map(lambda make: lambda peer: frame(make(peer))),
    st.tuples(st.sampled_from(_GOOD), st.integers(0, 127), st.integers(0, 255)).map(
        lambda spoilt: lambda peer: frame(_spoil(spoilt[0](peer), *spoilt[1:]))
    ),
)


def _spoil(octets, position, value):
    position %= len(octets)
    return octets[:position] + bytes([value]) + octets[position + 1 :]


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(PIECES, max_size=8), outgoing=st.booleans(), size=st.integers(1, 50), end=st.booleans())
def test_anything_may_come(pieces, outgoing, size, end):
    network = Network(lambda octets: [octets[n : n + size] for n in range(0, len(octets), size)])
    host = network.host(offerer=outgoing)
    ear = network.listen()
    peer = Peer("", "")
    text = peer.description(peer.passive(ear.address), setup="passive" if outgoing else "active")
    if not outgoing:
        host.tell("accept", "offer", text)
    own = SessionDescription.parse(host.describe()).media[0]
    peer.iut_ufrag, peer.iut_pwd = own.ufrag, own.pwd
    if outgoing:
        host.tell("accept", "answer", text)
        network.run(0.02)
        connection = ear.ends[0]
    else:
        connection = network.dial(next(c.endpoint for c in own.candidates if c.tcptype == "passive"))
    checks = False
    for piece in pieces:
        octets = piece(peer)
        checks = checks or len(octets) > 2 + 40  # nothing else is that long
        if connection.open:
            connection.send(octets)
            network.run(0.01)
    if end:
        connection.close()
    network.run(60)
    assert checks or not host.data

"""What did not come to our socket, but stands in the recording, fails nobody."""

from __future__ import annotations

import time

import pytest

from conformance.peer.events import BindingSuccess, Data
from conformance.peer.recorded import Packet
from conformance.verdict import Failed, Inconclusive
from conformance.wire.attributes import Address
from conformance.wire.layers import binding_success
from conformance.wire.tcp import ACK, RST, SYN, Segment, build
from conformance.wire.udp import Datagram
from conformance.wire.udp import build as build_datagram

IUT = Address("198.18.0.1", 4000)


def recorded(peer, *packets: bytes) -> None:
    peer.recorded = lambda: [Packet(time.monotonic(), octets) for octets in packets]


def test_a_success_that_left_by_another_interface(peer) -> None:
    udp = peer.udp()
    request = peer.check(IutCredentials)
    udp.send(request, Address("127.0.0.1", 9))
    success = bytes(binding_success(bytes(request)[8:20], udp.local_address, "i" * 22))
    with pytest.raises(Failed, match="did not come"):
        udp.expect(BindingSuccess, within=0)
    recorded(peer, build_datagram(Datagram(IUT, Address("127.16.1.1", 1), success)))
    with pytest.raises(Failed, match="did not come"):
        udp.expect(BindingSuccess, within=0)  # it is another's
    recorded(peer, b"", build_datagram(Datagram(IUT, udp.local_address, success)))
    with pytest.raises(Inconclusive, match="is in the recording but did not reach our socket"):
        udp.expect(BindingSuccess, within=0)
    with pytest.raises(Failed):
        udp.expect(Data, within=0)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [([], Inconclusive), ([SYN | ACK], Failed), ([RST | ACK], Failed)],
    ids=["unseen", "accepted", "refused"],
)
def test_a_syn_that_left_by_another_interface(peer, answer, outcome) -> None:
    """One that our kernel has answered did reach us: that no connection came of it is the IUT's doing."""
    listener = peer.listen()
    base = Address(peer.address, listener.port)
    packets = [build(Segment(IUT, base, 7, 0, SYN)), *(build(Segment(base, IUT, 1, 8, flags)) for flags in answer)]
    recorded(peer, *packets)
    with pytest.raises(outcome):
        peer.expect_connection(within=0)
    with pytest.raises(Failed):
        peer.expect_connection(peer.listen(), within=0)  # at another port none came


class IutCredentials:
    ufrag, pwd, lite, answered_setup = "iutf", "i" * 22, False, None
    fragments = ("iutf",)

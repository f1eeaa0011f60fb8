"""What tests of the lower tester script at the other end of its connections."""

from __future__ import annotations

import socket

from conformance.peer.pixit import Pixit
from conformance.peer.tester import Peer
from conformance.wire.layers import RFC4571, binding_request
from conformance.wire.rfc4571 import Deframer

PIXIT = Pixit(response=2.0, connect=2.0, complete=0.3, decides=0.5, close=2.0, silence=0.05)


class Iut:
    """Credentials of an IUT that the test plays itself, over a plain socket."""

    ufrag, pwd, lite, answered_setup = "iutf", "i" * 22, False, None
    fragments = ("iutf",)

    def hosts(self, _tcptype=None):
        return []


def everything(other: socket.socket, frames: int) -> list[bytes]:
    deframer, got = Deframer(), []
    while len(got) < frames:
        octets = other.recv(65536)
        assert octets
        got += deframer.feed(octets)
    return got


def check_of_the_iut(peer: Peer, **change):
    fields = {
        "username": f"{peer.ufrag}:{Iut.ufrag}", "password": peer.pwd, "priority": 1, "controlling": 2,
        "transaction_id": b"from the IUT",
    }  # fmt: skip
    return RFC4571() / binding_request(**{**fields, **change})


def ask(peer: Peer, connection) -> bytes:
    """Send a check and return its transaction id."""
    request = peer.check(Iut(), transaction_id=b"from us, yes")
    connection.send(RFC4571() / request)
    return b"from us, yes"

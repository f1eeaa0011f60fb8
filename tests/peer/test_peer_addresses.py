"""What the IUT names as its addresses does not come to a socket unchecked."""

from __future__ import annotations

import pytest

from conformance.verdict import Inconclusive
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate

FLAWS = [
    ("host.local", 5000, "a name"),
    ("localhost", 5000, "a name"),
    ("fe80::1%lo", 5000, "a zone"),
    ("0.0.0.0", 5000, "unspecified"),
    ("::", 5000, "unspecified"),
    ("255.255.255.255", 5000, "broadcast"),
    ("224.0.0.251", 5000, "multicast"),
    ("::ffff:127.0.0.1", 5000, "IPv4-mapped"),
    ("127.0.0.1", 0, "port 0"),
]


@pytest.mark.parametrize(("address", "port", "why"), FLAWS)
@pytest.mark.parametrize("how", ["connect", "expect_accept", "connect_if_possible"])
@pytest.mark.parametrize("tcptype", ["passive", "so"])
def test_nobody_connects_there(peer, monkeypatch, address, port, why, how, tcptype) -> None:
    monkeypatch.setattr(peer.sockets, "connect", lambda *_: pytest.fail("it came to a socket"), raising=False)
    candidate = Candidate("1", 1, "TCP", 1, address, port, "host", tcptype=tcptype)
    with pytest.raises(Inconclusive, match=why):
        getattr(peer, how)(candidate)


@pytest.mark.parametrize(("address", "port", "why"), FLAWS)
def test_no_datagram_goes_there(peer, address, port, why) -> None:
    udp = peer.udp()
    with pytest.raises(Inconclusive, match=why):
        udp.send(b"octets", Address(address, port))

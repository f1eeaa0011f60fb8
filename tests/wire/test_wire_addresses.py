"""Addresses from elsewhere: which of them may come to a socket."""

from __future__ import annotations

import socket

import pytest

from conformance.wire.addresses import flaw


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "192.0.2.7", "::1", "FD80::0:1", "169.254.1.1", "fd6d::1", "127.255.255.255"]
)
def test_what_can_be_sent_to_has_no_flaw(address) -> None:
    assert flaw(address, 9) == ""
    assert flaw(address, 0) == "says port 0"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("1b4e28ba-2fa1-41d2-883f-0016d3cca427.local", "a name"),
        ("localhost", "a name"),
        ("", "a name"),
        ("127.1", "a name"),  # which getaddrinfo would take
        ("0x7f000001", "a name"),
        ("2130706433", "a name"),
        ("127.0.0.1 ", "a name"),
        ("[::1]", "a name"),
        ("\u0661.1.1.1", "a name"),
        ("fe80::1%eth0", "zone"),
        ("fe80::1%", "zone"),
        ("FE80::0:1", "link-local"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("0:0:0::0", "unspecified"),
        ("224.0.0.251", "multicast"),
        ("ff02::fb", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::FFFF:7f00:1", "IPv4-mapped"),
    ],
)
def test_what_must_not_come_to_a_socket(address, why, monkeypatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("it asks the resolver"))
    assert why in flaw(address, 9)

"""What the kernel's tables tell of the IUT's ends of connections."""

from __future__ import annotations

import socket
import time

import pytest

from conformance.peer import sockdiag
from conformance.peer.kernel_tables import outstanding_attempts, unread
from conformance.peer.silence import SilentPort
from conformance.wire.attributes import Address


@pytest.fixture(params=["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def pair(request):
    """Two ends of a connection, over IPv4, IPv6 and from a socket of both families."""
    address = request.param
    listening = "127.0.0.1" if address.startswith("::ffff") else address
    with socket.create_server((listening, 0), family=socket.AF_INET6 if ":" in listening else socket.AF_INET) as server:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        client = socket.socket(family)
        client.connect((address, server.getsockname()[1]))
        other, _ = server.accept()
        with client, other:
            yield client, other


@pytest.fixture(params=["asked of the kernel", "read in /proc"], autouse=True)
def source(request, monkeypatch):
    """Both ways to know: a kernel may lack tcp_diag."""
    if request.param == "read in /proc":
        monkeypatch.setattr(sockdiag, "_ask", lambda *_: None)
        sockdiag._knows_tcp.cache_clear()
    yield request.param
    sockdiag._knows_tcp.cache_clear()


def ends(client, other):
    theirs, ours = client.getsockname(), other.getsockname()
    return Address(theirs[0].removeprefix("::ffff:"), theirs[1]), Address(ours[0], ours[1])


def until(condition) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_what_is_not_read_is_counted_until_it_is(pair) -> None:
    client, other = pair
    owner, sender = ends(client, other)
    assert unread(owner, sender) == 0
    other.sendall(b"seven!!")
    assert until(lambda: unread(owner, sender) == 7)
    client.recv(3)
    assert unread(owner, sender) == 4
    client.recv(100)
    assert unread(owner, sender) == 0


def test_a_kernel_that_finds_no_tcp_socket_at_all_is_not_believed(source) -> None:
    owner, other = Address("127.0.0.1", 1), Address("127.0.0.1", 2)
    if source == "read in /proc":
        with pytest.raises(sockdiag.Unsupported, match="no tcp_diag"):
            sockdiag.unread(owner, other)
    else:
        assert sockdiag.unread(owner, other) is None


def test_a_listening_socket_is_not_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert unread(Address(*server.getsockname()), Address("127.0.0.1", 9)) is None


def test_of_a_connection_elsewhere_nothing_is_known() -> None:
    assert unread(Address("192.0.2.1", 1), Address("127.0.0.1", 2)) is None


@pytest.mark.parametrize("mapped", [False, True])
def test_attempts_are_counted_whatever_family_their_socket_is_of(mapped) -> None:
    address = "127.16.203.1"
    silent = SilentPort(address)
    attempt = socket.socket(socket.AF_INET6 if mapped else socket.AF_INET)
    attempt.setblocking(False)
    with pytest.raises(BlockingIOError):
        attempt.connect((f"::ffff:{address}" if mapped else address, silent.port))
    with attempt:
        assert len(outstanding_attempts(address)) == 1
    silent.close()
    assert not outstanding_attempts(address)

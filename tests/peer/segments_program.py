"""Our own TCP against the kernel's, in a network of its own: run as a child process, prints what went wrong."""

from __future__ import annotations

import random
import select
import socket
import sys

from conformance.peer import lab

unavailable = lab.enter()
assert unavailable is None, unavailable
wire = lab.lay_wire()
assert isinstance(wire, lab.Wire), wire

from scapy.layers.inet import TCP  # noqa: E402  (heavy; the network first, while there is one thread)

from conformance.peer.connection import Connection  # noqa: E402
from conformance.peer.pump import Pump  # noqa: E402
from conformance.peer.segments.script import SegmentConnection, Segments  # noqa: E402
from conformance.run.recording import SilentTap  # noqa: E402

FAMILY = sys.argv[1]
KIND = socket.AF_INET6 if FAMILY == "IPv6" else socket.AF_INET
IUT, OURS = lab.WIRE_IUT[FAMILY], lab.wire_address(FAMILY, 1)
pump = Pump()
segments = Segments(wire, OURS, pump, random.Random(1))


def kernel_socket() -> socket.socket:
    sock = socket.socket(KIND)
    sock.bind((IUT, 0))
    sock.setblocking(False)
    return sock


def connection(pipe) -> SegmentConnection:
    made = SegmentConnection(pipe, pump, SilentTap(), outgoing=True, component=1)
    assert isinstance(made, Connection)
    return made


def received(sock: socket.socket, count: int) -> bytes:
    got = b""

    def enough() -> bool:
        nonlocal got
        while select.select([sock], [], [], 0)[0]:
            piece = sock.recv(65536)
            got += piece
            if not piece:
                return True
        return len(got) >= count

    def soon() -> bool:
        return any(pump.wait(enough, 0.01) for _ in range(300))

    assert soon(), got
    return got


def established(backlog=8):
    server = socket.create_server((IUT, 0), family=KIND, backlog=backlog)
    ours = connection(segments.connect(OURS, server.getsockname()[:2], 2.0))
    theirs = server.accept()[0]
    theirs.setblocking(False)
    server.close()
    return ours, theirs


def check_handshakes() -> None:
    ours, theirs = established()
    door = segments.listen(OURS, 0)
    client = kernel_socket()
    client.connect_ex((OURS, door.port))
    assert pump.wait(lambda: any(pipe.is_open for pipe in door.coming), 2.0)
    accepted = connection(door.accept()[0])
    accepted.send(b"x" * 100_000)
    assert received(client, 100_000) == b"x" * 100_000, "larger than any window"
    ours.close()
    assert received(theirs, 1) == b"", "FIN"


def check_simultaneous_opens() -> None:
    for ending in ("syn-ack", "ack", "data"):
        for _ in range(70):
            door = segments.port("cross")
            door.ending = ending
            client = kernel_socket()
            client.connect_ex((OURS, door.port))
            assert pump.wait(lambda door=door: any(pipe.is_open for pipe in door.coming), 2.0), ending
            pipe = door.accept()[0]
            assert pipe.tcp.crossed
            assert [segment.flags & 0x12 for segment in pipe.tcp.seen[:2]] == [0x02, 0x12], pipe.tcp.seen
            pipe.send(b"crossed")
            assert received(client, 7) == b"crossed", ending
            client.close()
            pipe.close()
            door.close()


def check_crossing_beside_a_listener() -> None:
    """An S-O base listens at the port from which it connects: the SYN that crosses is for the connection."""
    server = socket.socket(KIND)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((IUT, 0))
    server.listen(8)
    server.setblocking(False)
    for _ in range(200):
        door = segments.port("cross")
        client = socket.socket(KIND)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        client.bind(server.getsockname()[:2])
        client.setblocking(False)
        client.connect_ex((OURS, door.port))
        assert pump.wait(lambda door=door: any(pipe.is_open for pipe in door.coming), 2.0)
        pipe = door.accept()[0]
        assert pipe.tcp.crossed
        pipe.send(b"crossed")
        assert received(client, 7) == b"crossed"
        assert not select.select([server], [], [], 0)[0], "the listener has got nothing"
        client.close()
        pipe.close()
        door.close()
    server.close()


def check_a_lost_syn() -> None:
    """A full backlog loses SYNs; ours comes again."""
    server = socket.create_server((IUT, 0), family=KIND, backlog=0)
    first = segments.connect(OURS, server.getsockname()[:2], 2.0)
    second = segments.link.connect(OURS, first.tcp.remote)
    pump.wait(lambda: False, 0.2)
    assert not second.is_open, "the backlog is full"
    server.accept()
    assert pump.wait(lambda: second.is_open, 3.0)
    server.close()


def check_the_kernels_shut_window() -> None:
    """What the kernel has no room for comes when it has, and FIN behind it."""
    ours, theirs = established()
    octets = bytes(range(256)) * 65536
    ours.socket.send(octets)
    ours.half_close()
    pump.wait(lambda: False, 0.5)
    assert not ours.socket.tcp.fin_sent, "the window is shut"
    assert received(theirs, len(octets)) == octets
    assert received(theirs, 1) == b"", "FIN"


def check_simultaneous_close() -> None:
    ours, theirs = established()
    theirs.shutdown(socket.SHUT_WR)
    ours.half_close()
    assert pump.wait(lambda: not ours.is_open and not ours.socket.tcp.outstanding, 2.0)
    assert received(theirs, 1) == b""


def check_arrangements() -> None:
    ours, theirs = established()
    octets = bytes(range(200))
    ours.arrange(octets, (100, 200), (50, 150), (50, 60), (0, 60))
    assert received(theirs, 200) == octets
    ours.arrange(octets, (0, 10), (20, 200))  # a hole: filled by what a TCP does by itself
    assert received(theirs, 200) == octets
    ours.arrange(octets, (20, 200), recover=False)
    pump.wait(lambda: False, 0.5)
    assert not select.select([theirs], [], [], 0)[0], "what lies behind a hole is not read"


def check_windows() -> None:
    ours, theirs = established()
    ours.announce_window(0)
    pump.wait(lambda: False, 0.05)
    theirs.send(b"waits")
    ours.await_probe(within=3.0)
    assert not ours.socket.tcp.incoming
    ours.announce_window(65535)
    assert pump.wait(lambda: ours.socket.tcp.rcv_nxt - ours.socket.tcp.irs - 1 == 5, 3.0), "after a probe it comes"
    ours.acknowledge(False)
    theirs.send(b"again")
    repeated = len(segments.link.log)
    assert pump.wait(lambda: sum(s.data == b"again" for _, s in segments.link.log[repeated - 1 :]) >= 2, 3.0)


def check_ends() -> None:
    ours, theirs = established()
    ours.half_close()
    assert received(theirs, 1) == b""
    theirs.send(b"still")
    assert pump.wait(lambda: ours.socket.tcp.rcv_nxt - ours.socket.tcp.irs - 1 == 5, 2.0)
    theirs.close()
    assert pump.wait(lambda: not ours.is_open, 2.0)
    ours, theirs = established()
    ours.transmit(TCP(flags="R"))
    pump.wait(lambda: False, 0.05)
    assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 104, "reset"
    ours, theirs = established()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()
    assert pump.wait(lambda: not ours.is_open, 2.0)
    assert ours.events[-1].reset


def check_unreachable() -> None:
    numbers = {"refuse": 111, "port": 111, "host": 113, "silent": 0}
    for behaviour, number in numbers.items():
        door = segments.port(behaviour)
        client = kernel_socket()
        client.connect_ex((OURS, door.port))
        segments.expect_syn(door, within=1.0)
        pump.wait(lambda: False, 0.05)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == number, behaviour
        client.close()


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
segments.close()
print("done")

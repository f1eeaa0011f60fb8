"""Where the lower tester's connections come from: the kernel's sockets, unless a case speaks in segments."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from conformance.peer import silence
from conformance.peer.addresses import family_of
from conformance.peer.connection import Connection

if TYPE_CHECKING:
    from conformance.peer.namespace import Namespace
    from conformance.peer.segments.pipe import Doorway, Pipe

BACKLOG = 64


class KernelSockets:
    """Connections of the kernel's TCP. `segments.script.Segments` has the same methods and a TCP of its own.

    `network`: where the sockets are made, if not in the run's own network.
    """

    connection: type[Connection] = Connection  # what is made of a connection
    own_tcp = False  # whether a script decides what becomes of a SYN

    def __init__(self, network: Namespace | None = None) -> None:
        self.network = network

    def make(self, address: str, kind: socket.SocketKind) -> socket.socket:
        """Return a socket that is not bound yet, for an address of ours."""
        with self.network.inside() if self.network is not None else contextlib.nullcontext():
            return socket.socket(family_of(address), kind)

    def connect(self, source: str, target: tuple[str, int], within: float, port: int = 0) -> socket.socket | Pipe:
        """Connect from an address of ours; from a `port`, also one on which we listen. Raises `OSError`."""
        sock = self.make(source, socket.SOCK_STREAM)
        try:
            if port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((source, port))
            sock.settimeout(within)
            sock.connect(target)
        except OSError:
            sock.close()
            raise
        return sock

    def listen(self, address: str, port: int) -> socket.socket | Doorway:
        """Return a listening socket; port 0: any. Raises `OSError`."""
        sock = self.make(address, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port == 0:  # a port of its own, never another case's
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((address, port))
            sock.listen(BACKLOG)
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def refusing_port(self, address: str) -> int:
        """Return a port at which a connection is refused."""
        with self.make(address, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
            return int(probe.getsockname()[1])

    def silent_port(self, address: str) -> silence.SilentPort | Doorway:
        """Return a port at which a SYN meets no answer."""
        return silence.SilentPort(address, lambda: self.make(address, socket.SOCK_STREAM))

    def close(self) -> None:
        """Nothing to do: every socket has its owner."""

"""Where the lower tester's connections come from: the kernel's sockets, unless a case speaks in segments."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from conformance.peer import silence
from conformance.peer.addresses import family_of
from conformance.peer.channel import Channel

if TYPE_CHECKING:
    from conformance.peer.segments.pipe import Doorway, Pipe

BACKLOG = 64


class KernelSockets:
    """Connections of the kernel's TCP. `segments.script.Segments` has the same methods and a TCP of its own."""

    channel: type[Channel] = Channel  # what is made of a connection

    def connect(self, source: str, target: tuple[str, int], within: float, port: int = 0) -> socket.socket | Pipe:
        """Connect from an address of ours; from a `port`, also one on which we listen. Raises `OSError`."""
        sock = socket.socket(family_of(target[0]), socket.SOCK_STREAM)
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
        sock = socket.socket(family_of(address), socket.SOCK_STREAM)
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
        return silence.refusing_port(address)

    def silent_port(self, address: str) -> silence.SilentPort | Doorway:
        """Return a port at which a SYN meets no answer."""
        return silence.SilentPort(address)

    def close(self) -> None:
        """Nothing to do: every socket has its owner."""

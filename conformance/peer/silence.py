"""Ports that do not answer: what happens to a connection attempt there."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from conformance.peer.addresses import family_of

if TYPE_CHECKING:
    from collections.abc import Callable


class SilentPort:
    """A port that neither accepts nor refuses: its accept queue is full, so the kernel drops further SYNs."""

    def __init__(self, address: str, make: Callable[[], socket.socket] | None = None) -> None:
        """Open it; `make` returns sockets of the tester's network."""
        self._make = make or (lambda: socket.socket(family_of(address), socket.SOCK_STREAM))
        self._server = self._make()
        self._server.bind((address, 0))
        self._server.listen(0)
        self.port: int = self._server.getsockname()[1]
        self._fillers: list[socket.socket] = []
        self._fill(address)

    def _fill(self, address: str) -> None:
        """Connect until a connection no longer comes about at once."""
        for _ in range(8):
            filler = self._make()
            filler.bind((address, 0))  # from here, so that nobody takes it for an attempt of the IUT
            filler.setblocking(False)
            self._fillers.append(filler)
            with contextlib.suppress(BlockingIOError):
                filler.connect((address, self.port))
            filler.settimeout(0.05)
            try:
                filler.getpeername()
            except OSError:  # not connected: the queue is full
                filler.close()
                return

    def close(self) -> None:
        """Release the sockets."""
        for filler in self._fillers:
            filler.close()
        self._server.close()


def is_shared(address: str) -> bool:
    """Whether the IUT uses an address as well as the tester: outside the lab there is one IPv6 address for all."""
    return address == "::1"

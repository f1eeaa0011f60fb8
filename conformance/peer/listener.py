"""The base of a passive or simultaneous-open candidate of ours: where it listens, and what comes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.wire.attributes import Address

if TYPE_CHECKING:
    from conformance.peer.connecting import Connecting


class Listener:
    """A listening socket of a passive or S-O candidate; what it accepts becomes a connection at once.

    From a port of its own connections can be opened as well, as S-O candidates do it (RFC 6544 appendix B).
    """

    def __init__(self, peer: Connecting, component: int, port: int, address: str) -> None:
        self._peer = peer
        self.component = component
        self.address = address
        self.socket = peer.sockets.listen(address, port)
        self.port: int = self.socket.getsockname()[1]

    def on_readable(self) -> None:
        """Accept what has come."""
        try:
            sock, name = self.socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        remote = Address(name[0], name[1])
        self._peer.adopt(sock, outgoing=False, component=self.component, listener=self, remote=remote)

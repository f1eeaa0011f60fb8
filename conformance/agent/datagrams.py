"""The UDP sockets of one agent, driven by the event loop."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from conformance.agent.events import Bind, Datagram
from conformance.agent.link import address_of, family_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from conformance.agent.agent import Agent

_LARGEST = 65535
_AT_ONCE = 64  # datagrams taken before others get their turn


class Datagrams:
    """Bound, non-blocking sockets by base. What the kernel does not take at once is lost, as datagrams may be."""

    def __init__(self, agent: Agent, loop: asyncio.AbstractEventLoop, pump: Callable[[], None]) -> None:
        """`pump` is called after the agent has been told something of the loop's accord."""
        self._agent = agent
        self._loop = loop
        self._pump = pump
        self._sockets: dict[int, socket.socket] = {}

    def carry_out(self, command: Bind | Datagram) -> None:
        """Do what the core wants of a UDP socket."""
        if isinstance(command, Bind):
            self._bind(command.base, command.ip)
        elif command.base in self._sockets:
            with contextlib.suppress(OSError):
                self._sockets[command.base].sendto(command.octets, (command.target.ip, command.target.port))

    def close(self, base: int) -> None:
        """Release the socket of a base, if it is one of UDP."""
        sock = self._sockets.pop(base, None)
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            sock.close()

    def _bind(self, base: int, ip: str) -> None:
        sock = socket.socket(family_of(ip), socket.SOCK_DGRAM)
        try:
            sock.bind((ip, 0))
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            self._agent.listen_failed(base, error.strerror or str(error), self._loop.time())
            return
        self._sockets[base] = sock
        self._loop.add_reader(sock.fileno(), self._on_readable, base, sock)
        self._agent.listening(base, sock.getsockname()[1], self._loop.time())

    def _on_readable(self, base: int, sock: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            if sock.fileno() < 0:  # closed by what the datagram before brought about
                return
            try:
                octets, source = sock.recvfrom(_LARGEST)
            except OSError:  # none left, or the news that an earlier one could not be delivered
                return
            self._agent.datagram(base, address_of(source), octets, self._loop.time())
            self._pump()

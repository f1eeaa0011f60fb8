"""Our own TCP behind the interface of a kernel socket: connections and listeners need not know the difference."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

from conformance.peer.pump import Source
from conformance.peer.segments.tcp import State, Tcp

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.wire.attributes import Address
    from conformance.wire.tcp import Segment


_FIRST_PAUSE = 0.3  # seconds: the wire loses nothing, but a full backlog may


class Pipe(Source):
    """A connection, with as much of a non-blocking socket's face as a connection uses."""

    def __init__(self, tcp: Tcp, forget: Callable[[Pipe], None]) -> None:
        super().__init__()
        self.tcp = tcp
        self._forget = forget
        self._end_told = False
        self._timed: object | None = None
        self._next_repeat, self._pause = 0.0, 1.0
        self._linger: tuple[bool, int] = (False, 0)

    @property
    def is_open(self) -> bool:
        """Whether the handshake is done."""
        return self.tcp.state is State.ESTABLISHED

    @property
    def is_ready(self) -> bool:
        """Whether something waits to be read by someone."""
        ended = (self.tcp.fin_received or self.tcp.reset) and not self._end_told
        return self.on_readable is not None and bool(self.tcp.incoming or ended)

    def serve(self) -> None:
        """Let the reader read all there is."""
        while self.is_ready and self.on_readable is not None:
            self.on_readable()

    def repeat(self, now: float) -> None:
        """Send the oldest segment again that has been out for a while; each time the pause doubles."""
        overdue = self.tcp.overdue
        if overdue is not self._timed:
            self._timed, self._pause, self._next_repeat = overdue, 1.0, now + _FIRST_PAUSE
        elif overdue is not None and now >= self._next_repeat and self.tcp.repeat():
            self._next_repeat = now + self._pause
            self._pause *= 2

    # -- a socket's face -----------------------------------------------------------------------------------------

    def recv(self, size: int, /) -> bytes:
        """Return what has come in order; empty at the other side's FIN."""
        if self.tcp.incoming:
            octets = bytes(self.tcp.incoming[:size])
            del self.tcp.incoming[:size]
            return octets
        if self.tcp.reset:
            self._end_told = True
            raise ConnectionResetError("reset")
        if self.tcp.fin_received:
            self._end_told = True
            return b""
        raise BlockingIOError

    def send(self, octets: bytes | memoryview, /) -> int:
        """Send what is given as one segment, as long as the other side's segments may be; never less than all."""
        if self.tcp.state is State.CLOSED or self.tcp.fin_sent or self.tcp.finishing:
            raise BrokenPipeError("closed")
        self.tcp.send(bytes(octets))
        return len(octets)

    def setblocking(self, _flag: bool, /) -> None:
        """It never blocks."""

    def setsockopt(self, level: int, name: int, value: int | bytes, /) -> None:
        """Note that closing shall reset (SO_LINGER); there is nothing else to set."""
        if (level, name) == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._linger = (True, 0)

    def getsockname(self) -> tuple[str, int]:
        """Return our address."""
        return self.tcp.local.ip, self.tcp.local.port

    def getpeername(self) -> tuple[str, int]:
        """Return the other side's address."""
        return self.tcp.remote.ip, self.tcp.remote.port

    def shutdown(self, _how: int, /) -> None:
        """Send FIN."""
        self.tcp.finish()

    def close(self) -> None:
        """Send FIN, or RST where that was asked for."""
        if self._linger[0]:
            self.tcp.abort()
        else:
            self.tcp.finish()
        self.on_readable = None
        self._forget(self)


class Doorway(Source):
    """A port of ours, and what it does with a SYN.

    "accept": SYN,ACK; "cross": a SYN of ours that meets it, with the `ending` of `Tcp.cross`; "silent": nothing;
    "refuse": RST; "network", "host", "port", "prohibited": ICMP destination unreachable.
    """

    def __init__(self, address: Address, behaviour: str, close: Callable[[Doorway], None]) -> None:
        super().__init__()
        self.address = address
        self.behaviour = behaviour
        self.ending = "syn-ack"
        self.syns: list[Segment] = []
        self.coming: deque[Pipe] = deque()
        self._close = close

    @property
    def port(self) -> int:
        """Its number."""
        return self.address.port

    @property
    def is_ready(self) -> bool:
        """Whether a connection waits to be accepted."""
        return self.on_readable is not None and any(pipe.is_open for pipe in self.coming)

    def serve(self) -> None:
        """Let the listener accept all there is."""
        while self.is_ready and self.on_readable is not None:
            self.on_readable()

    # -- a listening socket's face -------------------------------------------------------------------------------

    def accept(self) -> tuple[Pipe, tuple[str, int]]:
        """Return a connection whose handshake is done."""
        for pipe in self.coming:
            if pipe.is_open:
                self.coming.remove(pipe)
                return pipe, pipe.getpeername()
        raise BlockingIOError

    def setblocking(self, _flag: bool, /) -> None:
        """It never blocks."""

    def getsockname(self) -> tuple[str, int]:
        """Return the port's address."""
        return self.address.ip, self.address.port

    def close(self) -> None:
        """Treat the port as one without a socket from now on."""
        self._close(self)

"""One TCP socket of the agent, driven by the event loop without a task of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, Protocol

from conformance.wire.attributes import Address

if TYPE_CHECKING:
    import asyncio

CHUNK = 65536
HIGH_WATER = 65536  # octets waiting to go out above which the application is held up
LIMIT = 4 << 20  # ... and above which a peer that does not read is given up
_LINGER = 2.0  # seconds that a closed connection may still take to get rid of its octets


class Owner(Protocol):
    """Who is told what happens on a link."""

    def link_connected(self, link: Link, local: Address) -> None:
        """The connection stands."""
        ...

    def link_received(self, link: Link, octets: bytes) -> None:
        """Octets came."""
        ...

    def link_ended(self, link: Link, why: str) -> None:
        """The connection failed or was ended by the other side."""
        ...

    def link_drained(self) -> None:
        """Less than `HIGH_WATER` is waiting to go out."""
        ...


class Link:
    """A non-blocking socket with an output buffer. It reports its end once, and never after `close`."""

    def __init__(self, number: int, sock: socket.socket, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        self._socket = sock
        self._descriptor = sock.fileno()  # what asyncio looks up: of a socket it would ask for the addresses as well
        self._owner = owner
        self._loop = loop
        self._out = bytearray()
        self._closing: asyncio.TimerHandle | None = None
        self._gone = False
        sock.setblocking(False)

    @classmethod
    def connecting(
        cls, number: int, source: Address, target: Address, owner: Owner, loop: asyncio.AbstractEventLoop
    ) -> Link:
        """Begin to connect. The outcome is reported; raises `OSError` only if there can be no socket at all."""
        sock = socket.socket(family_of(target.ip), socket.SOCK_STREAM)
        link = cls(number, sock, owner, loop)
        try:
            # An S-O base listens and connects at one port, and after a restart perhaps at this one (RFC 6544 section
            # 9.2). Where the kernel chooses the port, it shares none by itself.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((source.ip, source.port))
            code = sock.connect_ex((target.ip, target.port))
        except OSError as error:
            code = error.errno or errno.EIO
        if code in (0, errno.EINPROGRESS):
            loop.add_writer(link._descriptor, link._on_connected)
        else:
            loop.call_soon(link._fail, os.strerror(code))
        return link

    def start(self) -> None:
        """Begin to read."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(self._descriptor, self._on_readable)

    @property
    def waiting(self) -> int:
        """Octets that the kernel has not taken yet."""
        return len(self._out)

    def write(self, octets: bytes) -> None:
        """Send octets after those written before."""
        if self._gone or self._closing is not None:
            return
        if self._out:
            self._out += octets
        else:
            self._out += octets[self._try_send(octets) :]
            if self._out and not self._gone:
                self._loop.add_writer(self._descriptor, self._on_writable)
        if len(self._out) > LIMIT:
            self._fail("the peer does not read")

    def close(self) -> None:
        """End the connection once everything written has gone out, or soon in any case."""
        if self._gone or self._closing is not None:
            return
        self._loop.remove_reader(self._descriptor)
        self._closing = self._loop.call_later(_LINGER, self._release)
        if not self._out:
            self._finish()

    def _finish(self) -> None:
        """Send FIN. What is still unread is read first: closing over it would send RST and lose what we wrote."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            for _ in range(16):
                if not self._socket.recv(CHUNK):
                    break
        self._release()

    def _release(self) -> None:
        if self._gone:
            return
        self._gone = True
        if self._closing is not None:
            self._closing.cancel()
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._socket.close()
        self._out.clear()

    def _fail(self, why: str) -> None:
        if self._gone:
            return
        quiet = self._closing is not None
        self._release()
        if not quiet:
            self._owner.link_ended(self, why)

    # -- what the event loop calls -------------------------------------------------------------------------

    def _on_connected(self) -> None:
        self._loop.remove_writer(self._descriptor)
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(os.strerror(code))
            return
        self.start()
        self._owner.link_connected(self, address_of(self._socket.getsockname()))

    def _on_readable(self) -> None:
        try:
            octets = self._socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error.strerror or "reset")
            return
        if octets:
            self._owner.link_received(self, octets)
        else:
            self._ended_by_peer()

    def _ended_by_peer(self) -> None:
        """Answer FIN with FIN, after what we still have to say."""
        self.close()
        self._owner.link_ended(self, "closed by the peer")

    def _on_writable(self) -> None:
        del self._out[: self._try_send(self._out)]
        if self._gone:
            return
        if len(self._out) < HIGH_WATER:
            self._owner.link_drained()
        if not self._out and not self._gone:
            self._loop.remove_writer(self._descriptor)
            if self._closing is not None:
                self._finish()

    def _try_send(self, octets: bytes | bytearray) -> int:
        try:
            return self._socket.send(octets)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._loop.call_soon(self._fail, error.strerror or "broken")
            return len(octets)


def family_of(ip: str) -> socket.AddressFamily:
    """Return the address family of an address in text form."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def address_of(name: tuple[str, int] | tuple[str, int, int, int]) -> Address:
    """Return what the socket module calls an address as ours."""
    return Address(name[0], name[1])

"""Drives one agent with real sockets on an asyncio event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from typing import TYPE_CHECKING

from conformance.agent.agent import Agent
from conformance.agent.config import Media
from conformance.agent.datagrams import Datagrams
from conformance.agent.decisions import Decisions
from conformance.agent.events import Bind, Close, Connect, Datagram, Event, Listen, Unlisten, Write
from conformance.agent.link import HIGH_WATER, Link, address_of, family_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.config import Config
    from conformance.agent.events import Output
    from conformance.wire.attributes import Address

_BACKLOG = 128
_PORTION = 32768  # octets of a byte stream that are handed to the core at once
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE = 0.5  # seconds without accepting when descriptors have run out
_ACCEPTS = 16  # connections taken from a listening socket before others get their turn


class Session:
    """An agent and its sockets. `on_event` gets the agent's events in order; call everything from the loop's thread."""

    def __init__(
        self,
        config: Config,
        on_event: Callable[[Event], None],
        decisions: type[Decisions] = Decisions,
        *,
        delay: float = 0.0,
    ) -> None:
        """`delay`: so many seconds pass before anything is sent, opened or closed."""
        self.agent = Agent(config, decisions=decisions)
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[int, socket.socket] = {}
        self._datagrams = Datagrams(self.agent, self._loop, self._pump)
        self._links: dict[int, Link] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._pumping = False
        self._hurried = False
        self._changed = asyncio.Event()
        self._delay = delay
        self._later: deque[Connect | Write | Close | Datagram] = deque()  # what is carried out late, in order

    # -- what the application asks for ---------------------------------------------------------------------

    async def describe(self, *, trickle: bool = False) -> tuple[str, str]:
        """Gather if that has not been done, and return ("offer" or "answer", SDP). Raises `AgentError`.

        With `trickle` this waits for nothing, unless the peer needs all candidates at once.
        """
        self.agent.gather(self._now, trickle=trickle)
        if self.agent.decisions.describes_hosts_at_once():
            self._pump()  # opens the sockets: only servers are not waited for
        if trickle and self.agent.describable:
            result = self.agent.describe(self._now)
            self._loop.call_soon(self._pump)  # what is told of candidates is told after this
            return result
        self._pump()
        while not self.agent.gathered or self.agent.waits:
            self._changed.clear()
            await self._changed.wait()
        result = self.agent.describe(self._now)
        self._pump()
        return result

    def accept(self, kind: str, sdp: str) -> None:
        """Take the peer's description. Raises `Rejected` or `AgentError`."""
        try:
            self.agent.accept(kind, sdp, self._now)
        finally:
            self._pump()

    def trickle(self, candidate: str, mid: str) -> None:
        """Take a late candidate of the peer's, or that it has no others. Raises `Rejected` or `AgentError`."""
        self.agent.trickle(candidate, mid, self._now)
        self._pump()

    def restart(self) -> None:
        """Restart ICE; the next description is an offer. Raises `AgentError`."""
        self.agent.restart(self._now)
        self._pump()

    async def send(self, component: int, octets: bytes, stream: int = 0) -> None:
        """Send application data; return when it is on its way but for a bounded rest. Raises `AgentError`."""
        whole = self.agent.media(stream) is Media.RTP or len(octets) <= _PORTION
        starts = [0] if whole else range(0, len(octets), _PORTION)
        for start in starts:
            portion = octets if whole else octets[start : start + _PORTION]
            self.agent.send(component, portion, self._now, stream)
            self._pump()
            while not self._hurried and any(link.waiting > HIGH_WATER for link in self._links.values()):
                self._changed.clear()
                await self._changed.wait()

    def hurry(self) -> None:
        """Let `send` return without waiting for the peer to read."""
        self._hurried = True
        self._changed.set()

    def close(self) -> None:
        """End the session and free everything it holds."""
        self.agent.close()
        self._pump()
        self._changed.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- carrying out what the core wants ------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self._loop.time()

    def _pump(self) -> None:
        if self._pumping:  # called from within; the loop below goes on
            return
        self._pumping = True
        try:
            while outputs := self.agent.take():
                for output in outputs:
                    self._carry_out(output)
        finally:
            self._pumping = False
        self._changed.set()
        self._set_timer()

    def _carry_out(self, output: Output) -> None:
        match output:
            case Bind():
                self._datagrams.carry_out(output)
            case Listen(base, ip, port, shared):
                self._listen(base, ip, port, shared)
            case Unlisten(base):
                self._unlisten(base)
            case Connect() | Write() | Close() | Datagram() if self._delay:
                self._later.append(output)
                self._loop.call_later(self._delay, self._catch_up)
            case _:
                self._carry_out_now(output)

    def _catch_up(self) -> None:
        self._carry_out_now(self._later.popleft())
        self._pump()

    def _carry_out_now(self, output: Connect | Write | Close | Datagram | Event) -> None:
        match output:
            case Datagram():
                self._datagrams.carry_out(output)
            case Connect(number, source, target):
                self._connect(number, source, target)
            case Write(number, octets):
                if (link := self._links.get(number)) is not None:
                    link.write(octets)
            case Close(number):
                if (link := self._links.pop(number, None)) is not None:
                    link.close()
                    self._changed.set()
            case _:
                self._on_event(output)

    def _set_timer(self) -> None:
        due = self.agent.next_timer()
        if self._timer is not None:
            if self._timer.when() == due:
                return
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.agent.handle_timer(self._now)
        self._pump()

    # -- sockets -------------------------------------------------------------------------------------------

    def _listen(self, base: int, ip: str, port: int, shared: bool) -> None:
        sock = None
        try:
            sock = socket.socket(family_of(ip), socket.SOCK_STREAM)
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if shared:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind((ip, port))
            sock.listen(_BACKLOG)
            sock.setblocking(False)
        except OSError as error:
            if sock is not None:
                sock.close()
            self.agent.listen_failed(base, error.strerror or str(error), self._now)
            return
        self._listeners[base] = sock
        self._loop.add_reader(sock.fileno(), self._on_acceptable, base, sock)
        self.agent.listening(base, sock.getsockname()[1], self._now)

    def _unlisten(self, base: int) -> None:
        self._datagrams.close(base)
        sock = self._listeners.pop(base, None)
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            sock.close()

    def _on_acceptable(self, base: int, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS):
            if listener.fileno() < 0:
                return
            try:
                sock, remote = listener.accept()
            except OSError as error:  # none left, or one that is gone again
                if error.errno in _EXHAUSTED:
                    self._pause(base, listener)
                return
            self._adopt(base, sock, address_of(remote))

    def _pause(self, base: int, listener: socket.socket) -> None:
        """Leave waiting connections alone for a while: trying again at once would spin."""
        self._loop.remove_reader(listener.fileno())
        self._loop.call_later(_PAUSE, self._resume, base, listener)

    def _resume(self, base: int, listener: socket.socket) -> None:
        if self._listeners.get(base) is listener:
            self._loop.add_reader(listener.fileno(), self._on_acceptable, base, listener)

    def _adopt(self, base: int, sock: socket.socket, remote: Address) -> None:
        local = address_of(sock.getsockname())
        number = self.agent.accepted(base, local, remote, self._now)
        if number is None:
            sock.close()
        else:
            link = self._links[number] = Link(number, sock, self, self._loop)
            link.start()
        self._pump()

    def _connect(self, number: int, source: Address, target: Address) -> None:
        try:
            self._links[number] = Link.connecting(number, source, target, self, self._loop)
        except OSError as error:
            self.agent.closed(number, error.strerror or str(error), self._now)

    # -- what links tell -----------------------------------------------------------------------------------

    def link_connected(self, link: Link, local: Address) -> None:
        """Tell the core."""
        self.agent.connected(link.number, local, self._now)
        self._pump()

    def link_received(self, link: Link, octets: bytes) -> None:
        """Tell the core."""
        self.agent.received(link.number, octets, self._now)
        self._pump()

    def link_ended(self, link: Link, why: str) -> None:
        """Tell the core, and whoever waits for the link to take more octets."""
        self._links.pop(link.number, None)
        self.agent.closed(link.number, why, self._now)
        self._changed.set()
        self._pump()

    def link_drained(self) -> None:
        """Let the application go on."""
        self._changed.set()

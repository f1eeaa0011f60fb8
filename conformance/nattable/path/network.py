"""The path with real kernels at its ends: three networks, and raw sockets between them that serve a `Middle`.

The process's own network is the middle. The server's address is its kernel's, at the end of a wire of its own; each
agent's is in another network, into which `inside` leads whoever is started there. No root is needed, nothing is left
behind: the networks end with the last process in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from conformance.nattable.path.middle import ANSWERER, OFFERER, SERVER, Middle
from conformance.peer import lab, netlink
from conformance.peer.namespace import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.nattable.path.middle import Way

SERVER_ADDRESS = "192.0.2.1"
_ETH_P_ALL, _IPV4 = 0x0003, b"\x08\x00"
_BUFFER = 4 << 20  # octets
_BURST = 256  # packets taken from one wire before others get their turn
_EVERYWHERE = "0.0.0.0/0"


class Network:
    """Three networks and what is between them. Make it while the process has one thread, in its own namespaces."""

    def __init__(self) -> None:
        """Lay everything. Raises `OSError` where the kernel lacks something."""
        self.server_address = SERVER_ADDRESS
        self.middle = Middle(SERVER_ADDRESS, self._transmit)
        self._networks: dict[str, Namespace] = {}
        self._wires: dict[str, tuple[socket.socket, str, bytes]] = {}  # by end: its heads of frames as well
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        try:
            for end in (OFFERER, ANSWERER):
                self._networks[end] = Namespace()
            for end in (OFFERER, ANSWERER, SERVER):
                self._lay(end)
        except OSError:
            self.close()
            raise
        netlink.add_address(_far(SERVER), SERVER_ADDRESS)

    def _lay(self, end: str) -> None:
        """Lay a wire: its far end in the network of an agent or, for the server, in this one."""
        network = self._networks.get(end)
        netlink.add_veth(_near(end), _far(end), peer_netns=network.descriptor if network else None)
        netlink.bring_up(_near(end))
        with self.inside(end):
            netlink.bring_up(_far(end))
            netlink.add_route(_far(end), _EVERYWHERE)
            head = netlink.hardware_address(_far(end))
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        wire.setblocking(False)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        wire.bind((_near(end), _ETH_P_ALL))
        self._wires[end] = wire, _near(end), head + netlink.hardware_address(_near(end)) + _IPV4

    @contextlib.contextmanager
    def inside(self, end: str) -> Iterator[None]:
        """Let this thread, and what it starts meanwhile, be in the network of an end."""
        if end not in self._networks:
            yield
            return
        with self._networks[end].inside():
            yield

    def add(self, way: Way) -> None:
        """Give the ends of a way their addresses and serve it."""
        for name, end in way.ends.items():
            with self.inside(name):
                netlink.add_address(_far(name), end.inner)
        self.middle.add(way)

    # -- serving -------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Begin to move packets, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        for end, (wire, _, _) in self._wires.items():
            self._loop.add_reader(wire, self._on_readable, end, wire)

    def close(self) -> None:
        """End it all."""
        if self._timer is not None:
            self._timer.cancel()
        for wire, _, _ in self._wires.values():
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(wire)
            wire.close()
        for network in self._networks.values():
            network.close()
        self._wires, self._networks = {}, {}

    def _on_readable(self, end: str, wire: socket.socket) -> None:
        assert self._loop is not None
        for _ in range(_BURST):
            try:
                octets = wire.recv(65536)
            except OSError:  # nothing more
                break
            self.middle.take(end, octets[14:], self._loop.time())
        self._run()

    def _run(self) -> None:
        """Do what is due, and come back when something else is."""
        assert self._loop is not None
        self.middle.run(self._loop.time())
        if self._timer is not None:
            self._timer.cancel()
        due = self.middle.next_time()
        self._timer = None if due is None else self._loop.call_at(due, self._run)

    def _transmit(self, end: str, octets: bytes) -> None:
        wire, name, head = self._wires[end]
        with contextlib.suppress(BlockingIOError):  # a full queue loses packets, as queues do
            wire.sendto(head + octets, (name, 0))


def make() -> Network | lab.Unavailable:
    """Enter namespaces of this process's own and lay the network there, or say why there can be none."""
    unavailable = lab.enter()
    if unavailable is not None:
        return unavailable
    try:
        return Network()
    except OSError as error:
        reason = f"no networks with virtual Ethernet interfaces between them ({error.strerror})"
        return lab.Unavailable(reason, "load the kernel modules veth and af_packet")


def _near(end: str) -> str:
    return f"path{end.lower()}1"


def _far(end: str) -> str:
    return f"path{end.lower()}0"

"""Two networks, one for each stack, and what is between them: a wire, or a NAT. All packets are recorded.

Each stack has an Ethernet interface with one address and a loopback interface that nobody else shares. Make a network
while the process has one thread: it enters namespaces of its own first.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import threading
import time
from typing import TYPE_CHECKING, Protocol

from conformance.interop.model import ANSWERER, OFFERER, SIDES
from conformance.nattable.path.middle import ANSWERER as FAR
from conformance.nattable.path.middle import OFFERER as NEAR
from conformance.nattable.path.middle import Way
from conformance.nattable.path.nat import Behaviour, Dependence
from conformance.nattable.path.network import Network
from conformance.nattable.path.server import RelayServer
from conformance.peer import lab, netlink
from conformance.peer.namespace import Namespace
from conformance.peer.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from contextlib import AbstractContextManager

    from conformance.interop.model import Cell

ETHERNET, RAW = 1, 101  # link types
_ADDRESSES = {4: {OFFERER: "198.18.0.1", ANSWERER: "198.18.0.2"}, 6: {OFFERER: "fd6d::1", ANSWERER: "fd6d::2"}}
_NETWORKS = {4: "198.18.0.0/16", 6: "fd6d::/64"}
_INTERFACE = "icetcp0"
_HARDWARE = b"\x02\0\0\0\0\1"  # of both ends of the wire, which resolves no addresses
_INNER, _OUTER = {NEAR: "10.1.0.1", FAR: "10.2.0.1"}, {NEAR: "198.18.0.1", FAR: "198.19.0.1"}
_ENDS = {OFFERER: NEAR, ANSWERER: FAR}
_WITHIN = 10.0  # seconds for the loop of the network to do what it was asked for
_KINDS = {b"\x08\x00": (26, 4), b"\x86\xdd": (22, 16)}  # where source and destination stand behind Ethernet


class Between(Protocol):
    """What is between two stacks. ``link_type`` is that of the recorded packets."""

    link_type: int
    servers: list[dict[str, str]]

    def address(self, side: str) -> str:
        """Return the address of a side's interface."""
        ...

    def seen_at(self, side: str) -> list[str]:
        """Return the addresses from which packets of a side come in the capture."""
        ...

    def inside(self, side: str) -> AbstractContextManager[None]:
        """Let this thread, and what it starts meanwhile, be in the network of a side."""
        ...

    def recorded(self) -> list[tuple[int, bytes]]:
        """Return what was recorded so far, in order: nanoseconds since the epoch, octets."""
        ...

    @property
    def lost(self) -> int:
        """How many packets could not be recorded."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Direct:
    """A wire between the two: what one's kernel sends is what the other's gets."""

    link_type = ETHERNET

    def __init__(self, family: int) -> None:
        """Lay it. Raises `OSError` where the kernel lacks something."""
        self.servers: list[dict[str, str]] = []
        self._family = family
        self._packets: list[tuple[int, bytes]] = []
        self._networks = {side: Namespace() for side in SIDES}
        with self.inside(OFFERER):
            netlink.add_veth(_INTERFACE, _INTERFACE, peer_netns=self._networks[ANSWERER].descriptor, hardware=_HARDWARE)
        for side in SIDES:
            with self.inside(side):
                netlink.bring_up("lo")
                netlink.bring_up(_INTERFACE)
        for side in SIDES:
            with self.inside(side):
                netlink.add_address(_INTERFACE, self.address(side))
                netlink.add_route(_INTERFACE, _NETWORKS[family])
                netlink.await_running(_INTERFACE)
        self._recorders = [self._record(side) for side in SIDES]

    def _record(self, side: str) -> Recorder:
        """Record what leaves a side: so each packet of the wire is recorded once."""
        with self.inside(side):
            return Recorder(self._take)

    def _take(self, time_ns: int, octets: bytes) -> None:
        if _between(octets, set(_ADDRESSES[self._family].values())):
            self._packets.append((time_ns, octets))

    def address(self, side: str) -> str:
        """Return the address of a side's interface."""
        return _ADDRESSES[self._family][side]

    def seen_at(self, side: str) -> list[str]:
        """Return the addresses from which packets of a side come in the capture."""
        return [self.address(side)]

    @contextlib.contextmanager
    def inside(self, side: str) -> Iterator[None]:
        """Let this thread, and what it starts meanwhile, be in the network of a side."""
        with self._networks[side].inside():
            yield

    def recorded(self) -> list[tuple[int, bytes]]:
        """Return what was recorded so far, in order."""
        for recorder in self._recorders:
            recorder.barrier()
        return sorted(self._packets)

    @property
    def lost(self) -> int:
        """How many packets could not be recorded."""
        return sum(recorder.lost for recorder in self._recorders)

    def close(self) -> None:
        """End it."""
        for recorder in self._recorders:
            recorder.close()
        for network in self._networks.values():
            network.close()


def _between(frame: bytes, addresses: set[str]) -> bool:
    """Whether an Ethernet frame goes from one of these addresses to another of them."""
    kind = _KINDS.get(frame[12:14])
    if kind is None:
        return False
    at, size = kind
    ends = (frame[at : at + size], frame[at + size : at + 2 * size])
    return all(len(end) == size and str(ipaddress.ip_address(end)) in addresses for end in ends)


class Natted:
    """A NAT before one of them, and a STUN server outside. Recorded is what crosses between the NAT and the rest.

    IPv4 only, as NATs are. Packets are served by a thread of its own.
    """

    link_type = RAW

    def __init__(self, cell: Cell) -> None:
        """Lay it. Raises `OSError` where the kernel lacks something."""
        mapping, _, filtering = cell.nat.partition("/")
        behaviour = Behaviour(Dependence(mapping), Dependence(filtering))
        natted = _ENDS[cell.nat_side]
        self._way = Way(
            {end: (_INNER[end] if end == natted else _OUTER[end], _OUTER[end]) for end in (NEAR, FAR)},
            {end: behaviour if end == natted else None for end in (NEAR, FAR)},
            seed=cell.id,
        )
        self._network = Network()
        for end in (NEAR, FAR):
            with self._network.inside(end):
                netlink.bring_up("lo")
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._server = RelayServer(self._network.server_address)
        self.servers = [self._server.stun_entry]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()
        self._do(self._begin())

    async def _begin(self) -> None:
        self._network.serve()
        self._network.add(self._way)
        await self._server.start()

    async def _end(self) -> None:
        await self._server.close()
        self._network.close()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_WITHIN)

    def address(self, side: str) -> str:
        """Return the address of a side's interface."""
        return self._way.ends[_ENDS[side]].inner

    def seen_at(self, side: str) -> list[str]:
        """Return the addresses from which packets of a side come in the capture."""
        return [self._way.ends[_ENDS[side]].outer]

    def inside(self, side: str) -> AbstractContextManager[None]:
        """Let this thread, and what it starts meanwhile, be in the network of a side."""
        return self._network.inside(_ENDS[side])

    def recorded(self) -> list[tuple[int, bytes]]:
        """Return what was recorded so far, in order."""
        return [(self._epoch_ns + int(moment * 1e9), octets) for moment, octets in list(self._way.crossed)]

    @property
    def lost(self) -> int:
        """How many packets could not be recorded: none, each passes through this process."""
        return 0

    def close(self) -> None:
        """End it."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WITHIN)
        self._loop.close()


def lay(cell: Cell) -> Between | lab.Unavailable:
    """Enter namespaces of this process's own and lay what a cell needs there, or say why that cannot be."""
    unavailable = lab.enter()
    if unavailable is not None:
        return unavailable
    try:
        return Natted(cell) if cell.nat else Direct(cell.family)
    except OSError as error:
        reason = f"no networks with virtual Ethernet interfaces between them ({error.strerror})"
        return lab.Unavailable(reason, "load the kernel modules veth and af_packet")

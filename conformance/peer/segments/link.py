"""Where the segments of one case go out and come in: a raw socket at the far end of the wire to the IUT.

The addresses of the tester on this wire belong to no kernel, so none answers for us.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from conformance.peer import packet_filter
from conformance.peer.segments.pipe import Doorway, Pipe
from conformance.peer.segments.tcp import State, Tcp
from conformance.wire import icmp
from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, RST, SYN, Segment, build, parse

if TYPE_CHECKING:
    import random

    from conformance.peer.lab import Wire

_ETH_P_ALL = 0x0003
_LOOK = 0.1  # seconds between two looks for what has been out too long
_IDLE = 60.0
_PORTS = range(32768, 60999)


class Link:
    """All connections of one case. It is served by the case's pump, like any socket."""

    def __init__(self, wire: Wire, rng: random.Random) -> None:
        self._wire = wire
        self._rng = rng
        self._head = {
            4: 2 * wire.hardware + b"\x08\x00",
            6: 2 * wire.hardware + b"\x86\xdd",
        }
        with wire.tester.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setblocking(False)
        self._addresses: list[str] = []
        self._pipes: dict[tuple[Address, Address], Pipe] = {}
        self._doors: dict[Address, Doorway] = {}
        self._due = 0.0
        self.log: list[tuple[float, Segment]] = []  # what came, with `time.monotonic`

    def add(self, address: str) -> None:
        """Take in what is sent to this address."""
        self._addresses.append(address)
        packet_filter.attach(self.socket, packet_filter.sent_to(self._addresses))
        if len(self._addresses) == 1:
            self.socket.bind((self._wire.ours, _ETH_P_ALL))

    # -- connections ---------------------------------------------------------------------------------------------

    def connect(self, source: str, target: Address, port: int = 0) -> Pipe:
        """Begin to connect."""
        pipe = self.prepare(source, target, port)
        pipe.tcp.open()
        return pipe

    def prepare(self, source: str, target: Address, port: int = 0) -> Pipe:
        """Return a connection that has sent nothing yet."""
        local = Address(source, port or self.free_port(source))
        tcp = Tcp(local, target, self._rng.getrandbits(32), self.transmit)
        pipe = Pipe(tcp, self._forget)
        self._pipes[local, target] = pipe
        return pipe

    def open_door(self, address: str, port: int, behaviour: str) -> Doorway:
        """Make a port of ours that treats SYNs in one of the ways of `Doorway`."""
        door = Doorway(Address(address, port or self.free_port(address)), behaviour, self._close_door)
        self._doors[door.address] = door
        return door

    def free_port(self, address: str) -> int:
        """Return a port that nothing of ours has."""
        taken = {local.port for local, _ in self._pipes if local.ip == address}
        taken |= {door.port for door in self._doors if door.ip == address}
        port = self._rng.choice(_PORTS)
        while port in taken:
            port = self._rng.choice(_PORTS)
        return port

    def _forget(self, pipe: Pipe) -> None:
        """A closed connection stays known until its end is acknowledged; a reset one is gone."""
        if pipe.tcp.state is State.CLOSED:
            self._pipes.pop((pipe.tcp.local, pipe.tcp.remote), None)

    def _close_door(self, door: Doorway) -> None:
        self._doors.pop(door.address, None)

    # -- packets -------------------------------------------------------------------------------------------------

    def transmit(self, segment: Segment) -> None:
        """Put a segment on the wire."""
        self.transmit_packet(build(segment))

    def transmit_packet(self, packet: bytes) -> None:
        """Put an IP packet on the wire."""
        self.socket.sendto(self._head[packet[0] >> 4] + packet, (self._wire.ours, 0))

    def on_readable(self) -> None:
        """Take in every packet that has come; each connection processes its own."""
        for _ in range(256):
            try:
                octets = self.socket.recv(65536)
            except BlockingIOError:
                return
            segment = parse(octets[14:])
            if segment is not None:
                self.log.append((time.monotonic(), segment))
                self._take(segment)

    def _take(self, segment: Segment) -> None:
        pipe = self._pipes.get((segment.destination, segment.source))
        if pipe is not None and not (segment.has(SYN) and pipe.tcp.state is State.CLOSED):
            pipe.tcp.receive(segment)
            return
        door = self._doors.get(segment.destination)
        if door is not None and segment.flags & (SYN | ACK | RST) == SYN:
            self._at_the_door(door, segment)
        elif not segment.has(RST) and (door is None or segment.has(ACK)):
            self.refuse(segment)

    def _at_the_door(self, door: Doorway, syn: Segment) -> None:
        door.syns.append(syn)
        if door.behaviour == "refuse":
            self.refuse(syn)
        elif door.behaviour in ("accept", "cross"):
            self.answer(door, syn)
        elif door.behaviour != "silent":
            self.transmit_packet(icmp.unreachable(syn.destination.ip, syn.source.ip, syn.packet, door.behaviour))

    def answer(self, door: Doorway, syn: Segment) -> Pipe:
        """Accept a SYN, or let a SYN of ours meet it."""
        pipe = self.prepare(syn.destination.ip, syn.source, syn.destination.port)
        if door.behaviour == "cross":
            pipe.tcp.cross(syn, door.ending)
        else:
            pipe.tcp.accept(syn)
        door.coming.append(pipe)
        return pipe

    def refuse(self, segment: Segment) -> None:
        """Answer with RST, as a host does for a port without a socket (RFC 9293 section 3.10.7.1)."""
        reset = Segment(segment.destination, segment.source, flags=RST)
        if segment.has(ACK):
            reset.sequence = segment.acknowledgement
        else:
            reset.flags |= ACK
            reset.acknowledgement = segment.sequence + segment.length & 0xFFFFFFFF
        self.transmit(reset)

    # -- time ----------------------------------------------------------------------------------------------------

    def left(self, now: float) -> float:
        """Return in how many seconds `tick` has something to do."""
        if any(pipe.is_ready for pipe in self._pipes.values()) or any(door.is_ready for door in self._doors.values()):
            return 0.0
        return max(0.0, self._due - now) if any(pipe.tcp.overdue for pipe in self._pipes.values()) else _IDLE

    def tick(self, now: float) -> None:
        """Hand over what has come, and send again what is not acknowledged."""
        for door in list(self._doors.values()):
            door.serve()
        for pipe in list(self._pipes.values()):
            pipe.serve()
        if now >= self._due:
            self._due = now + _LOOK
            for pipe in self._pipes.values():
                pipe.repeat(now)

    def close(self) -> None:
        """End every connection at once; nothing on the other side is left to wait."""
        for pipe in list(self._pipes.values()):
            pipe.tcp.abort()
        self.socket.close()

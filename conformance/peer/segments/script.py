"""Cases that speak in segments: ports that behave badly, and connections on which the script makes every segment.

A script reads as a timeline: each line sends something or waits for something, in that order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer.connection import Connection
from conformance.peer.segments.link import Link
from conformance.peer.segments.pipe import Doorway, Pipe
from conformance.peer.sockets import KernelSockets
from conformance.verdict import Failed, Inconclusive, Missing, NotApplicable
from conformance.wire.attributes import Address
from conformance.wire.tcp import ACK, SYN, Segment

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from scapy.packet import Packet

    from conformance.peer.lab import Wire
    from conformance.peer.listener import Listener
    from conformance.peer.pump import Pump


_REPETITION = 1.2  # seconds after which a SYN that met no answer has surely been repeated


class SegmentConnection(Connection):
    """A connection over our own TCP: also its single segments can be scripted."""

    socket: Pipe

    def arrange(self, data: bytes | Packet, *pieces: tuple[int, int], recover: bool = True) -> None:
        """Send these (begin, end) parts of the octets as segments, in this order.

        They may be out of order, overlap, be repeated and leave gaps. Octets that the IUT lacks after a while are sent
        again, as a real stack does, unless not `recover`.
        """
        octets = bytes(data)
        self._remember_requests(octets)
        self.socket.tcp.arrange(octets, pieces, recover=recover)

    def one_by_one(self, data: bytes | Packet, *, pause: float) -> None:
        """Send every octet in a segment of its own; half of `pause` (seconds) passes behind the first of them."""
        octets = bytes(data)
        self._remember_requests(octets)
        with self._pump.sending():
            for at in range(len(octets)):
                self._write(octets[at : at + 1])
                self._pump.pause(pause / 2 if at == 0 else pause / 2 / len(octets))

    def transmit(self, tcp: Packet) -> None:
        """Send a segment as Scapy's `TCP` describes it; what it leaves open is what would be right here."""
        state = self.socket.tcp
        template = Segment(state.local, state.remote, state.snd_nxt, state.rcv_nxt, ACK, state.window)
        state.inject(of_scapy(tcp, template))

    def announce_window(self, size: int) -> None:
        """Tell the IUT how much it may send from now on."""
        self.socket.tcp.window = size
        self.socket.tcp.acknowledge()

    def acknowledge(self, yes: bool) -> None:
        """Go on acknowledging what comes, or leave the IUT in the dark."""
        self.socket.tcp.acknowledging = yes
        if yes:
            self.socket.tcp.acknowledge()

    def await_probe(self, *, within: float) -> None:
        """Wait until the IUT's TCP has probed the window that we have shut (preamble)."""
        if not self._pump.wait(lambda: self.socket.tcp.probes > 0, within):
            raise Inconclusive("the IUT had nothing to send, or its TCP does not probe a shut window")


class Segments(KernelSockets):
    """The lower tester's TCP for one case."""

    connection = SegmentConnection
    own_tcp = True

    def __init__(
        self, wire: Wire, address: str, pump: Pump, rng: random.Random, second_address: Callable[[], str] | None = None
    ) -> None:
        super().__init__(wire.tester)
        self.address = address
        self._second_address = second_address
        self.link = Link(wire, rng)
        self.link.add(address)
        self._pump = pump
        pump.add(self.link)
        pump.keep_time(self.link)

    # -- as a source of connections ------------------------------------------------------------------------------

    def connect(self, source: str, target: tuple[str, int], within: float, port: int = 0) -> Pipe:
        """Connect with an ordinary handshake. Raises `OSError`."""
        pipe = self.link.connect(source, Address(*target), port)
        self._pump.wait(lambda: pipe.is_open or pipe.tcp.refused, within)
        if pipe.is_open:
            return pipe
        pipe.tcp.abort()
        raise (ConnectionRefusedError("refused") if pipe.tcp.refused else TimeoutError("no answer to SYN"))

    def listen(self, address: str, port: int) -> Doorway:
        """Return a port that accepts."""
        return self.link.open_door(address, port, "accept")

    def refusing_port(self, address: str) -> int:
        """Return a port at which a connection is refused."""
        return self.link.free_port(address)

    def silent_port(self, address: str) -> Doorway:
        """Return a port at which a SYN meets no answer."""
        return self.link.open_door(address, 0, "silent")

    def close(self) -> None:
        """End all connections."""
        self._pump.remove(self.link)
        self.link.close()

    # -- the script ----------------------------------------------------------------------------------------------

    @property
    def other_address(self) -> str:
        """A further address of the tester on the wire, of the same family."""
        if self._second_address is None:
            raise NotApplicable("the tester has one address only")
        address = self._second_address()
        self.link.add(address)
        return address

    def port(self, behaviour: str) -> Doorway:
        """Return a port of ours that treats SYNs in one of the ways of `pipe.Doorway`."""
        return self.link.open_door(self.address, 0, behaviour)

    def cross(self, base: Listener, ending: str = "syn-ack") -> None:
        """Let a SYN of ours cross the IUT's at this base; the endings are those of `Tcp.cross`, and "late".

        "late": the IUT's SYN stays without an answer until `meet_late`.
        """
        assert isinstance(base.socket, Doorway)
        base.socket.behaviour = "silent" if ending == "late" else "cross"
        base.socket.ending = "syn-ack" if ending == "late" else ending

    def meet_late(self, base: Listener, ending: str, *, within: float) -> None:
        """Where the ending is "late", wait for the IUT's SYN and send ours only then."""
        if ending != "late":
            return
        assert isinstance(base.socket, Doorway)
        syn = self.await_syn(base.socket, within=within)
        base.socket.behaviour = "cross"
        self.link.answer(base.socket, syn)

    def require_attempts(self) -> None:
        """Inconclusive where the IUT did not try to connect at all."""
        if not self.syns():
            raise Inconclusive("the IUT made no connection attempt")

    def expect_syn(self, door: Doorway, *, within: float) -> Segment:
        """Wait for a SYN of the IUT at a port of ours."""
        if not self._pump.wait(lambda: bool(door.syns), within):
            raise Missing(
                "the IUT did not connect",
                expected=f"a SYN to {door.address}",
                actual=f"none within {within:g} s",
            )
        return door.syns[0]

    def await_syn(self, door: Doorway, *, within: float) -> Segment:
        """Wait for a SYN as a preamble."""
        try:
            return self.expect_syn(door, within=within)
        except Failed as failure:
            raise Inconclusive(str(failure)) from failure

    def expect_no_data(self, *, within: float) -> None:
        """Watch that no octet of data comes to any port of ours."""

        def came() -> Segment | None:
            return next((segment for _, segment in self.link.log if segment.data), None)

        if self._pump.watch(lambda: came() is not None, within):
            raise Failed("data came", expected="no data", actual=str(came()))

    def most_outstanding(self, *, calm: float) -> int:
        """Watch until no new attempt comes for `calm` seconds; return how many were outstanding at once at most.

        An attempt is outstanding from its first SYN to its last: one that the IUT gives up is repeated no more. So the
        watch goes on for long enough that TCP repeats the SYN of each (RFC 6298 section 2: after a second).
        """
        seen: set[Address] = set()

        def more() -> bool:
            new = {syn.source for syn in self.syns()} - seen
            seen.update(new)
            return bool(new)

        while self._pump.watch(more, calm + _REPETITION):
            pass
        lives: dict[tuple[Address, Address], list[float]] = {}
        for time, segment in self.link.log:
            if segment.has(SYN) and not segment.acknowledgement:
                lives.setdefault((segment.source, segment.destination), []).append(time)
        return max(
            (sum(times[0] <= begin[0] <= times[-1] for times in lives.values()) for begin in lives.values()), default=0
        )

    def syns(self) -> list[Segment]:
        """Return the first SYNs of the IUT's attempts so far (no repetitions)."""
        first: dict[tuple[Address, Address], Segment] = {}
        for _, segment in self.link.log:
            if segment.has(SYN) and not segment.acknowledgement:
                first.setdefault((segment.source, segment.destination), segment)
        return list(first.values())


def of_scapy(packet: Packet, template: Segment) -> Segment:
    """Return a Scapy `TCP` layer as a segment; what its writer left open, the template says."""
    from scapy.layers.inet import TCP

    tcp = packet[TCP]
    given = tcp.fields
    return Segment(
        Address(template.source.ip, given.get("sport", template.source.port)),
        Address(template.destination.ip, given.get("dport", template.destination.port)),
        given.get("seq", template.sequence),
        given.get("ack", template.acknowledgement),
        int(given["flags"]) if "flags" in given else template.flags,
        given.get("window", template.window),
        bytes(tcp.payload),
        bytes(tcp)[20 : (bytes(tcp)[12] >> 4) * 4],
    )

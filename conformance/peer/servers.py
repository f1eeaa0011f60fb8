"""The lower tester as the IUT's STUN or TURN server, over TCP (RFC 8489, RFC 8656, RFC 6062).

It answers lawfully by itself (`turn` decides how) and remembers what was asked of it. Of the TURN server's two sides
only the IUT's is on the wire: the peer behind a relayed address is the tester itself, so that a data connection, once
bound, is a connection with the peer like any other.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.peer import turn
from conformance.peer.connection import Connection
from conformance.peer.events import Frame, describe
from conformance.peer.server_messages import carried, encode, error_code, message
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire import layers
from conformance.wire.attributes import Address, Attribute, ErrorCode
from conformance.wire.errors import StunError
from conformance.wire.stun import Message, MessageClass, Method
from conformance.wire.stunstream import MessageStream

if TYPE_CHECKING:
    import random

    from scapy.packet import Packet

    from conformance.peer.connecting import Connecting
    from conformance.peer.datagram import DatagramSocket
    from conformance.peer.gateway import Gateway
    from conformance.peer.listener import Listener
    from conformance.peer.pump import Pump
    from conformance.peer.traffic import Tap
    from conformance.wire.candidate import Candidate

_BACKLOG = 64
_ROLE_CONFLICT = 487
_LOWEST = 1024  # of the ports that nobody needs privileges for
_FIRST_RELAYED, _LAST_RELAYED = 49152, 65535
_IPV6 = b"\x02"  # a family (RFC 8656 section 18.6)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A peer's connection that waits for ConnectionBind; ``listener``: of ours that the IUT asked for."""

    listener: Listener | None = None
    connection: Connection | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request of the IUT's to the server; ``time`` as in a `Frame`, ``code`` of the answer, 0 for success.

    ``answered``: when we answered it, if we did, by the same clock.
    """

    connection: Connection
    message: Message
    octets: bytes
    time: float
    code: int = 0
    answered: float = 0.0

    def __repr__(self) -> str:  # as a failed assertion shows it
        return f"<{describe(self.message)} on {self.connection}>"

    @property
    def way(self) -> tuple[Address, Address]:
        """From which address to which of ours it came."""
        return self.connection.remote_address, self.connection.local_address


Allocation = turn.Allocation[Connection]


class Server:
    """A STUN server or, with `relays`, a TURN server. `connections` are the IUT's to it, in order."""

    def __init__(
        self, peer: Connecting, pump: Pump, tap: Tap, rng: random.Random, *, relays: bool, mapped: str | None
    ) -> None:
        self.relays = relays
        self.mapped = mapped
        self.nat: Gateway | None = None  # that the IUT is behind
        username, password, nonce = rng.randbytes(4).hex(), rng.randbytes(12).hex(), rng.randbytes(8).hex()
        transports = (turn.TCP, turn.UDP) if relays else ()
        self._core: turn.Server[Connection, _Waiting] = turn.Server(
            username, password, nonce, lambda: rng.getrandbits(32), transports
        )
        self.lacks = False  # the means to allocate anything
        self.peers: dict[Connection, Address] = {}  # where the IUT was told that a data connection comes from
        self.asked: list[Asked] = []  # every request, in order
        self.connection_ids: list[int] = []  # that the IUT was told
        self.connections: list[Connection] = []
        self.used: list[Connection] = []  # those on which an address was learnt
        self._controls: list[tuple[Connection, Address]] = []  # every allocation ever made
        self._peer = peer
        self._pump = pump
        self._tap = tap
        self._rng = rng
        self._streams: dict[Connection, MessageStream] = {}
        self.answering = True  # else requests are held until `answer_held`
        self._held: list[tuple[Connection, Frame]] = []
        self.socket = self._listen()
        self.port: int = self.socket.getsockname()[1]
        pump.add(self)

    def _listen(self) -> socket.socket:
        """Listen at the well-known port, or at any other where the address is not the case's own."""
        listener = self._peer.sockets.make(self._peer.address, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._peer.address, turn.PORT))
        except OSError:
            listener.bind((self._peer.address, 0))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        return listener

    @property
    def username(self) -> str:
        """Of its one user."""
        return self._core.username

    @property
    def password(self) -> str:
        """Of its one user."""
        return self._core.password

    @property
    def realm(self) -> str:
        """Of its one user."""
        return self.manner.realm

    @property
    def manner(self) -> turn.Manner:
        """What it does otherwise than usual."""
        return self._core.manner

    @property
    def core(self) -> turn.Server[Connection, _Waiting]:
        """What it decides."""
        return self._core

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(self._peer.address, self.port)

    def share_login(self, other: Server) -> None:
        """Have another server's user as well."""
        self._core.username, self._core.password = other.username, other.password

    def requests(self, *methods: Method) -> list[Asked]:
        """Return the requests of the IUT so far, of these methods or of any, in the order in which they came."""
        return [asked for asked in self.asked if not methods or asked.message.method in methods]

    @property
    def unserved(self) -> str:
        """Why an IUT that has connected got nothing from a server that serves everybody; empty: it did."""
        usual = self.manner == turn.Manner() and self.answering and not self.lacks
        if not (usual and self.connections):
            return ""
        if not self.asked:
            return f"the IUT has sent no request to the server at {self.address}"
        refused = self.relays and self.requests(Method.ALLOCATE) and not self._controls
        if refused:
            return f"the server at {self.address} has allocated nothing for the IUT"
        if self.requests(Method.CREATE_PERMISSION) and not any(one.permissions for one in self.allocations):
            return f"the server at {self.address} has given the IUT no permission"
        return ""

    @property
    def allocations(self) -> list[Allocation]:
        """What it holds for the IUT now."""
        return list(self._core.allocations.values())

    @property
    def entry(self) -> dict[str, str]:
        """What `ice_servers` says of it (RFC 7064, RFC 7065)."""
        return self._core.entry(self._peer.address, self.port, relays=self.relays)

    def on_readable(self) -> None:
        """Accept what has come."""
        try:
            sock, name = self.socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        stream, remote = MessageStream(), Address(name[0], name[1])
        connection = Connection(
            sock, self._pump, self._tap, outgoing=False, component=1, splitter=stream, remote=remote
        )
        connection.on_request = self._on_request
        connection.on_indication = self._on_indication
        self._streams[connection] = stream
        self.connections.append(connection)

    def close(self) -> None:
        """Close the listening socket and every connection."""
        self._pump.remove(self)
        self.socket.close()
        for connection in self.connections:
            connection.close()

    # -- what scripts ask ----------------------------------------------------------------------------------------

    def connect(self, candidate: Candidate) -> Connection:
        """Connect, as the peer, to a relayed candidate of the IUT's. Preamble: inconclusive if it does not come about.

        The IUT must have a permission for our address (RFC 8656 section 9) and take the connection (RFC 6062 4.4).
        """
        allocation = next((a for a in self.allocations if a.relayed == candidate.endpoint), None)
        if allocation is None:
            raise Inconclusive(f"{candidate.endpoint} is not a relayed address that the IUT holds")
        waiting, from_ = self._attempt(allocation)
        if not self._pump.wait(lambda: waiting.connection is not None, self._peer.pixit.response):
            raise Inconclusive("the IUT did not take a connection to its relayed candidate")
        assert waiting.connection is not None
        waiting.connection.component = candidate.component
        self.peers[waiting.connection] = from_
        return waiting.connection

    def attempt(self, candidate: Candidate) -> int:
        """Tell the IUT of a peer's connection to a relayed candidate of its; return its CONNECTION-ID (preamble)."""
        allocation = next((a for a in self.allocations if a.relayed == candidate.endpoint), None)
        if allocation is None:
            raise Inconclusive(f"{candidate.endpoint} is not a relayed address that the IUT holds")
        self._attempt(allocation)
        return self.connection_ids[-1]

    def _attempt(self, allocation: Allocation) -> tuple[_Waiting, Address]:
        self._await_permission(allocation)
        waiting, from_ = _Waiting(), Address(self._peer.address, self._rng.randrange(_LOWEST, _FIRST_RELAYED))
        told = self._core.attempt(allocation, from_, waiting, self._rng.randbytes(12))
        self._note_ids(told)
        allocation.control.send(encode(told, self._core.key))
        return waiting, from_

    def _note_ids(self, reply: turn.Reply) -> None:
        found = (v for kind, v in reply.attributes if kind == Attribute.CONNECTION_ID and isinstance(v, int))
        self.connection_ids += found

    def udp_allocation(self) -> Allocation:
        """Return the allocation of UDP that the IUT has asked for; n/a if it has not, as it may not want to."""
        found = [allocation for allocation in self.allocations if allocation.transport == turn.UDP]
        if not found:
            raise NotApplicable("the IUT asks for no UDP address over its TCP connection to the TURN server")
        return found[0]

    def ask_through(self, allocation: Allocation, request: Packet, *, within: float) -> Message:
        """Send a request, as the peer, to a relayed UDP address; return the response that comes back from it.

        Raises `Failed` if none comes in time, Inconclusive if the IUT has created no permission for our address.
        """
        self._await_permission(allocation)
        octets = bytes(request)
        self._deliver(allocation, Address(self._peer.address, self._any_port()), octets)

        def response() -> Message | None:
            sent = (carried(event) for event in allocation.control.events)
            wanted = (m for m in sent if m is not None and m.transaction_id == octets[8:20] and not m.is_request)
            return next(wanted, None)

        self._pump.wait(lambda: response() is not None, within)
        found = response()
        if found is None:
            strange = (m for event in allocation.control.events if (m := carried(event)) is not None)
            if any(m.method != Method.BINDING or not m.is_request for m in strange):
                raise Inconclusive("what the IUT sent back from its relayed UDP address answers no request of ours")
            raise Failed(
                "the IUT did not answer a request to its relayed UDP address",
                expected="a Send indication with the response",
                actual=f"none within {within:g} s",
            )
        if error_code(found) == _ROLE_CONFLICT:
            raise Inconclusive("the IUT claims the role that our check claims: it answered with 487 (Role Conflict)")
        return found

    def join(self, allocation: Allocation, ours: DatagramSocket) -> None:
        """Have a UDP socket of ours reach a relayed UDP address. Inconclusive if there is no permission for us."""
        self._await_permission(allocation)
        ours.reach(allocation.relayed, lambda octets: self._deliver(allocation, ours.local_address, octets))

    def _deliver(self, allocation: Allocation, peer: Address, octets: bytes) -> None:
        """Give the IUT a datagram of a peer's (RFC 8656 section 11.3)."""
        attributes: list[Packet] = [
            layers.XorPeerAddress(address=peer),
            layers.RawStunAttribute(type=Attribute.DATA, value=octets),
        ]
        data = message(Method.DATA, MessageClass.INDICATION, self._rng.randbytes(12), attributes, None)
        allocation.control.send_between(data)

    def _await_permission(self, allocation: Allocation) -> None:
        ours = self._peer.address
        if not self._pump.wait(lambda: ours in allocation.permissions, self._peer.pixit.response):
            raise Inconclusive(f"the IUT created no permission for {ours}")

    def wait_for_request(self, method: Method, *, within: float) -> bool:
        """Give a request of this method the time to come; return whether it has."""
        return self._pump.wait(lambda: bool(self.requests(method)), within)

    def control_of(self, connection: Connection) -> Connection:
        """Return the control connection of the allocation that a data connection belongs to."""
        return next(control for control, relayed in self._controls if relayed == connection.seen_from)

    def lose(self, connection: Connection) -> None:
        """End the control connection that a data connection hangs on, and with it the allocation."""
        control = self.control_of(connection)
        allocation = self._core.end(control)
        if allocation is not None:
            _close_data(allocation)
        control.close()

    def seen(self, connection: Connection) -> Address:
        """Return where the server says that the requests of a connection come from; a NAT maps ports as well."""
        remote = connection.remote_address
        if self.nat is not None:
            return self.nat.translate(remote)
        return (
            remote
            if self.mapped is None
            else Address(self.mapped, _LOWEST + (remote.port + 977) % (_LAST_RELAYED - _LOWEST))
        )

    @property
    def relayed(self) -> list[Address]:
        """Every relayed address ever given."""
        return [relayed for _, relayed in self._controls]

    def expect_kept(self, *, within: float) -> None:
        """Watch that no connection ends over which the IUT has learnt an address. Inconclusive if there is none."""
        self._require_used()
        if self._pump.watch(lambda: not all(connection.is_open for connection in self.used), within):
            ended = [str(connection) for connection in self.used if not connection.is_open]
            raise Failed(
                f"the IUT ended its connection to the server: {', '.join(ended)}",
                expected="connections over which candidates were obtained stay open until ICE has completed",
                actual=f"ended before: {', '.join(ended)}",
            )

    def expect_closed(self, *, within: float) -> None:
        """Wait until the IUT has ended every connection over which it has learnt an address."""
        self._require_used()
        if not self._pump.wait(lambda: not any(connection.is_open for connection in self.used), within):
            kept = [str(connection) for connection in self.used if connection.is_open]
            raise Failed(
                f"the IUT's connection to the server is still open: {', '.join(kept)}",
                expected="connections to servers that are no longer needed are closed",
                actual=f"after {within:g} s still open: {', '.join(kept)}",
            )

    def _require_used(self) -> None:
        if not self.used:
            raise Inconclusive("the IUT has learnt no address from the server")

    # -- answers -------------------------------------------------------------------------------------------------

    def answer_held(self) -> None:
        """Answer what came while `answering` was False, and from now on all that comes."""
        self.answering = True
        while self._held:
            self._on_request(*self._held.pop(0))

    def _on_request(self, connection: Connection, request: Frame) -> None:
        if not self.answering:
            self._held.append((connection, request))
            return
        todo = self._core.take(connection, request.stun, request.octets, self.seen(connection))
        if request.stun.method in self.manner.withheld:
            self.asked.append(Asked(connection, request.stun, request.octets, request.time))
            return
        match todo:
            case turn.Allocate():
                reply = self._allocate(todo)
            case turn.Connect():
                reply = self._connect(todo)
            case _:
                reply = todo.reply
        if reply.cls == MessageClass.SUCCESS and reply.method in (Method.BINDING, Method.ALLOCATE):
            self._learnt(connection)
        error = next((value.code for _, value in reply.attributes if isinstance(value, ErrorCode)), 0)
        self.asked.append(Asked(connection, request.stun, request.octets, request.time, error, time.monotonic()))
        self._note_ids(reply)
        connection.send_between(encode(reply, self._core.key))
        if isinstance(todo, turn.End):
            _close_data(todo.allocation)
        elif isinstance(todo, turn.Bind):
            self._join(connection, todo)

    def _on_indication(self, connection: Connection, indication: Frame) -> None:
        """Pass a datagram of the IUT's on to a UDP socket of ours that it is for (RFC 8656 section 11.2)."""
        allocation = self._core.allocations.get(connection)
        data = indication.stun.first(Attribute.DATA)
        if allocation is None or data is None or indication.stun.method != Method.SEND:
            return
        with contextlib.suppress(StunError):
            target = indication.stun.xor_peer_address
            if target is None or target.ip not in allocation.permissions:
                return
            for ours in self._peer.datagram_sockets:
                if ours.local_address == target:
                    ours.reach(allocation.relayed, lambda octets: self._deliver(allocation, target, octets))
                    ours.take_relayed(data.value, allocation.relayed)

    def _learnt(self, connection: Connection) -> None:
        if connection not in self.used:
            self.used.append(connection)

    def _allocate(self, asked: turn.Allocate[Connection]) -> turn.Reply:
        if self.lacks:
            return self._core.lacking(asked)
        taken = {address.port for address in self.relayed}
        port = next(p for p in iter(self._any_port, None) if p not in taken)
        first, *more = self._relayed_ips(asked.request)
        allocation, reply = self._core.grant(asked, Address(first, port))
        reply.attributes[1:1] = [(Attribute.XOR_RELAYED_ADDRESS, Address(ip, port)) for ip in more]
        if self.manner.strange_family:
            reply.attributes[0] = (Attribute.XOR_RELAYED_ADDRESS, bytes([0, 9]) + bytes(6))
        self._controls.append((asked.client, allocation.relayed))
        return reply

    def _relayed_ips(self, request: Message) -> list[str]:
        """Return our addresses of the families that an Allocate asks for."""
        if not self.manner.both_families:
            return [self._peer.address]
        own = {":" in ip: ip for ip in (self._peer.address, self._peer.other_address)}
        wanted = request.first(Attribute.REQUESTED_ADDRESS_FAMILY)
        if wanted is not None:
            return [own[wanted.value[:1] == _IPV6]]
        return [own[False], own[True]] if request.has(Attribute.ADDITIONAL_ADDRESS_FAMILY) else [own[False]]

    def _any_port(self) -> int:
        return self._rng.randint(_FIRST_RELAYED, _LAST_RELAYED)

    def _connect(self, asked: turn.Connect[Connection]) -> turn.Reply:
        """Connect to a peer, which can only be a passive candidate of our own."""
        ours = (at for at in self._peer.listeners if asked.peer == Address(self._peer.address, at.port))
        listener = next(ours, None)
        return self._core.refused(asked) if listener is None else self._core.connected(asked, _Waiting(listener))

    def _join(self, connection: Connection, bound: turn.Bind[Connection, _Waiting]) -> None:
        """Make a data connection one between the IUT and the peer, which is us (RFC 6062 section 5.4)."""
        connection.seen_from = bound.allocation.relayed
        listener = bound.other.listener
        if listener is not None:
            connection.component = listener.component
        self._peer.take_over(connection, listener)
        bound.other.connection = connection
        connection.speak_frames(self._streams[connection].release())


def _close_data(allocation: Allocation) -> None:
    """Close an allocation's data connections, which end with it (RFC 6062 section 5.5)."""
    for connection in allocation.data:
        connection.close()

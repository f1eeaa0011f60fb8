"""The lower tester as the IUT's STUN or TURN server, over TCP (RFC 8489, RFC 8656, RFC 6062).

It answers lawfully by itself and remembers what was asked of it. Of the TURN server's two sides only the IUT's is on
the wire: the peer behind a relayed address is the tester itself, so that a data connection, once bound, is a channel
with the peer like any other.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.peer.addresses import family_of
from conformance.peer.channel import Channel
from conformance.peer.events import Event, Frame
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire import layers
from conformance.wire.attributes import Address, Attribute, decode_xor_address
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.stun import Message, MessageClass, Method
from conformance.wire.stunstream import MessageStream

if TYPE_CHECKING:
    import random

    from scapy.packet import Packet

    from conformance.peer.channel import Tap
    from conformance.peer.connecting import Connecting, Listener
    from conformance.peer.pump import Pump
    from conformance.wire.candidate import Candidate

PORT = 3478  # captures know connections to it as such that begin without frames
_BACKLOG = 64
_TCP, _UDP = 6, 17
_LIFETIME = 600
_REALM = "icetcp"
_LOWEST = 1024  # of the ports that nobody needs privileges for
_FIRST_RELAYED, _LAST_RELAYED = 49152, 65535


@dataclass(slots=True, eq=False)
class ServerAllocation:
    """What the TURN server holds for an Allocate: its control connection, relayed address and permissions."""

    control: Channel
    relayed: Address
    transport: int = _TCP
    permissions: set[str] = field(default_factory=set)
    data: list[Channel] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Pending:
    """A peer's connection that waits for ConnectionBind; ``listener``: of ours that the IUT asked for."""

    allocation: ServerAllocation
    peer: Address
    listener: Listener | None = None
    channel: Channel | None = None


class _Refusal(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Server:
    """A STUN server or, with `relays`, a TURN server. `connections` are the IUT's to it, in order."""

    def __init__(
        self, peer: Connecting, pump: Pump, tap: Tap, rng: random.Random, *, relays: bool, mapped: str | None
    ) -> None:
        self.relays = relays
        self.mapped = mapped
        self.username = rng.randbytes(4).hex()
        self.password = rng.randbytes(12).hex()
        self.connections: list[Channel] = []
        self.used: list[Channel] = []  # those on which an address was learnt
        self.allocations: list[ServerAllocation] = []
        self._controls: list[tuple[Channel, Address]] = []  # every allocation ever made
        self._nonce = rng.randbytes(8).hex()
        self._key = long_term_key(self.username, _REALM, self.password)
        self._peer = peer
        self._pump = pump
        self._tap = tap
        self._rng = rng
        self._pending: dict[int, _Pending] = {}
        self._streams: dict[Channel, MessageStream] = {}
        self.socket = self._listen()
        self.port: int = self.socket.getsockname()[1]
        pump.add(self)

    def _listen(self) -> socket.socket:
        """Listen at the well-known port, or at any other where the address is not the case's own."""
        listener = socket.socket(family_of(self._peer.address), socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._peer.address, PORT))
        except OSError:
            listener.bind((self._peer.address, 0))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        return listener

    @property
    def entry(self) -> dict[str, str]:
        """What `ice_servers` says of it (RFC 7064, RFC 7065)."""
        host = f"[{self._peer.address}]" if ":" in self._peer.address else self._peer.address
        if not self.relays:
            return {"url": f"stun:{host}:{self.port}"}
        url = f"turn:{host}:{self.port}?transport=tcp"
        return {"url": url, "username": self.username, "credential": self.password}

    def on_readable(self) -> None:
        """Accept what has come."""
        try:
            connection, name = self.socket.accept()
        except (BlockingIOError, ConnectionError):
            return
        stream, remote = MessageStream(), Address(name[0], name[1])
        channel = Channel(
            connection, self._pump, self._tap, outgoing=False, component=1, splitter=stream, remote=remote
        )
        channel.on_request = self._on_request
        self._streams[channel] = stream
        self.connections.append(channel)

    def close(self) -> None:
        """Close the listening socket and every connection."""
        self._pump.remove(self)
        self.socket.close()
        for channel in self.connections:
            channel.close()

    # -- what scripts ask ----------------------------------------------------------------------------------------

    def connect(self, candidate: Candidate) -> Channel:
        """Connect, as the peer, to a relayed candidate of the IUT's. Preamble: inconclusive if it does not come about.

        The IUT must have a permission for our address (RFC 8656 section 9) and take the connection (RFC 6062 4.4).
        """
        allocation = next((a for a in self.allocations if a.relayed == candidate.endpoint), None)
        if allocation is None:
            raise Inconclusive(f"{candidate.endpoint} is no relayed address that the IUT holds")
        self._await_permission(allocation)
        pending = _Pending(allocation, Address(self._peer.address, self._rng.randrange(_LOWEST, _FIRST_RELAYED)))
        identifier = self._wait_for_bind(pending)
        attributes: list[Packet] = [layers.XorPeerAddress(address=pending.peer), layers.ConnectionId(number=identifier)]
        indication = self._message(
            Method.CONNECTION_ATTEMPT, MessageClass.INDICATION, self._rng.randbytes(12), attributes
        )
        allocation.control.send(indication)
        if not self._pump.wait(lambda: pending.channel is not None, self._peer.pixit.response):
            raise Inconclusive("the IUT did not take a connection to its relayed candidate")
        assert pending.channel is not None
        pending.channel.component = candidate.component
        return pending.channel

    def udp_allocation(self) -> ServerAllocation:
        """Return the allocation of UDP that the IUT has asked for; n/a if it has not, as it may not want to."""
        found = [allocation for allocation in self.allocations if allocation.transport == _UDP]
        if not found:
            raise NotApplicable("the IUT asks for no UDP address over its TCP connection to the TURN server")
        return found[0]

    def ask_through(self, allocation: ServerAllocation, request: Packet, *, within: float) -> Message:
        """Send a request, as the peer, to a relayed UDP address; return the response that comes back from it.

        Raises `Failed` if none comes in time, Inconclusive if the IUT has created no permission for our address.
        """
        self._await_permission(allocation)
        octets = bytes(request)
        attributes: list[Packet] = [
            layers.XorPeerAddress(address=Address(self._peer.address, self._any_port())),
            layers.RawStunAttribute(type=Attribute.DATA, value=octets),
        ]
        data = self._message(Method.DATA, MessageClass.INDICATION, self._rng.randbytes(12), attributes)
        allocation.control.send(data)

        def response() -> Message | None:
            sent = (_datagram(event) for event in allocation.control.events)
            wanted = (m for m in sent if m is not None and m.transaction_id == octets[8:20] and not m.is_request)
            return next(wanted, None)

        self._pump.wait(lambda: response() is not None, within)
        found = response()
        if found is None:
            raise Failed(
                "the IUT did not answer a request to its relayed UDP address",
                expected="a Send indication with the response",
                actual=f"none within {within:g} s",
            )
        return found

    def _await_permission(self, allocation: ServerAllocation) -> None:
        ours = self._peer.address
        if not self._pump.wait(lambda: ours in allocation.permissions, self._peer.pixit.response):
            raise Inconclusive(f"the IUT created no permission for {ours}")

    def control_of(self, connection: Channel) -> Channel:
        """Return the control connection of the allocation that a data connection belongs to."""
        return next(control for control, relayed in self._controls if relayed == connection.seen_from)

    def lose(self, connection: Channel) -> None:
        """End the control connection that a data connection hangs on, and with it the allocation."""
        control = self.control_of(connection)
        for allocation in [allocation for allocation in self.allocations if allocation.control is control]:
            self._end(allocation)
        control.close()

    def seen(self, channel: Channel) -> Address:
        """Return where the server says that the requests of a connection come from; a NAT maps ports as well."""
        remote = channel.remote_address
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
        if self._pump.watch(lambda: not all(channel.is_open for channel in self.used), within):
            ended = [str(channel) for channel in self.used if not channel.is_open]
            raise Failed(
                f"the IUT ended its connection to the server: {', '.join(ended)}",
                expected="connections over which candidates were obtained stay open until ICE has completed",
                actual=f"ended before: {', '.join(ended)}",
            )

    def expect_closed(self, *, within: float) -> None:
        """Wait until the IUT has ended every connection over which it has learnt an address."""
        self._require_used()
        if not self._pump.wait(lambda: not any(channel.is_open for channel in self.used), within):
            kept = [str(channel) for channel in self.used if channel.is_open]
            raise Failed(
                f"the IUT's connection to the server is still open: {', '.join(kept)}",
                expected="connections to servers that are no longer needed are closed",
                actual=f"after {within:g} s still open: {', '.join(kept)}",
            )

    def _require_used(self) -> None:
        if not self.used:
            raise Inconclusive("the IUT has learnt no address from the server")

    # -- answers -------------------------------------------------------------------------------------------------

    def _on_request(self, channel: Channel, request: Frame) -> None:
        method = request.stun.method
        try:
            if method != Method.BINDING:
                self._authenticate(request)
            attributes = self._serve(channel, request)
        except (_Refusal, StunError) as error:
            code = error.code if isinstance(error, _Refusal) else 400
            channel.send_between(self._error(request, code, str(error)))
            return
        key = None if method == Method.BINDING else self._key
        transaction = request.stun.transaction_id
        channel.send_between(self._message(method, MessageClass.SUCCESS, transaction, attributes, key))
        if method == Method.CONNECTION_BIND:
            self._join(channel, request.stun.connection_id or 0)

    def _authenticate(self, request: Frame) -> None:
        """Require the long-term credentials (RFC 8489 section 9.2.4)."""
        if not self.relays:
            raise _Refusal(400, "Bad Request")
        if check_integrity(request.octets, self._key) is not Check.VALID or request.stun.username != self.username:
            raise _Refusal(401, "Unauthenticated")
        if request.stun.nonce != self._nonce:
            raise _Refusal(438, "Stale Nonce")

    def _serve(self, channel: Channel, request: Frame) -> list[Packet]:
        match request.stun.method:
            case Method.BINDING:
                self._learnt(channel)
                return [layers.XorMappedAddress(address=self.seen(channel))]
            case Method.ALLOCATE:
                return self._allocate(channel, request)
            case Method.CONNECTION_BIND:
                if request.stun.connection_id not in self._pending:
                    raise _Refusal(400, "Bad Request")
                return []
        allocation = next((a for a in self.allocations if a.control is channel), None)
        if allocation is None:
            raise _Refusal(437, "Allocation Mismatch")
        match request.stun.method:
            case Method.REFRESH:
                return self._refresh(allocation, request)
            case Method.CREATE_PERMISSION:
                peers = request.stun.all(Attribute.XOR_PEER_ADDRESS)
                allocation.permissions |= {decode_xor_address(p, request.stun.transaction_id).ip for p in peers}
                return []
            case Method.CONNECT:
                return self._connect(allocation, request)
        raise _Refusal(400, "Bad Request")

    def _learnt(self, channel: Channel) -> None:
        if channel not in self.used:
            self.used.append(channel)

    def _allocate(self, channel: Channel, request: Frame) -> list[Packet]:
        """Allocate a relayed address (RFC 8656 section 7.2, for TCP RFC 6062 section 5.1)."""
        transport = request.stun.first(Attribute.REQUESTED_TRANSPORT)
        if transport is None or transport.value[:1] not in (bytes([_TCP]), bytes([_UDP])):
            raise _Refusal(442, "Unsupported Transport Protocol")
        if any(allocation.control is channel for allocation in self.allocations):
            raise _Refusal(437, "Allocation Mismatch")
        taken = {address.port for address in self.relayed}
        port = next(p for p in iter(self._any_port, None) if p not in taken)
        allocation = ServerAllocation(channel, Address(self._peer.address, port), transport.value[0])
        self.allocations.append(allocation)
        self._controls.append((channel, allocation.relayed))
        self._learnt(channel)
        return [
            layers.XorRelayedAddress(address=allocation.relayed),
            layers.XorMappedAddress(address=self.seen(channel)),
            layers.Lifetime(number=_LIFETIME),
        ]

    def _any_port(self) -> int:
        return self._rng.randint(_FIRST_RELAYED, _LAST_RELAYED)

    def _refresh(self, allocation: ServerAllocation, request: Frame) -> list[Packet]:
        lifetime = request.stun.lifetime
        if lifetime == 0:
            self._end(allocation)
        return [layers.Lifetime(number=0 if lifetime == 0 else _LIFETIME)]

    def _end(self, allocation: ServerAllocation) -> None:
        """Delete an allocation; its data connections end with it (RFC 6062 section 5.5)."""
        self.allocations.remove(allocation)
        for channel in allocation.data:
            channel.close()

    def _connect(self, allocation: ServerAllocation, request: Frame) -> list[Packet]:
        """Connect to a peer, which can only be a passive candidate of our own (RFC 6062 section 5.2)."""
        wanted = request.stun.xor_peer_address
        listener = next((at for at in self._peer.listeners if wanted == Address(self._peer.address, at.port)), None)
        if wanted is None or allocation.transport != _TCP:
            raise _Refusal(400, "Bad Request")
        if listener is None:
            raise _Refusal(447, "Connection Timeout or Failure")
        return [layers.ConnectionId(number=self._wait_for_bind(_Pending(allocation, wanted, listener)))]

    def _wait_for_bind(self, pending: _Pending) -> int:
        identifier = self._rng.getrandbits(32)
        self._pending[identifier] = pending
        return identifier

    def _join(self, channel: Channel, identifier: int) -> None:
        """Make a data connection a channel between the IUT and the peer, which is us (RFC 6062 section 5.4)."""
        pending = self._pending.pop(identifier)
        channel.seen_from = pending.allocation.relayed
        pending.allocation.data.append(channel)
        if pending.listener is not None:
            channel.component = pending.listener.component
        self._peer.take_over(channel, pending.listener)
        pending.channel = channel
        channel.speak_frames(self._streams[channel].release())

    # -- messages ------------------------------------------------------------------------------------------------

    def _error(self, request: Frame, code: int, reason: str) -> Packet:
        attributes: list[Packet] = [layers.ErrorCode(code=code, reason=reason)]
        if code in (401, 438):
            attributes += [layers.Realm(value=_REALM), layers.Nonce(value=self._nonce)]
        key = self._key if code not in (401, 438) and self.relays else None
        return self._message(request.stun.method, MessageClass.ERROR, request.stun.transaction_id, attributes, key)

    @staticmethod
    def _message(
        method: int, cls: MessageClass, transaction: bytes, attributes: list[Packet], key: bytes | None = None
    ) -> Packet:
        protections: list[Packet] = [] if key is None else [layers.MessageIntegrity(key=key)]
        protections.append(layers.Fingerprint())
        return layers.STUN(
            method=method,
            message_class=int(cls),
            transaction_id=transaction,
            attributes=[*attributes, *protections],
        )


def _datagram(event: Event) -> Message | None:
    """Return the message that a Send indication carries (RFC 8656 section 11.1), if that is what an event is."""
    if not isinstance(event, Frame) or event.message is None or event.message.method != Method.SEND:
        return None
    data = event.message.first(Attribute.DATA)
    try:
        return None if data is None else Message.decode(data.value)
    except StunError:
        return None

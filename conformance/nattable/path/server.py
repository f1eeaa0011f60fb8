"""A STUN and TURN server over TCP that really relays, on its own kernel sockets (RFC 8489, RFC 8656, RFC 6062).

As much of one as two honest agents need: no lifetimes run out, and there is one user.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.stun import Message, MessageClass, Method, build
from conformance.wire.stunstream import MessageStream

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from conformance.wire.attributes import RawAttribute

PORT = 3478
_REALM = "icetcp"
_TCP = 6
_LIFETIME = 600  # seconds
_CHUNK = 65536
_CONNECT_WITHIN = 15.0  # seconds for a connection to a peer

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Refusal(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(slots=True, eq=False)
class _Allocation:
    """A relayed address and the connection that controls it."""

    control: asyncio.StreamWriter
    relayed: Address
    listener: asyncio.Server
    permissions: set[str] = field(default_factory=set)


class RelayServer:
    """Serves an address. `entries` are what an agent is told of it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._username, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._nonce = secrets.token_hex(8)
        self._key = long_term_key(self._username, _REALM, self._password)
        self._server: asyncio.Server | None = None
        self._allocations: dict[asyncio.StreamWriter, _Allocation] = {}
        self._waiting: dict[int, _Stream] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def stun_entry(self) -> dict[str, str]:
        """What `ice_servers` says of it as a STUN server."""
        return {"url": f"stun:{self._address}:{PORT}"}

    @property
    def turn_entry(self) -> dict[str, str]:
        """What `ice_servers` says of it as a TURN server."""
        url = f"turn:{self._address}:{PORT}?transport=tcp"
        return {"url": url, "username": self._username, "credential": self._password}

    async def start(self) -> None:
        """Begin to listen. Raises `OSError`."""
        self._server = await asyncio.start_server(self._begin, self._address, PORT, backlog=512)

    async def close(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for allocation in self._allocations.values():
            allocation.listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    # -- connections of clients ----------------------------------------------------------------------------

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._start(self._serve(reader, writer))

    def _start(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the connection ends or becomes one with a peer's."""
        stream = MessageStream()
        try:
            while octets := await reader.read(_CHUNK):
                for received in stream.feed(octets):
                    message = Message.decode(received)
                    if message.method == Method.CONNECT:  # it may take long: nothing else has to wait for it
                        self._start(self._answer(message, received, writer))
                        continue
                    peer = await self._answer(message, received, writer)
                    if peer is not None:
                        peer[1].write(stream.release())
                        await _join((reader, writer), peer)
                        self._close(peer[1])
                        return
        except (OSError, StunError):
            return
        finally:
            self._end(writer)
            self._close(writer)

    def _close(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()

    def _end(self, writer: asyncio.StreamWriter) -> None:
        """Give up the allocation that a connection controls, if any."""
        allocation = self._allocations.pop(writer, None)
        if allocation is not None:
            allocation.listener.close()

    async def _answer(self, message: Message, octets: bytes, writer: asyncio.StreamWriter) -> _Stream | None:
        """Answer one message; return the peer's connection that this one is to be joined with, if any."""
        if not message.is_request:
            return None
        authenticated = message.method != Method.BINDING
        try:
            if authenticated:
                self._authenticate(message, octets)
            found = await self._perform(message, writer)
        except _Refusal as refusal:
            writer.write(self._refused(message, refusal))
            return None
        peer = None
        if message.method == Method.CONNECTION_BIND:
            peer = self._waiting.pop(message.connection_id or 0)
        key = self._key if authenticated else None
        writer.write(build(message.method, MessageClass.SUCCESS, message.transaction_id, found, key=key))
        return peer

    def _authenticate(self, message: Message, octets: bytes) -> None:
        """Require the long-term credentials (RFC 8489 section 9.2.4)."""
        valid = check_integrity(octets, self._key) is Check.VALID
        if not valid or (message.username, message.nonce) != (self._username, self._nonce):
            raise _Refusal(401, "Unauthenticated")

    def _refused(self, message: Message, refusal: _Refusal) -> bytes:
        found = [attr.error_code(refusal.code, str(refusal))]
        key: bytes | None = self._key
        if refusal.code == 401:
            found += [attr.text(Attribute.REALM, _REALM), attr.text(Attribute.NONCE, self._nonce)]
            key = None
        return build(message.method, MessageClass.ERROR, message.transaction_id, found, key=key)

    # -- what is asked -------------------------------------------------------------------------------------

    async def _perform(self, message: Message, writer: asyncio.StreamWriter) -> list[RawAttribute]:
        seen = Address(*writer.get_extra_info("peername")[:2])
        mapped = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, seen, message.transaction_id)
        if message.method == Method.BINDING:
            return [mapped]
        if message.method == Method.ALLOCATE:
            allocation = await self._allocate(message, writer)
            relayed = attr.xor_address(Attribute.XOR_RELAYED_ADDRESS, allocation.relayed, message.transaction_id)
            return [relayed, mapped, attr.lifetime(_LIFETIME)]
        if message.method == Method.CONNECTION_BIND:
            if message.connection_id not in self._waiting:
                raise _Refusal(400, "Bad Request")
            return []
        return await self._perform_on(self._allocations.get(writer), message)

    async def _perform_on(self, allocation: _Allocation | None, message: Message) -> list[RawAttribute]:
        """Do what is asked of an allocation."""
        if allocation is None:
            raise _Refusal(437, "Allocation Mismatch")
        if message.method == Method.CREATE_PERMISSION:
            peers = message.all(Attribute.XOR_PEER_ADDRESS)
            allocation.permissions |= {attr.decode_xor_address(peer, message.transaction_id).ip for peer in peers}
            return []
        if message.method == Method.REFRESH:
            if message.lifetime == 0:
                self._end(allocation.control)
            return [attr.lifetime(0 if message.lifetime == 0 else _LIFETIME)]
        if message.method == Method.CONNECT and (peer := message.xor_peer_address) is not None:
            return [attr.connection_id(await self._connect(allocation, peer))]
        raise _Refusal(400, "Bad Request")

    async def _allocate(self, message: Message, writer: asyncio.StreamWriter) -> _Allocation:
        """Allocate a relayed address, of TCP alone (RFC 6062 section 5.1)."""
        transport = message.first(Attribute.REQUESTED_TRANSPORT)
        if transport is None or transport.value[:1] != bytes([_TCP]):
            raise _Refusal(442, "Unsupported Transport Protocol")
        if writer in self._allocations:
            raise _Refusal(437, "Allocation Mismatch")
        listener = await asyncio.start_server(
            lambda reader, peer: self._came(writer, reader, peer), self._address, 0, reuse_port=True
        )
        relayed = Address(*listener.sockets[0].getsockname()[:2])
        allocation = self._allocations[writer] = _Allocation(writer, relayed, listener)
        return allocation

    def _came(self, control: asyncio.StreamWriter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell of a peer's connection to a relayed address, if the peer has permission (RFC 6062 section 5.3)."""
        allocation = self._allocations.get(control)
        peer = Address(*writer.get_extra_info("peername")[:2])
        if allocation is None or peer.ip not in allocation.permissions:
            writer.close()
            return
        number, transaction = self._keep((reader, writer)), secrets.token_bytes(12)
        told = [attr.connection_id(number), attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer, transaction)]
        control.write(build(Method.CONNECTION_ATTEMPT, MessageClass.INDICATION, transaction, told))

    async def _connect(self, allocation: _Allocation, peer: Address) -> int:
        """Connect to a peer from the relayed address (RFC 6062 section 5.2)."""
        loop = asyncio.get_running_loop()
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            connection.bind((allocation.relayed.ip, allocation.relayed.port))
            await asyncio.wait_for(loop.sock_connect(connection, (peer.ip, peer.port)), _CONNECT_WITHIN)
            return self._keep(await asyncio.open_connection(sock=connection))
        except BaseException as error:
            connection.close()
            if isinstance(error, OSError):  # a time that ran out included
                raise _Refusal(447, "Connection Timeout or Failure") from None
            raise

    def _keep(self, stream: _Stream) -> int:
        number = secrets.randbits(32)
        self._waiting[number] = stream
        self._writers.add(stream[1])
        return number


async def _join(one: _Stream, other: _Stream) -> None:
    """Pass octets both ways until both have ended."""
    await asyncio.gather(_pass(one[0], other[1]), _pass(other[0], one[1]))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(_CHUNK):
            writer.write(octets)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()

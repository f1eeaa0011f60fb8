"""A STUN and TURN server over TCP that really relays, on its own kernel sockets; `peer.turn` decides what it does."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from typing import TYPE_CHECKING

from conformance.peer import turn
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, ErrorCode, RawAttribute
from conformance.wire.errors import StunError
from conformance.wire.stun import Message, Method, build
from conformance.wire.stunstream import MessageStream

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from conformance.wire.attributes import Attribute

PORT = turn.PORT
_CHUNK = 65536
_CONNECT_WITHIN = 15.0  # seconds for a connection to a peer

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RelayServer:
    """Serves an address. `entries` are what an agent is told of it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._core: turn.Server[asyncio.StreamWriter, _Stream] = turn.Server(
            secrets.token_hex(4), secrets.token_hex(12), secrets.token_hex(8), lambda: secrets.randbits(32), (turn.TCP,)
        )
        self._server: asyncio.Server | None = None
        self._listeners: dict[asyncio.StreamWriter, asyncio.Server] = {}  # of relayed addresses, by who controls them
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def stun_entry(self) -> dict[str, str]:
        """What `ice_servers` says of it as a STUN server."""
        return self._core.entry(self._address, PORT, relays=False)

    @property
    def turn_entry(self) -> dict[str, str]:
        """What `ice_servers` says of it as a TURN server."""
        return self._core.entry(self._address, PORT, relays=True)

    async def start(self) -> None:
        """Begin to listen. Raises `OSError`."""
        self._server = await asyncio.start_server(self._begin, self._address, PORT, backlog=512)

    async def close(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for listener in self._listeners.values():
            listener.close()
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
        self._core.end(writer)
        listener = self._listeners.pop(writer, None)
        if listener is not None:
            listener.close()

    async def _answer(self, message: Message, octets: bytes, writer: asyncio.StreamWriter) -> _Stream | None:
        """Answer one message; return the peer's connection that this one is to be joined with, if any."""
        if not message.is_request:
            return None
        todo = self._core.take(writer, message, octets, Address(*writer.get_extra_info("peername")[:2]))
        match todo:
            case turn.Allocate():
                reply = await self._allocate(todo)
            case turn.Connect():
                reply = await self._connect(todo)
            case _:
                reply = todo.reply
        self._send(writer, reply)
        if isinstance(todo, turn.End):
            self._end(writer)
        return todo.other if isinstance(todo, turn.Bind) else None

    def _send(self, writer: asyncio.StreamWriter, reply: turn.Reply) -> None:
        found = [_encode(kind, value, reply.transaction_id) for kind, value in reply.attributes]
        key = self._core.key if reply.signed else None
        writer.write(build(reply.method, reply.cls, reply.transaction_id, found, key=key))

    # -- what is asked -------------------------------------------------------------------------------------

    async def _allocate(self, asked: turn.Allocate[asyncio.StreamWriter]) -> turn.Reply:
        def came(reader: asyncio.StreamReader, peer: asyncio.StreamWriter) -> None:
            self._came(allocation, reader, peer)

        listener = await asyncio.start_server(came, self._address, 0, reuse_port=True)
        allocation, reply = self._core.grant(asked, Address(*listener.sockets[0].getsockname()[:2]))
        self._listeners[asked.client] = listener
        return reply

    def _came(
        self,
        allocation: turn.Allocation[asyncio.StreamWriter],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Tell of a peer's connection to a relayed address, if the peer has permission (RFC 6062 section 5.3)."""
        peer = Address(*writer.get_extra_info("peername")[:2])
        if peer.ip not in allocation.permissions:
            writer.close()
            return
        self._writers.add(writer)
        told = self._core.attempt(allocation, peer, (reader, writer), secrets.token_bytes(12))
        self._send(allocation.control, told)

    async def _connect(self, asked: turn.Connect[asyncio.StreamWriter]) -> turn.Reply:
        """Connect to a peer from the relayed address."""
        loop = asyncio.get_running_loop()
        relayed, peer = asked.allocation.relayed, asked.peer
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            connection.bind((relayed.ip, relayed.port))
            await asyncio.wait_for(loop.sock_connect(connection, (peer.ip, peer.port)), _CONNECT_WITHIN)
            stream = await asyncio.open_connection(sock=connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, OSError):  # a time that ran out included
                return self._core.refused(asked)
            raise
        self._writers.add(stream[1])
        return self._core.connected(asked, stream)


def _encode(kind: Attribute, value: turn.Value, transaction_id: bytes) -> RawAttribute:
    if isinstance(value, Address):
        return attr.xor_address(kind, value, transaction_id)
    if isinstance(value, ErrorCode):
        return attr.error_code(value.code, value.reason)
    if isinstance(value, bytes):
        return RawAttribute(kind, value)
    return attr.text(kind, value) if isinstance(value, str) else RawAttribute(kind, value.to_bytes(4, "big"))


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

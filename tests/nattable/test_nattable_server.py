"""The relaying server by itself, on loopback: what it refuses, and that it passes octets both ways."""

from __future__ import annotations

import asyncio

from conformance.nattable.path import server as server_module
from conformance.nattable.path.server import RelayServer
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.stun import Message, MessageClass, Method, build

HOST = "127.0.0.1"
ID = bytes(range(12))


class Client:
    """One connection to the server."""

    def __init__(self, server):
        entry = server.turn_entry
        self.name = entry["username"]
        self.key = long_term_key(entry["username"], "icetcp", entry["credential"])
        self.nonce = ""

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(HOST, server_module.PORT)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        await self.writer.wait_closed()

    async def receive(self):
        head = await self.reader.readexactly(20)
        return head + await self.reader.readexactly(int.from_bytes(head[2:4], "big"))

    async def ask(self, method, *attributes, signed=True):
        login = [
            attr.username(self.name),
            attr.text(Attribute.REALM, "icetcp"),
            attr.text(Attribute.NONCE, self.nonce),
        ]
        key = self.key if signed and self.nonce else None
        self.writer.write(build(method, MessageClass.REQUEST, ID, [*attributes, *(login if key else [])], key=key))
        octets = await self.receive()
        answer = Message.decode(octets)
        self.nonce = answer.nonce or self.nonce
        if key is not None:
            assert check_integrity(octets, self.key) is Check.VALID
        return answer

    async def allocate(self):
        assert (await self.ask(Method.ALLOCATE, attr.requested_transport(6))).error_code.code == 401
        return await self.ask(Method.ALLOCATE, attr.requested_transport(6))

    async def refused(self, method, *attributes):
        return (await self.ask(method, *attributes)).error_code.code


def play(scene, monkeypatch):
    async def with_server():
        listening = await asyncio.start_server(lambda _r, _w: None, HOST, 0)
        port = listening.sockets[0].getsockname()[1]
        listening.close()
        monkeypatch.setattr(server_module, "PORT", port)
        server = RelayServer(HOST)
        await server.start()
        try:
            async with asyncio.timeout(10):
                await scene(server)
        finally:
            await server.close()

    asyncio.run(with_server())


def peer_attribute(address):
    return attr.xor_address(Attribute.XOR_PEER_ADDRESS, address, ID)


def test_binding_tells_where_the_client_is(monkeypatch):
    async def scene(server):
        async with Client(server) as client:
            answer = await client.ask(Method.BINDING)
            assert answer.xor_mapped_address == Address(*client.writer.get_extra_info("sockname"))

    play(scene, monkeypatch)


def test_refusals(monkeypatch):
    async def scene(server):
        async with Client(server) as client:
            assert (await client.allocate()).lifetime == 600
            assert await client.refused(Method.ALLOCATE, attr.requested_transport(6)) == 437
            assert await client.refused(Method.CONNECTION_BIND, attr.connection_id(7)) == 400
            assert await client.refused(Method.CONNECT) == 400
            assert await client.refused(Method.CONNECT, peer_attribute(Address(HOST, 1))) == 447
            assert (await client.ask(Method.REFRESH, attr.lifetime(0))).lifetime == 0
            assert await client.refused(Method.REFRESH) == 437
            assert await client.refused(Method.ALLOCATE, attr.requested_transport(17)) == 442

    play(scene, monkeypatch)


def test_peers_without_permission_are_not_let_in(monkeypatch):
    async def scene(server):
        async with Client(server) as client:
            relayed = (await client.allocate()).xor_relayed_address
            reader, writer = await asyncio.open_connection(relayed.ip, relayed.port)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    play(scene, monkeypatch)


def test_octets_pass_between_a_client_and_its_peer(monkeypatch):
    async def scene(server):
        async with Client(server) as client, Client(server) as data:
            relayed = (await client.allocate()).xor_relayed_address
            await client.ask(Method.CREATE_PERMISSION, peer_attribute(Address(HOST, 0)))
            reader, writer = await asyncio.open_connection(relayed.ip, relayed.port)
            told = Message.decode(await client.receive())
            assert told.method == Method.CONNECTION_ATTEMPT
            assert told.xor_peer_address == Address(*writer.get_extra_info("sockname"))
            data.nonce = client.nonce
            assert (await data.ask(Method.CONNECTION_BIND, attr.connection_id(told.connection_id))).is_success
            data.writer.write(b"out")
            writer.write(b"in")
            assert (await reader.readexactly(3), await data.reader.readexactly(2)) == (b"out", b"in")
            writer.close()
            assert await data.reader.read() == b""

    play(scene, monkeypatch)

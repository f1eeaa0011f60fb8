"""What may stand between an agent and others: a NAT for TCP, and a filter, both relaying octets in this process."""

import asyncio
import contextlib
import socket

from conformance.wire.attributes import Address


class _Middle:
    """Relays octets between pairs of connections until it is left; then nothing of it remains."""

    def __init__(self):
        self._servers, self._writers, self._tasks = [], [], []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def listen(self, take, **where):
        def taken(reader, writer):  # a plain function, so that the task is ours
            self._writers.append(writer)
            self._tasks.append(asyncio.ensure_future(take(reader, writer)))

        self._servers.append(await asyncio.start_server(taken, **where))
        return self._servers[-1].sockets[0].getsockname()

    async def join(self, reader, writer, **where):
        other_reader, other_writer = await asyncio.open_connection(**where)
        self._writers.append(other_writer)
        await asyncio.gather(self._pipe(reader, other_writer), self._pipe(other_reader, writer))

    @staticmethod
    async def _pipe(reader, writer):
        with contextlib.suppress(OSError):
            while octets := await reader.read(65536):
                writer.write(octets)
                await writer.drain()
        writer.close()


def _shared(ip, port=0):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setblocking(False)
    sock.bind((ip, port))
    return sock


class FullCone(_Middle):
    """A NAT with endpoint-independent mapping and filtering (RFC 5382) between agents and one server.

    Agents reach the server at `address`; whoever connects to one of the `mapped` addresses reaches the agent.
    """

    def __init__(self, ip, server):
        super().__init__()
        self.ip, self.server = ip, server
        self.mapped = {}

    async def __aenter__(self):
        self.address = Address(*await self.listen(self._outwards, host="127.0.0.1", port=0))
        return self

    async def _outwards(self, reader, writer):
        agent = Address(*writer.get_extra_info("peername"))
        outside = _shared(self.ip)
        mapped = Address(*outside.getsockname())
        self.mapped[mapped] = agent

        async def inwards(reader, writer):
            await self.join(reader, writer, host=agent.ip, port=agent.port)

        await self.listen(inwards, sock=_shared(self.ip, mapped.port))
        await asyncio.get_running_loop().sock_connect(outside, (self.server.ip, self.server.port))
        await self.join(reader, writer, sock=outside)


class OnlyFrom(_Middle):
    """Relays connections from `source` to `target` and resets all others; `port` is where it listens."""

    def __init__(self, source, target):
        super().__init__()
        self.source, self.target = source, target
        self.let_in = self.kept_out = 0

    async def __aenter__(self):
        _, self.port = await self.listen(self._take, host="127.0.0.1", port=0)
        return self

    async def _take(self, reader, writer):
        if Address(*writer.get_extra_info("peername")) == self.source:
            self.let_in += 1
            await self.join(reader, writer, host=self.target.ip, port=self.target.port)
        else:
            self.kept_out += 1
            writer.transport.abort()

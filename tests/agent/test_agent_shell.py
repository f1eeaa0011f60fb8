"""The agent on real sockets, in this process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from pathlib import Path

import pytest

from conformance.agent import interfaces, shell
from conformance.agent.config import Config, Media, StreamPlan
from conformance.agent.events import DataReceived, State, StateChanged
from conformance.agent.interfaces import InterfaceAddress, host_addresses
from conformance.agent.shell import Session
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription


class Ear:
    """Collects a session's events and lets a test wait for them."""

    def __init__(self):
        self.states, self.data = [], bytearray()
        self._changed = asyncio.Event()

    def __call__(self, event):
        if isinstance(event, StateChanged):
            self.states.append(event.state)
        elif isinstance(event, DataReceived):
            self.data += event.octets
        self._changed.set()

    async def until(self, condition):
        async with asyncio.timeout(20):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()


async def exchange(offerer, answerer):
    _, offer = await offerer.describe()
    answerer.accept("offer", offer)
    _, answer = await answerer.describe()
    offerer.accept("answer", answer)


@contextlib.asynccontextmanager
async def two_sessions(ip="127.0.0.1", **more):
    ears = Ear(), Ear()
    sessions = [Session(Config(offerer=n == 0, addresses=(ip,), **more), ear) for n, ear in enumerate(ears)]
    try:
        await exchange(*sessions)
        for ear in ears:
            await ear.until(lambda ear: State.COMPLETED in ear.states)
        yield [(session, ear) for session, ear in zip(sessions, ears, strict=True)]
    finally:
        for session in sessions:
            session.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "a task is left"


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1"])
def test_two_sessions_complete_and_exchange_much(ip):
    async def play():
        async with two_sessions(ip) as ((a, ear_a), (b, ear_b)):
            octets = bytes(range(128, 256)) * 8192 * 4  # 4 MiB each way at once
            await asyncio.gather(a.send(1, octets), b.send(1, octets))
            await ear_a.until(lambda ear: len(ear.data) == len(octets))
            await ear_b.until(lambda ear: len(ear.data) == len(octets))
            assert ear_a.data == ear_b.data == octets

    asyncio.run(play())


def test_answerer_keeps_packets_whole_when_the_offer_is_rtp():
    async def play():
        ears = Ear(), Ear()
        a = Session(Config(offerer=True, addresses=("127.0.0.1",), streams=(StreamPlan(Media.RTP),)), ears[0])
        b = Session(Config(offerer=False, addresses=("127.0.0.1",)), ears[1])
        await exchange(a, b)
        await b.send(1, b"\x80" * 65535)
        await ears[0].until(lambda ear: ear.data)
        assert len(ears[0].data) == 65535, "the packet came in parts"
        a.close()
        b.close()

    asyncio.run(play())


def test_closing_one_session_is_seen_by_the_other():
    async def play():
        async with two_sessions() as ((a, _), (_, ear_b)):
            a.close()
            await ear_b.until(lambda ear: State.DISCONNECTED in ear.states)

    asyncio.run(play())


def test_nothing_is_left_open():
    async def play():
        def descriptors():
            return len(list(Path("/proc/self/fd").iterdir()))

        before = descriptors()
        for _ in range(3):
            async with two_sessions():
                pass
        await asyncio.sleep(0)
        assert descriptors() == before

    asyncio.run(play())


async def stranger(session, sdp):
    """Return a plain socket connected to the session's passive candidate."""
    media = SessionDescription.parse(sdp).media[0]
    candidate = next(c for c in media.candidates if c.tcptype == "passive")
    sock = socket.socket()
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (candidate.address, candidate.port))
    return sock


@pytest.mark.parametrize("reset", [True, False])
def test_strangers_that_go_away_leave_nothing(reset):
    async def play():
        ear = Ear()
        session = Session(Config(offerer=True, addresses=("127.0.0.1",)), ear)
        _, sdp = await session.describe()
        loop = asyncio.get_running_loop()
        sock = await stranger(session, sdp)
        await loop.sock_sendall(sock, frame(b"hello")[:3])
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            sock.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(30):
                assert await loop.sock_recv(sock, 10) == b"", "the agent does not close after the peer has"
        sock.close()
        async with asyncio.timeout(30):
            while session._links or list(session.agent._connections):
                await asyncio.sleep(0.005)
        session.close()

    asyncio.run(play())


def test_hurry_ends_a_send_that_waits_for_a_peer_that_does_not_read():
    async def play():
        async with two_sessions() as ((a, _), (b, _)):
            for link in b._links.values():
                asyncio.get_running_loop().remove_reader(link._socket)  # b stops reading
            sending = asyncio.ensure_future(a.send(1, b"\x80" * (8 << 20)))
            done, _ = await asyncio.wait({sending}, timeout=0.3)
            assert not done, "eight megabytes went into nowhere"
            a.hurry()
            async with asyncio.timeout(30):
                with contextlib.suppress(Exception):
                    await sending

    asyncio.run(play())


def test_addresses_that_are_not_ours_give_no_passive_candidate():
    async def play():
        session = Session(Config(offerer=True, addresses=("192.0.2.55",)), Ear())
        _, sdp = await session.describe()
        assert [c.tcptype for c in SessionDescription.parse(sdp).media[0].candidates] == ["active"]
        session.close()

    asyncio.run(play())


def test_descriptors_that_have_run_out_do_not_make_it_spin(monkeypatch):
    async def play():
        ear = Ear()
        session = Session(Config(offerer=True, addresses=("127.0.0.1",)), ear)
        _, sdp = await session.describe()
        ((base, listener),) = session._listeners.items()
        refusals = []

        class Exhausted:
            def accept(self):
                refusals.append(1)
                raise OSError(errno.EMFILE, "too many open files")

            def __getattr__(self, name):
                return getattr(listener, name)

        monkeypatch.setattr(shell, "_PAUSE", 1.0)
        loop = asyncio.get_running_loop()
        fake = session._listeners[base] = Exhausted()
        loop.remove_reader(listener)
        loop.add_reader(fake, session._on_acceptable, base, fake)
        sock = await stranger(session, sdp)
        await asyncio.sleep(0.02)
        assert len(refusals) == 1, "it tries again at once"
        monkeypatch.setattr(Exhausted, "accept", lambda _: listener.accept())
        async with asyncio.timeout(30):
            while not session._links:
                await asyncio.sleep(0.005)
        sock.close()
        session.close()

    asyncio.run(play())


# -- addresses of the host -----------------------------------------------------------------------------------------


def test_the_kernel_tells_its_addresses():
    assert "127.0.0.1" in {address.ip for address in interfaces._dump()}
    assert all(":" in ip or "." in ip for ip in host_addresses())


def test_which_addresses_are_gathered(monkeypatch):
    found = [
        InterfaceAddress("127.0.0.1", 8, 1),
        InterfaceAddress("::1", 128, 1),
        InterfaceAddress("10.0.0.1", 8, 2),
        InterfaceAddress("10.0.0.2", 8, 2),
        InterfaceAddress("fe80::1", 64, 2),
        InterfaceAddress("2001:db8::1", 64, 2),
        InterfaceAddress("2001:db8::abcd", 64, 2, temporary=True),
        InterfaceAddress("2001:db8:1::1", 64, 3),
        InterfaceAddress("fec0::1", 64, 3),
        InterfaceAddress("::ffff:10.0.0.1", 96, 3),
        InterfaceAddress("::10.0.0.1", 96, 3),
    ]
    monkeypatch.setattr(interfaces, "_dump", lambda: found)
    assert host_addresses() == ["10.0.0.1", "10.0.0.2", "2001:db8::abcd", "2001:db8:1::1"]
    monkeypatch.setattr(interfaces, "_dump", lambda: found[:2])
    assert host_addresses() == ["127.0.0.1"]


def test_a_kernel_that_does_not_answer(monkeypatch):
    def refuse(*_):
        raise OSError("not here")

    monkeypatch.setattr(interfaces.socket, "socket", refuse)
    assert interfaces._dump() == []
    assert not interfaces.can_bind("::1")

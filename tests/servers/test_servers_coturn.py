"""The reference agent's candidates from a real STUN and TURN server, and connections through it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from coturn import PASSWORD, USER, coturn
from middle import FullCone, OnlyFrom

from conformance.agent.config import Config, IceServer, Media, StreamPlan
from conformance.agent.events import DataReceived, SelectedPair, State, StateChanged
from conformance.agent.shell import Session
from conformance.wire.attributes import Address
from conformance.wire.sdp import SessionDescription

HOST = "127.0.0.1"


class Side:
    """A session, and what it told."""

    def __init__(self, offerer, servers, **more):
        self.states, self.pairs, self.data = [], [], bytearray()
        self._changed = asyncio.Event()
        self.session = Session(Config(offerer=offerer, addresses=(HOST,), servers=servers, **more), self._take)

    def _take(self, event):
        if isinstance(event, StateChanged):
            self.states.append(event.state)
        elif isinstance(event, SelectedPair):
            self.pairs.append((event.local.type, event.remote.type))
        elif isinstance(event, DataReceived):
            self.data += event.octets
        self._changed.set()

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def completed(self):
        await self.until(lambda side: State.COMPLETED in side.states)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with coturn(tmp_path_factory.mktemp("coturn")) as port:
        yield Address(HOST, port)


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """A server whose nonces become stale after a second."""
    with coturn(tmp_path_factory.mktemp("coturn"), stale=1) as port:
        yield Address(HOST, port)


def turn(address, username=USER, credential=PASSWORD):
    return IceServer(address, True, username, credential)


def keep(sdp, *types):
    """Leave out the candidates that are not of these types."""
    lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:") or line.split()[7] in types]
    return "".join(f"{line}\r\n" for line in lines)


def candidates(sdp, kind, tcptype=None):
    found = SessionDescription.parse(sdp).media[0].candidates
    return [c for c in found if c.type == kind and tcptype in (None, c.tcptype)]


@contextlib.asynccontextmanager
async def sides(*servers_of_each, **more):
    both = [Side(number == 0, servers, **more) for number, servers in enumerate(servers_of_each)]
    try:
        yield both
    finally:
        for side in both:
            side.session.close()


async def negotiate(a, b, *, change=lambda sdp: sdp):
    """Exchange descriptions, each changed on its way; return them as they were written."""
    _, offer = await a.session.describe()
    b.session.accept("offer", change(offer))
    _, answer = await b.session.describe()
    a.session.accept("answer", change(answer))
    return offer, answer


async def talk(a, b):
    octets = bytes(range(128, 256)) * 1024  # 128 KiB each way
    await asyncio.gather(a.session.send(1, octets), b.session.send(1, octets))
    for side in (a, b):
        await side.until(lambda side: len(side.data) == len(octets))
        assert side.data == octets


@pytest.mark.parametrize("allocating", [(True, True), (False, True)])
def test_two_agents_connect_through_relays_only(server, allocating):
    async def play():
        servers = [(turn(server),) if has else () for has in allocating]
        async with sides(*servers) as (a, b):

            def change(sdp):
                has = bool(candidates(sdp, "relay"))
                return keep(sdp, "relay") if has else "\r\n".join(_without_passive(sdp))

            offer, answer = await negotiate(a, b, change=change)
            for sdp, has in zip((offer, answer), allocating, strict=True):
                assert len(candidates(sdp, "relay")) == (2 if has else 0)
            await a.completed()
            await b.completed()
            assert {kind for pair in a.pairs + b.pairs for kind in pair} >= {"relay"}
            await talk(a, b)

    asyncio.run(play())


def _without_passive(sdp):
    return [line for line in sdp.split("\r\n") if not line.endswith("tcptype passive")]


@pytest.mark.parametrize(("name", "age"), [("server", 0.0), ("forgetful", 2.1)])
def test_a_relayed_address_connects_where_the_host_cannot(request, name, age):
    """The peer's passive candidate takes connections from the relay alone; the nonce may have become stale before."""
    server = request.getfixturevalue(name)

    async def play():
        async with sides((turn(server),), ()) as (a, b):
            _, offer = await a.session.describe()
            (relayed,) = candidates(offer, "relay", "passive")
            b.session.accept("offer", "\r\n".join(_without_passive(offer)))
            _, answer = await b.session.describe()
            (passive,) = candidates(answer, "host", "passive")
            await asyncio.sleep(age)
            async with OnlyFrom(relayed.endpoint, passive.endpoint) as gate:
                a.session.accept("answer", answer.replace(f" {passive.port} typ", f" {gate.port} typ"))
                await a.completed()
                await b.completed()
                assert (gate.let_in, gate.kept_out) == (1, 1)
                await talk(a, b)

    asyncio.run(play())


def test_a_nat_shows_itself_and_lets_the_peer_in(server):
    async def play():
        async with FullCone("127.0.7.1", server) as nat, sides((IceServer(nat.address),), ()) as (a, b):
            offer, _ = await negotiate(a, b, change=lambda sdp: keep(sdp, "srflx") or sdp)
            (passive,) = candidates(offer, "srflx", "passive")
            (active,) = candidates(offer, "srflx", "active")
            (host,) = candidates(offer, "host", "passive")
            assert passive.endpoint in nat.mapped
            assert (passive.related_address, passive.related_port) == (HOST, host.port)
            assert (active.address, active.port) == (passive.address, 9)
            await b.completed()
            assert b.pairs[0][1] == "srflx"
            await a.completed()
            await talk(a, b)

    asyncio.run(play())


def test_without_a_nat_there_is_no_reflexive_candidate(server):
    async def play():
        async with sides((IceServer(server),), ()) as (a, b):
            offer, _ = await negotiate(a, b)
            assert not candidates(offer, "srflx")
            await a.completed()

    asyncio.run(play())


@pytest.mark.parametrize("login", [("nobody", PASSWORD), (USER, "wrong"), ("", "")])
def test_wrong_credentials_give_host_candidates_only(server, login):
    async def play():
        async with sides((turn(server, *login),), ()) as (a, b):
            offer, _ = await negotiate(a, b)
            assert not candidates(offer, "relay")
            assert len(candidates(offer, "host")) == 2
            await a.completed()

    asyncio.run(play())


def test_udp_is_relayed_over_tcp(server):
    """Each allocates a UDP address over TCP; checks and media go in indications on these connections."""

    async def play():
        more = {"streams": (StreamPlan(Media.RTP),), "udp": True, "tcptypes": frozenset()}
        async with sides((turn(server),), (turn(server),), **more) as (a, b):
            offer, _ = await negotiate(a, b, change=lambda sdp: keep(sdp, "relay"))
            (relayed,) = candidates(offer, "relay")
            assert (relayed.transport, relayed.tcptype) == ("UDP", None)
            await a.completed()
            await b.completed()
            assert b.pairs[0][0] == "relay"
            for side, other in ((a, b), (b, a)):
                await side.session.send(1, b"\x80" * 1200)
                await other.until(lambda side: side.data == b"\x80" * 1200)

    asyncio.run(play())


def test_several_components_have_an_allocation_each(server):
    async def play():
        plan = (StreamPlan(Media.RTP, 2),)
        async with sides((turn(server),), (turn(server),), streams=plan) as (a, b):
            offer, answer = await negotiate(a, b, change=lambda sdp: keep(sdp, "relay"))
            for sdp in (offer, answer):
                assert {c.component for c in candidates(sdp, "relay", "passive")} == {1, 2}
                assert len({c.endpoint for c in candidates(sdp, "relay", "passive")}) == 2
            await a.completed()
            await b.completed()

    asyncio.run(play())

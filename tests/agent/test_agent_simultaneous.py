"""Simultaneous-open candidates: two agents that have nothing else, and whose connection a pair's is."""

from __future__ import annotations

import asyncio

import pytest
from agent_simulation import Network, Peer

from conformance.agent.candidates import default_candidate
from conformance.agent.config import Config
from conformance.agent.events import Close, SelectedPair, State, Write
from conformance.agent.pairs import PairState
from conformance.agent.shell import Session
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

SO = frozenset({"so"})
ALL = frozenset({"active", "passive", "so"})


def so(address, foundation="1", priority=2120220671):
    return f"{foundation} 1 TCP {priority} {address.ip} {address.port} typ host tcptype so"


def media_of(host):
    return SessionDescription.parse(host.agent._exchange.described).media[0]


def test_two_agents_with_nothing_else_complete_and_talk() -> None:
    network = Network()
    a = network.host(offerer=True, tcptypes=SO)
    b = network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=SO)
    network.complete(a, b)
    assert len(a.open_ends) == len(b.open_ends) == 1
    (one,), (other,) = media_of(a).candidates, media_of(b).candidates
    assert {one.tcptype, other.tcptype} == {"so"}
    assert {a.open_ends[0].address, b.open_ends[0].address} == {one.endpoint, other.endpoint}, "from their bases"
    assert [candidate.type for candidate in a.selected[0, 1]] == ["host", "host"], "nothing is peer-reflexive"
    a.tell("send", 1, b"to b")
    network.run(1)
    assert b.data[0, 1] == [b"to b"]


def test_the_default_is_no_so_candidate_where_there_is_another() -> None:
    network = Network()
    a = network.host(offerer=True, tcptypes=ALL)
    a.describe()
    assert (media_of(a).setup, media_of(a).port) == ("active", 9)
    local = a.agent._streams[0].locals
    only_so = [candidate for candidate in local if candidate.tcptype == "so"]
    passive = [candidate for candidate in local if candidate.tcptype != "active"]
    assert default_candidate(passive, 1, "active").tcptype == "passive"
    assert default_candidate(only_so, 1, "active").tcptype == "so"
    b = network.host(offerer=True, tcptypes=SO)
    b.describe()
    assert media_of(b).setup == "actpass"
    assert media_of(b).port == media_of(b).candidates[0].port


@pytest.mark.parametrize(("offered", "answer"), [("active", "passive"), ("passive", "active"), ("actpass", "active")])
def test_what_an_agent_with_so_candidates_only_answers(offered, answer) -> None:
    network = Network()
    agent = network.host(offerer=False, tcptypes=SO)
    agent.tell("accept", "offer", Peer("u" * 4, "p" * 24).description(Peer.active, setup=offered))
    assert SessionDescription.parse(agent.describe()).media[0].setup == answer


def early(network, *, to="so"):
    """Return an offering agent, what speaks for its peer, our S-O listener, and a connection from there."""
    agent = network.host(offerer=True, tcptypes=ALL)
    offer = SessionDescription.parse(agent.describe()).media[0]
    target = next(c.endpoint for c in offer.candidates if c.tcptype == to)
    ear = network.listen()
    end = network.dial(target, ip=ear.address.ip)
    return agent, Peer(offer.ufrag, offer.pwd), ear, end


def test_a_connection_of_the_peers_is_the_pairs() -> None:
    network = Network()
    agent, peer, _, end = early(network)
    agent.tell("accept", "answer", peer.description(so(end.address)))
    network.run(0.3)
    (request,) = end.requests()
    assert not agent.connects, "it has opened no other"
    (pair,) = agent.agent._streams[0].checks.pairs
    assert pair.remote.tcptype == "so"
    end.send(frame(peer.success(request, end.other.address)))
    network.run(2, lambda: len(end.requests()) == 2)
    assert end.requests()[1].use_candidate


def test_a_connection_from_elsewhere_reveals_an_so_candidate() -> None:
    network = Network()
    agent, peer, ear, end = early(network)
    agent.tell("accept", "answer", peer.description(so(ear.address)))
    assert end.ask(peer.check()).is_success
    network.run(0.3)
    assert len(end.requests()) == 1
    revealed = [pair.remote for pair in agent.agent._streams[0].checks.pairs if pair.remote.type == "prflx"]
    assert [(remote.tcptype, remote.endpoint) for remote in revealed] == [("so", end.address)]


def test_an_attempt_gives_way_to_the_peers_connection() -> None:
    network = Network()
    agent = network.host(offerer=True, tcptypes=SO)
    offer = SessionDescription.parse(agent.describe()).media[0]
    ear = network.listen()
    network.silent.add(ear.address)
    agent.tell("accept", "answer", Peer(offer.ufrag, offer.pwd).description(so(ear.address)))
    network.run(0.1)
    (pair,) = agent.agent._streams[0].checks.pairs
    attempt = pair.connection.number
    number = agent.agent.accepted(pair.local.base.number, offer.candidates[0].endpoint, ear.address, network.now)
    done = agent.agent.take()
    assert Close(attempt) in done
    assert [output.connection for output in done if isinstance(output, Write)] == [number], "the check goes there"
    assert [connection.number for connection in agent.agent._connections] == [number]


def test_an_attempt_that_failed_because_the_peer_was_first_is_no_loss() -> None:
    network = Network()
    agent = network.host(offerer=True, tcptypes=SO)
    offer = SessionDescription.parse(agent.describe()).media[0]
    ear = network.listen()
    network.silent.add(ear.address)
    agent.tell("accept", "answer", Peer(offer.ufrag, offer.pwd).description(so(ear.address)))
    network.run(0.1)
    (pair,) = agent.agent._streams[0].checks.pairs
    agent.agent.closed(pair.connection.number, "address in use", network.now)
    assert pair.state is PairState.FAILED
    number = agent.agent.accepted(pair.local.base.number, offer.candidates[0].endpoint, ear.address, network.now)
    writes = [output.connection for output in agent.agent.take() if isinstance(output, Write)]
    assert writes == [number]


def test_two_sessions_complete_over_real_sockets() -> None:
    async def run():
        events = []
        a = Session(Config(offerer=True, addresses=("127.0.0.1",), tcptypes=SO), lambda e: events.append(("a", e)))
        b = Session(Config(offerer=False, addresses=("127.0.0.1",), tcptypes=SO), lambda e: events.append(("b", e)))
        try:
            _, offer = await a.describe()
            b.accept("offer", offer)
            _, answer = await b.describe()
            a.accept("answer", answer)
            async with asyncio.timeout(30):
                while {a.agent.state, b.agent.state} != {State.COMPLETED}:
                    await asyncio.sleep(0.01)
        finally:
            a.close()
            b.close()
        return [event for _, event in events if isinstance(event, SelectedPair)]

    one, other = asyncio.run(run())
    assert {one.local.tcptype, one.remote.tcptype} == {"so"}
    assert (one.local.endpoint, one.remote.endpoint) == (other.remote.endpoint, other.local.endpoint)

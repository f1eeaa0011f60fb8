"""Restarts that go on with the selected connection as a pair of S-O candidates (RFC 6544 section 9.2)."""

from __future__ import annotations

import asyncio
import socket

import pytest
from agent_simulation import Network, Peer

from conformance.agent.config import Config
from conformance.agent.events import State
from conformance.agent.shell import Session
from conformance.wire.attributes import Address
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription

SO, ALL = frozenset({"so"}), frozenset({"active", "passive", "so"})
ACTIVE_SO, PASSIVE_SO = frozenset({"active", "so"}), frozenset({"passive", "so"})


def media(text):
    return SessionDescription.parse(text).media[0]


def candidates(text, tcptype):
    return [c for c in media(text).candidates if c.tcptype == tcptype]


def restart(one, other):
    """Restart and return both descriptions."""
    one.tell("restart")
    offer = one.describe()
    other.tell("accept", "offer", offer)
    answer = other.describe()
    one.tell("accept", "answer", answer)
    return offer, answer


@pytest.mark.parametrize("by", [0, 1])
def test_two_agents_go_on_with_their_connection_again_and_again(by):
    network = Network()
    hosts = [network.host(offerer=True, tcptypes=SO), network.host(offerer=False, addresses=["10.0.0.2"], tcptypes=SO)]
    network.complete(*hosts)
    ends = [host.open_ends[0] for host in hosts]
    for number in range(3):
        attempts = [len(host.connects) for host in hosts]
        one, other = hosts[(by + number) % 2], hosts[(by + number + 1) % 2]
        offer, answer = restart(one, other)
        stated = {candidates(text, "so")[0].endpoint for text in (offer, answer)}
        assert stated == {end.address for end in ends}
        assert network.run(5, lambda: all(host.agent.state is State.COMPLETED for host in hosts))
        network.run(10)
        assert [host.open_ends for host in hosts] == [[ends[0]], [ends[1]]]
        assert [len(host.connects) for host in hosts] == attempts
        one.tell("send", 1, b"%d" % number)
        network.run(1)
        assert other.data.pop((0, 1)) == [b"%d" % number]


def scripted(network, opener):
    """Return an agent that has completed with a scripted peer, and the peer's end of the connection."""
    agent = network.host(offerer=False, tcptypes=ALL)
    peer = Peer("", "")
    ear = network.listen()
    theirs = Peer.active if opener == "peer" else Peer.passive(ear.address)
    agent.tell("accept", "offer", peer.description(theirs, setup="actpass"))
    answer = media(agent.describe())
    peer.iut_ufrag, peer.iut_pwd = answer.ufrag, answer.pwd
    if opener == "peer":
        end = network.dial(next(c.endpoint for c in answer.candidates if c.tcptype == "passive"), ip="10.0.0.9")
    else:
        network.run(1, lambda: ear.ends)
        end = ear.ends[0]
    nominate(network, agent, peer, end)
    return agent, peer, end


def nominate(network, agent, peer, end):
    done = len(end.requests())
    assert end.ask(peer.check(controlling=True)).is_success
    network.run(1, lambda: len(end.requests()) > done)
    end.send(frame(peer.success(end.requests()[-1], end.other.address)))
    assert end.ask(peer.check(controlling=True, use_candidate=True)).is_success
    assert network.run(1, lambda: agent.agent.state is State.COMPLETED)


@pytest.mark.parametrize("opener", ["peer", "agent"])
def test_an_active_and_a_passive_end_become_so_candidates(opener):
    network = Network()
    agent, peer, end = scripted(network, opener)
    own, attempts = end.other.address, len(agent.connects)
    peer.ufrag, peer.pwd = "new1", "n" * 24
    so = f"7 1 TCP 2120220671 {end.address.ip} {end.address.port} typ host tcptype so"
    agent.tell("accept", "offer", peer.description(so, setup="actpass"))
    answer = agent.describe()
    assert [c.endpoint for c in candidates(answer, "so")] == [own]
    assert own in network.listeners, "who states an S-O candidate listens there (RFC 6544 section 7.2)"
    peer.iut_ufrag, peer.iut_pwd = media(answer).ufrag, media(answer).pwd
    nominate(network, agent, peer, end)
    assert len(agent.connects) == attempts
    assert end.requests()[-1].username.startswith("new1:")
    network.run(5)
    assert end.other.open
    assert own in network.listeners
    assert len(network.listeners) == 2, "ours and this one: everything else has been freed"


def test_where_the_peer_states_no_so_candidate_there_another_connection_is_made():
    network = Network()
    agent, peer, end = scripted(network, "agent")
    peer.ufrag, peer.pwd = "new1", "n" * 24
    ear = network.listen()
    agent.tell("accept", "offer", peer.description(Peer.passive(ear.address), setup="actpass"))
    answer = media(agent.describe())
    peer.iut_ufrag, peer.iut_pwd = answer.ufrag, answer.pwd
    assert network.run(1, lambda: ear.ends)
    nominate(network, agent, peer, ear.ends[0])
    assert not end.other.open


def test_a_lost_connection_is_no_candidate():
    network = Network()
    agent, peer, end = scripted(network, "agent")
    own = end.other.address
    end.close()
    network.run(0.1)
    peer.ufrag, peer.pwd = "new1", "n" * 24
    agent.tell("accept", "offer", peer.description(Peer.active, setup="actpass"))
    assert own not in [c.endpoint for c in candidates(agent.describe(), "so")]


def test_the_connection_may_end_while_the_restart_goes_on_with_it():
    network = Network()
    agent, peer, end = scripted(network, "peer")
    peer.ufrag, peer.pwd = "new1", "n" * 24
    so = f"7 1 TCP 2120220671 {end.address.ip} {end.address.port} typ host tcptype so"
    agent.tell("accept", "offer", peer.description(so, Peer.active, setup="actpass"))
    answer = media(agent.describe())
    peer.iut_ufrag, peer.iut_pwd = answer.ufrag, answer.pwd
    end.close()
    network.run(0.1)
    second = network.dial(next(c.endpoint for c in answer.candidates if c.tcptype == "passive"), ip="10.0.0.9")
    nominate(network, agent, peer, second)


def test_a_check_on_a_candidate_of_before_the_restart_is_answered_and_makes_no_pair():
    network = Network()
    agent, peer, end = scripted(network, "peer")
    former = end.other.address
    peer.ufrag, peer.pwd = "new1", "n" * 24
    agent.tell("accept", "offer", peer.description(Peer.active, setup="actpass"))
    answer = media(agent.describe())
    peer.iut_ufrag, peer.iut_pwd = answer.ufrag, answer.pwd
    late = network.dial(former, ip="10.0.0.9")
    assert late.ask(peer.check(controlling=True)).is_success
    plain = network.host(offerer=True)
    first = media(plain.describe())
    someone = Peer(first.ufrag, first.pwd)
    plain.tell("accept", "answer", someone.description(Peer.active))
    plain.tell("restart")
    second = media(plain.describe())
    again = Peer(second.ufrag, second.pwd)
    plain.tell("accept", "answer", again.description(Peer.active))
    stale = network.dial(next(c.endpoint for c in first.candidates if c.tcptype == "passive"), ip="10.0.0.9")
    assert stale.ask(again.check()).is_success
    assert not plain.agent._streams[0].checks.pairs


@pytest.mark.parametrize(("ours", "theirs"), [(ACTIVE_SO, PASSIVE_SO), (PASSIVE_SO, ACTIVE_SO), (SO, SO)])
def test_over_real_sockets_a_port_listens_beside_its_connection(ours, theirs):
    async def run():
        a = Session(Config(offerer=True, addresses=("127.0.0.1",), tcptypes=ours), lambda _: None)
        b = Session(Config(offerer=False, addresses=("127.0.0.1",), tcptypes=theirs), lambda _: None)
        try:
            for _ in range(2):
                _, offer = await a.describe()
                b.accept("offer", offer)
                _, answer = await b.describe()
                a.accept("answer", answer)
                async with asyncio.timeout(30):
                    while {a.agent.state, b.agent.state} != {State.COMPLETED}:
                        await asyncio.sleep(0.01)
                selected = [session.agent._streams[0].selected[1] for session in (a, b)]
                a.restart()
            _, offer = await a.describe()
            (so,) = candidates(offer, "so")
            assert so.endpoint == selected[0].local
            with socket.create_connection((so.address, so.port), timeout=5):
                return so.endpoint
        finally:
            a.close()
            b.close()

    assert isinstance(asyncio.run(run()), Address)

"""The agent and its TURN server: what goes through a relay, what is kept alive, and what is given back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from server_scripts import REFLECTING, RELAYING, STUN, candidates, gather, only
from server_simulation import USER, Server

from conformance.agent.allocation import Allocation
from conformance.agent.config import Config
from conformance.agent.decisions import Decisions
from conformance.agent.events import State
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.stun import Message, MessageClass, Method, build

# -- through a relay -------------------------------------------------------------------------------------------


def exchange(offerer, answerer, *, offered="typ", answered="typ"):
    gather(offerer)
    answerer.tell("accept", "offer", only(offerer.describe(), offered))
    gather(answerer)
    offerer.tell("accept", "answer", only(answerer.agent._exchange.described, answered))


def completed(network, *hosts):
    return network.run(8, lambda: all(host.agent.state is State.COMPLETED for host in hosts))


def pair(network, **more):
    both = {"offerer": {}, "answerer": {"servers": (RELAYING,)}} | more
    return (
        network.host(offerer=True, **both["offerer"]),
        network.host(offerer=False, addresses=["10.0.0.2"], **both["answerer"]),
    )


def speak(network, a, b):
    a.tell("send", 1, b"from a" * 100)
    b.tell("send", 1, b"from b" * 100)
    network.run(1)
    assert b"".join(b.data[0, 1]) == b"from a" * 100
    assert b"".join(a.data[0, 1]) == b"from b" * 100


@pytest.mark.parametrize("cut", ["whole", "octets"])
def test_a_peer_connects_to_the_relayed_address(network, cut):
    if cut == "octets":
        network.cut = lambda octets: [octets[i : i + 1] for i in range(len(octets))]
    server = Server(network)
    a, b = pair(network)
    exchange(a, b, offered="tcptype active", answered="typ relay")
    assert completed(network, a, b)
    assert b.selected[0, 1][0].type == "relay"
    (data,) = server.named(Method.CONNECTION_BIND)
    assert data.client.port != server.clients[0].client.port
    assert data.asked[0].username == USER, "the control connection's credentials"
    speak(network, a, b)


def test_the_agent_connects_from_the_relayed_address(network):
    """Its own connections do not reach the peer's candidate, those of the relay do."""
    server = Server(network)
    a, b = pair(network, offerer={"servers": (RELAYING,)}, answerer={})
    far, passive = Address("10.0.0.99", 1), None
    exchange_with(network, a, b, far)
    (control,) = server.named(Method.CONNECT)
    (request,) = [m for m in control.asked if m.method == Method.CONNECT]
    passive = request.xor_peer_address
    assert passive.ip == "10.0.0.2"
    assert completed(network, a, b)
    assert b.selected[0, 1][1].endpoint == server.allocations[0].address
    speak(network, a, b)


def exchange_with(network, a, b, far):
    """Exchange descriptions where `a` itself never gets an answer from the peer's passive candidate."""
    gather(a)
    b.tell("accept", "offer", only(a.describe(), "tcptype active"))
    gather(b)
    (passive,) = [c for c in candidates(b.agent._exchange.described) if c.tcptype == "passive"]
    connect = network.connect
    network.connect = lambda end, target, host=None: (
        None if host is a and target == passive.endpoint else connect(end, target, host)
    )
    a.tell("accept", "answer", b.agent._exchange.described)
    network.run(1)


def test_a_relay_that_cannot_connect_fails_the_pair(network):
    server = Server(network)
    server.refusals = {Method.CONNECT: 447}
    a, b = pair(network, offerer={"servers": (RELAYING,), "failure_patience": 2.0}, answerer={})
    exchange_with(network, a, b, None)
    network.run(60)
    assert a.agent.state is State.FAILED
    assert len([m for m in server.clients[0].asked if m.method == Method.CONNECT]) == 1, "once within 10 s"


def test_a_data_connection_that_is_refused_fails_the_pair(network):
    server = Server(network)
    server.refusals = {Method.CONNECTION_BIND: 400}
    a, b = pair(network, offerer={"servers": (RELAYING,), "failure_patience": 2.0}, answerer={})
    exchange_with(network, a, b, None)
    network.run(60)
    assert a.agent.state is State.FAILED
    assert all(client.ended for client in server.named(Method.CONNECTION_BIND))


def test_permissions_are_for_the_peers_addresses(network):
    server = Server(network)
    a, b = pair(network)
    exchange(a, b)
    network.run(0.2)
    assert server.allocations[0].permitted == {"10.0.0.1"}


def test_an_answer_waits_for_permissions(network):
    server = Server(network)
    a, b = pair(network)
    b.tell("accept", "offer", a.describe())
    gather(b)
    assert server.allocations[0].permitted == {"10.0.0.1"}


def test_permissions_that_are_not_granted_hold_up_an_answer_for_a_while(network):
    server = Server(network)
    server.silent = {Method.CREATE_PERMISSION}
    a, b = pair(network)
    b.tell("accept", "offer", a.describe())
    began = network.now
    gather(b)
    assert network.now - began == pytest.approx(b.agent.config.gathering_timeout)


def test_what_lasts_is_refreshed(network):
    server = Server(network, lifetime=200)
    a, b = pair(network)
    exchange(a, b, offered="tcptype active", answered="typ relay")
    assert completed(network, a, b)
    control = server.clients[0]
    control.asked.clear()
    server.nonce = "nonce2"
    network.run(1000)
    methods = control.methods()
    assert methods.count(Method.REFRESH) == pytest.approx(1000 / 140, abs=2)
    assert methods.count(Method.CREATE_PERMISSION) == pytest.approx(1000 / 240, abs=1)
    assert b.agent.state is State.COMPLETED


def test_an_allocation_that_cannot_be_refreshed_is_gone(network):
    server = Server(network, lifetime=200)
    a, b = pair(network)
    exchange(a, b, offered="tcptype active", answered="typ relay")
    assert completed(network, a, b)
    server.refusals = {Method.REFRESH: 437}
    network.run(200)
    assert server.clients[0].ended


# -- ends ------------------------------------------------------------------------------------------------------


def test_what_is_not_needed_is_given_back_on_completion(network):
    turn, stun = Server(network), Server(network, STUN, relays=False, mapped="192.0.2.7")
    a, b = pair(network, answerer={"servers": (RELAYING, REFLECTING)})
    exchange(a, b)
    assert not any(client.ended for client in turn.clients + stun.clients)
    assert completed(network, a, b)
    assert b.selected[0, 1][0].related_address == "10.0.0.2", "its own active candidate, or what comes of it"
    network.run(1)
    assert all(client.ended for client in turn.clients + stun.clients)
    assert turn.clients[0].asked[-1].lifetime == 0


def test_the_allocation_in_use_is_kept_until_the_session_ends(network):
    turn, stun = Server(network), Server(network, STUN, relays=False, mapped="192.0.2.7")
    a, b = pair(network, answerer={"servers": (RELAYING, REFLECTING)})
    exchange(a, b, offered="tcptype active", answered="typ relay")
    assert completed(network, a, b)
    network.run(30)
    assert all(client.ended for client in stun.clients)
    assert not any(client.ended for client in turn.clients)
    b.agent.close()
    b.carry_out()
    network.run(1)
    assert turn.clients[0].asked[-1].lifetime == 0
    assert all(client.ended for client in turn.clients)
    assert not b.open_ends


def restart(network, a, b):
    """Let `b` restart."""
    gather(b)
    a.tell("accept", "offer", b.describe())
    gather(a)
    b.tell("accept", "answer", a.agent._exchange.described)


def test_a_lost_turn_connection_is_replaced_by_a_restart(network):
    server = Server(network)
    a, b = pair(network)
    exchange(a, b, offered="tcptype active", answered="typ relay")
    assert completed(network, a, b)
    lost, before = server.allocations[0].address, b.agent._streams[0].ufrag
    server.clients[0].close()
    network.run(1)
    restart(network, a, b)
    assert b.agent._streams[0].ufrag != before
    assert len(server.allocations) == 2
    offered = [c.endpoint for c in candidates(b.agent._exchange.described)]
    assert lost not in offered
    assert server.allocations[1].address in offered
    network.run(2)
    assert completed(network, a, b)


def test_a_restart_keeps_the_allocation_in_use_until_it_has_another(network):
    server = Server(network)
    a, b = pair(network)
    exchange(a, b, offered="tcptype active", answered="typ relay")
    assert completed(network, a, b)
    (old,) = server.named(Method.ALLOCATE)
    b.tell("restart")
    gather(b)
    assert not old.ended
    (relayed,) = [c for c in candidates(b.describe()) if (c.type, c.tcptype) == ("relay", "passive")]
    assert relayed.endpoint == server.allocations[1].address
    restart(network, a, b)
    network.run(2)
    assert completed(network, a, b)
    network.run(1)
    assert old.ended, "the selected pair does without a relay now"


def test_a_session_that_ends_while_it_gathers(network):
    server = Server(network)
    host = network.host(offerer=True, servers=(RELAYING, REFLECTING))
    host.tell("gather")
    network.run(0.02)
    host.agent.close()
    host.carry_out()
    network.run(5)
    assert not host.open_ends
    assert server.clients[0].ended


def test_a_server_that_stops_before_completion(network):
    server = Server(network)
    a, b = pair(network)
    exchange(a, b, offered="tcptype active", answered="typ host")
    server.stop()
    assert completed(network, a, b)
    assert not b.agent._servers._allocations


def test_strange_indications_are_ignored(network):
    server = Server(network)
    host = network.host(offerer=True, servers=(RELAYING,))
    gather(host)
    attempt = Method.CONNECTION_ATTEMPT
    peer = attr.xor_address(Attribute.XOR_PEER_ADDRESS, Address("10.0.0.9", 1), b"x" * 12)
    identifier = attr.connection_id(1)
    broken = [attr.RawAttribute(Attribute.CONNECTION_ID, b"1"), attr.RawAttribute(Attribute.XOR_PEER_ADDRESS, b"1")]
    for method, body in [
        (attempt, []),
        (attempt, [peer]),
        (attempt, [identifier]),
        (attempt, broken),
        (attempt, [identifier, broken[1]]),
        (Method.DATA, [peer, identifier]),
    ]:
        server.clients[0].send(build(method, MessageClass.INDICATION, b"x" * 12, body))
    server.clients[0].send(build(Method.BINDING, MessageClass.REQUEST, b"y" * 12))
    server.clients[0].send(build(Method.REFRESH, MessageClass.SUCCESS, b"z" * 12))
    network.run(1)
    assert len(server.clients) == 1
    assert not server.clients[0].ended


def test_an_allocation_of_both_families_has_candidates_of_each():
    """The relayed address of a peer's own family is the one that it meets, and only known families are permitted."""
    relayed = Address("192.0.2.1", 50000), Address("2001:db8::1", 50000)
    identifier = bytes(12)
    told = [attr.xor_address(Attribute.XOR_RELAYED_ADDRESS, each, identifier) for each in relayed]
    answer = Message.decode(build(Method.ALLOCATE, MessageClass.SUCCESS, identifier, told))
    asked = []
    dialogue = SimpleNamespace(local=Address("10.0.0.1", 1), ask=lambda question, now: asked.append(question))
    allocation = Allocation(dialogue, Decisions(Config(offerer=True)), 1, 6, answer, [], 0.0)
    assert [(base.ip, base.tcptype, base.port) for base in allocation.bases] == [
        ("192.0.2.1", "passive", 50000),
        ("192.0.2.1", "active", 0),
        ("2001:db8::1", "passive", 50000),
        ("2001:db8::1", "active", 0),
    ]
    assert [allocation.relayed_for(Address(ip, 9)) for ip in ("198.51.100.1", "2001:db8::9")] == list(relayed)
    allocation.permit({"198.51.100.1", "2001:db8::9"}, 0.0)
    assert {peer.ip for peer in asked[0].peers} == {"198.51.100.1", "2001:db8::9"}


@pytest.mark.parametrize(("addresses", "wanted"), [(["10.0.0.1"], True), (["10.0.0.1", "fd00::1"], False)])
def test_a_relayed_ipv6_address_is_asked_for_where_there_is_no_other(network, addresses, wanted):
    server = Server(network)
    gather(network.host(offerer=True, addresses=addresses, servers=(RELAYING,)))
    requests = [m for control in server.named(Method.ALLOCATE) for m in control.asked if m.method == Method.ALLOCATE]
    assert requests
    assert {m.has(Attribute.ADDITIONAL_ADDRESS_FAMILY) for m in requests} == {wanted}

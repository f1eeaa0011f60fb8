"""The agent and its STUN and TURN servers: what it asks when, what it makes of answers, and what it gives back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from agent_simulation import Network
from server_simulation import PASSWORD, TURN, USER, Server

from conformance.agent import serverurl
from conformance.agent.config import IceServer, Media, StreamPlan
from conformance.agent.events import State
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import MessageClass, Method, build

STUN = Address("10.0.0.51", 3478)
RELAYING = IceServer(TURN, True, USER, PASSWORD)
REFLECTING = IceServer(STUN)


@pytest.fixture
def network():
    return Network()


def gather(host, within=10.0):
    """Let a host gather; return its candidates."""
    host.tell("gather")
    assert host.network.run(within, lambda: host.agent.gathered)
    return candidates(host.describe())


def candidates(sdp):
    return SessionDescription.parse(sdp).media[0].candidates


def kinds(found):
    return sorted((c.type, c.tcptype) for c in found)


def only(sdp, wanted):
    lines = sdp.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("a=candidate") or wanted in line)


HOST = [("host", "active"), ("host", "passive")]
RELAY = [("relay", "active"), ("relay", "passive")]
REFLEXIVE = [("srflx", "active"), ("srflx", "passive")]


# -- candidates ------------------------------------------------------------------------------------------------


def test_reflexive_candidates_come_from_the_passive_port(network):
    server = Server(network, STUN, relays=False, mapped="192.0.2.7")
    found = gather(network.host(offerer=True, servers=(REFLECTING,)))
    assert kinds(found) == HOST + REFLEXIVE
    by = {(c.type, c.tcptype): c for c in found}
    passive, active, host = by["srflx", "passive"], by["srflx", "active"], by["host", "passive"]
    assert [client.client for client in server.clients] == [host.endpoint]
    assert passive.endpoint == Address("192.0.2.7", host.port + 1000)
    assert (passive.related_address, passive.related_port) == (host.address, host.port)
    assert (active.address, active.port, active.related_port) == ("192.0.2.7", 9, 9)
    assert [(c.type_preference, c.direction_preference, c.other_preference) for c in (passive, active)] == [
        (100, 2, 8191),
        (100, 4, 8191),
    ]
    assert len({c.foundation for c in found}) == 2, "of a type, base and server"


def test_what_the_server_sees_unchanged_is_no_candidate_of_its_own(network):
    Server(network, STUN, relays=False)
    assert kinds(gather(network.host(offerer=True, servers=(REFLECTING,)))) == HOST


def test_an_active_agent_asks_from_any_port(network):
    server = Server(network, STUN, relays=False, mapped="192.0.2.7")
    host = network.host(offerer=True, servers=(REFLECTING,), tcptypes=frozenset({"active"}))
    assert kinds(gather(host)) == [("host", "active"), ("srflx", "active")]
    assert len(server.clients) == 1


def test_relayed_candidates(network):
    server = Server(network)
    found = gather(network.host(offerer=True, servers=(RELAYING,)))
    assert kinds(found) == HOST + RELAY
    by = {(c.type, c.tcptype): c for c in found}
    passive, active = by["relay", "passive"], by["relay", "active"]
    assert passive.endpoint == server.allocations[0].address
    assert (active.address, active.port) == (passive.address, 9)
    assert (passive.related_address, passive.related_port) == ("10.0.0.1", by["host", "passive"].port)
    assert [(c.type_preference, c.direction_preference) for c in (passive, active)] == [(0, 4), (0, 6)]
    (control,) = server.clients
    assert control.methods() == [Method.ALLOCATE, Method.ALLOCATE]
    assert control.asked[0].username is None, "the first request goes without credentials"
    assert control.asked[1].first(Attribute.REQUESTED_TRANSPORT).value == b"\6\0\0\0"


def test_a_turn_server_shows_the_reflexive_address_too(network):
    Server(network, mapped="192.0.2.7")
    found = gather(network.host(offerer=True, servers=(IceServer(TURN), RELAYING)))
    assert kinds(found) == HOST + RELAY + REFLEXIVE


def test_a_turn_server_shows_the_reflexive_addresses_of_all_listening_ports(network):
    server = Server(network, mapped="192.0.2.7")
    so = frozenset({"active", "passive", "so"})
    found = gather(network.host(offerer=True, servers=(RELAYING,), tcptypes=so))
    reflexive = {c.tcptype: c for c in found if c.type == "srflx"}
    assert sorted(reflexive) == ["active", "passive", "so"]
    hosts = {c.tcptype: c.port for c in found if c.type == "host"}
    assert all(reflexive[kind].related_port == hosts[kind] for kind in ("passive", "so"))
    assert sum(Method.ALLOCATE in client.methods() for client in server.clients) == 1
    assert [c.type for c in found].count("relay") == 2


def test_each_component_and_address_has_candidates_of_its_own(network):
    server = Server(network, mapped="192.0.2.7")
    streams = (StreamPlan(Media.RTP, 2),)
    addresses = ["10.0.0.1", "10.0.0.3", "2001:db8::1"]
    found = gather(network.host(offerer=True, servers=(RELAYING,), streams=streams, addresses=addresses))
    assert len(server.allocations) == 4, "the server's family only"
    assert [c.component for c in found if (c.type, c.tcptype) == ("relay", "passive")] == [1, 1, 2, 2]
    assert len({(c.component, c.priority) for c in found}) == len(found)


def test_udp_is_asked_for_over_a_connection_of_its_own(network):
    server = Server(network)
    streams = (StreamPlan(Media.RTP),)
    addresses = ["10.0.0.1", "10.0.0.3"]
    host = network.host(offerer=True, servers=(RELAYING,), streams=streams, udp=True, addresses=addresses)
    found = gather(host)
    relayed = [c for c in found if c.type == "relay"]
    assert sorted((c.transport, c.tcptype or "") for c in relayed) == sorted(
        [("TCP", "active"), ("TCP", "passive"), ("UDP", "")] * 2
    )
    asked = [client.asked[-1].first(Attribute.REQUESTED_TRANSPORT).value[0] for client in server.clients]
    assert sorted(asked) == [6, 6, 17, 17]
    assert len({c.priority for c in found}) == len(found)
    udp, tcp = ([c.priority for c in relayed if c.is_tcp is over_tcp] for over_tcp in (False, True))
    assert min(udp) > max(tcp), "UDP is preferred"


def test_a_lite_agent_asks_no_server(network):
    server = Server(network)
    assert {c.type for c in gather(network.host(offerer=True, servers=(RELAYING,), lite=True))} == {"host"}
    assert not server.clients


def test_transactions_are_paced(network):
    times = []
    server = Server(network)
    answer = server.asked
    server.asked = lambda client, octets: (times.append(network.now), answer(client, octets))
    Server(network, STUN, relays=False)
    gather(network.host(offerer=True, servers=(RELAYING, REFLECTING), addresses=["10.0.0.1", "10.0.0.2"]))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 4
    assert min(gaps) >= 0.05 - 1e-9


# -- servers that fail -----------------------------------------------------------------------------------------


def test_a_server_that_refuses_connections(network):
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=1)) == HOST


def test_a_server_that_never_answers(network):
    server = Server(network)
    server.silent = {Method.ALLOCATE}
    host = network.host(offerer=True, servers=(RELAYING,))
    began = network.now
    assert kinds(gather(host)) == HOST
    assert network.now - began == pytest.approx(host.agent.config.gathering_timeout)


def test_an_address_that_never_answers(network):
    network.silent.add(TURN)
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)))) == HOST


@pytest.mark.parametrize("code", [400, 403, 437, 486, 508])
def test_a_server_that_refuses(network, code):
    server = Server(network)
    server.refusals = {Method.ALLOCATE: code}
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=1)) == HOST
    network.run(1)
    assert server.clients[0].ended


def test_a_server_that_refuses_again_and_again(network):
    server = Server(network)
    server.refusals = {Method.ALLOCATE: 438}
    numbers = iter(range(100))
    login = server.asked
    server.asked = lambda *a: (setattr(server, "nonce", f"n{next(numbers)}"), login(*a))
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=3)) == HOST
    assert len(server.clients[0].asked) == 4


def test_wrong_credentials_are_not_tried_twice(network):
    server = Server(network)
    wrong = IceServer(TURN, True, USER, "wrong")
    assert kinds(gather(network.host(offerer=True, servers=(wrong,)), within=1)) == HOST
    assert len(server.clients[0].asked) == 2


def test_an_answer_that_is_not_the_servers_is_not_believed(network):
    server = Server(network)
    server.key = b"somebody else's"
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=1)) == HOST


def test_an_allocation_without_a_relayed_address(network):
    server = Server(network)
    server._allocate = server._refresh
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=1)) == HOST


def test_a_server_that_speaks_something_else(network):
    server = Server(network)
    server.asked = lambda client, octets: client.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=1)) == HOST
    network.run(1)
    assert server.clients[0].ended


def test_an_allocation_that_comes_too_late_is_given_back(network):
    server = Server(network)
    host = network.host(offerer=True, servers=(RELAYING,))
    host.tell("gather")
    network.run(0.02)
    asked, server.asked = server.asked, lambda *a: network.after(6, lambda: asked(*a))
    assert network.run(10, lambda: host.agent.gathered)
    assert kinds(candidates(host.describe())) == HOST
    network.run(20)
    assert server.clients[0].asked[-1].lifetime == 0
    assert server.clients[0].ended


# -- through a relay -------------------------------------------------------------------------------------------


def exchange(offerer, answerer, *, offered="typ", answered="typ"):
    gather(offerer)
    answerer.tell("accept", "offer", only(offerer.describe(), offered))
    gather(answerer)
    offerer.tell("accept", "answer", only(answerer.describe(), answered))


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
    (passive,) = [c for c in candidates(b.describe()) if c.tcptype == "passive"]
    connect = network.connect
    network.connect = lambda end, target, host=None: (
        None if host is a and target == passive.endpoint else connect(end, target, host)
    )
    a.tell("accept", "answer", b.describe())
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
    b.tell("accept", "answer", a.describe())


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
    offered = [c.endpoint for c in candidates(b.agent._described)]
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


# -- URIs ------------------------------------------------------------------------------------------------------


def test_uris():
    assert serverurl.read({"url": "stun:192.0.2.1"}) == IceServer(Address("192.0.2.1", 3478))
    assert serverurl.read({"url": "stun:[2001:db8::1]:99"}) == IceServer(Address("2001:db8::1", 99))
    entry = {"url": "turn:192.0.2.1:5?transport=tcp", "username": "u", "credential": "c"}
    assert serverurl.read(entry) == IceServer(Address("192.0.2.1", 5), True, "u", "c")
    assert str(serverurl.read(entry)) == "turn:192.0.2.1:5"

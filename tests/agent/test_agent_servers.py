"""The agent and its STUN and TURN servers: what it asks when, and what it makes of answers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from server_scripts import HOST, REFLECTING, REFLEXIVE, RELAY, RELAYING, STUN, candidates, gather, kinds
from server_simulation import TURN, USER, Server

from conformance.agent import serverurl
from conformance.agent.config import IceServer, Media, StreamPlan
from conformance.wire.attributes import Address, Attribute
from conformance.wire.stun import Method

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


@pytest.mark.parametrize("code", [400, 403, 437])
def test_a_server_that_refuses(network, code):
    server = Server(network)
    server.refusals = {Method.ALLOCATE: code}
    assert kinds(gather(network.host(offerer=True, servers=(RELAYING,)), within=1)) == HOST
    network.run(1)
    assert server.clients[0].ended


@pytest.mark.parametrize("code", [486, 508])
def test_a_server_that_lacks_the_means_to_allocate_is_asked_where_it_sees_us(network, code):
    server = Server(network)
    server.refusals = {Method.ALLOCATE: code}
    gather(network.host(offerer=True, servers=(RELAYING,)), within=1)
    methods = [message.method for message in server.clients[0].asked]
    assert methods == [Method.ALLOCATE, Method.BINDING]


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


# -- URIs ------------------------------------------------------------------------------------------------------


def test_uris():
    assert serverurl.read({"url": "stun:192.0.2.1"}) == IceServer(Address("192.0.2.1", 3478))
    assert serverurl.read({"url": "stun:[2001:db8::1]:99"}) == IceServer(Address("2001:db8::1", 99))
    entry = {"url": "turn:192.0.2.1:5?transport=tcp", "username": "u", "credential": "c"}
    assert serverurl.read(entry) == IceServer(Address("192.0.2.1", 5), True, "u", "c")
    assert str(serverurl.read(entry)) == "turn:192.0.2.1:5"

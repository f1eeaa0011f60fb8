"""The agent and NAT gateways: what it asks by PCP and NAT-PMP, when again, and what it makes of answers."""

from __future__ import annotations

import pytest
from server_scripts import HOST, REFLECTING, REFLEXIVE, STUN, candidates, gather, kinds
from server_simulation import Server

from conformance.agent.config import StreamPlan
from conformance.agent.events import AgentError, State
from conformance.agent.variation import Variation
from conformance.wire import natpmp, pcp
from conformance.wire.attributes import Address

GATEWAY = Address("10.0.0.254", 5351)
OUTSIDE = "192.0.2.7"


class Gateway:
    """Answers as a NAT does; `speaks` may be changed, `answer` replaced. ``mapped``: external ports by internal ones."""

    def __init__(self, network, *speaks, address=GATEWAY, lifetime=3600):
        self.network, self.speaks, self.lifetime, self.address = network, speaks, lifetime, address
        self.asked, self.mapped, self.ended, self.result = [], {}, [], 0
        self.external = OUTSIDE
        network.sockets[address] = self

    def receive(self, source, octets):
        self.asked.append((self.network.now, source, octets))
        for answer in self.answer(source, octets):
            self.network.datagram(self.address, source, answer)

    def answer(self, source, octets):
        if octets[0] == natpmp.VERSION and "natpmp" in self.speaks:
            yield self._natpmp(natpmp.decode_request(octets))
        elif octets[0] == pcp.VERSION and "pcp" in self.speaks:
            yield self._pcp(pcp.decode_request(octets))
        elif "natpmp" in self.speaks:
            yield natpmp.Refusal(octets[1], natpmp.Result.UNSUPPORTED_VERSION, 1).encode()
        elif "pcp" in self.speaks:
            yield pcp.Response(octets[1], pcp.Result.UNSUPP_VERSION, 0, 1).encode()

    def _map(self, internal, lifetime):
        if not lifetime:
            self.ended.append(internal)
        elif not self.result:
            self.mapped[internal] = internal + 1000

    def _natpmp(self, request):
        if isinstance(request, natpmp.AddressRequest):
            return natpmp.AddressResponse(self.result, 1, self.external).encode()
        self._map(request.internal_port, request.lifetime)
        port = self.mapped.get(request.internal_port, 0)
        return natpmp.MapResponse(
            request.opcode, self.result, 1, request.internal_port, port, min(self.lifetime, request.lifetime)
        ).encode()

    def _pcp(self, request):
        wanted = pcp.decode_map(request.data)
        self._map(wanted.internal_port, request.lifetime)
        port = self.mapped.get(wanted.internal_port, 0)
        made = pcp.Map(wanted.nonce, wanted.internal_port, Address(self.external, port), wanted.protocol)
        lifetime = min(self.lifetime, request.lifetime)
        return pcp.Response(request.opcode, self.result, lifetime, 1, made.encode()).encode()

    @property
    def versions(self):
        return [octets[0] for _, _, octets in self.asked]


def assisted(network, **more):
    return network.host(offerer=True, gateways=(GATEWAY,), **more)


# -- candidates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["pcp", "natpmp"])
def test_candidates_are_at_the_mapping(network, protocol):
    gateway = Gateway(network, protocol)
    found = gather(assisted(network))
    assert kinds(found) == HOST + REFLEXIVE
    by = {(c.type, c.tcptype): c for c in found}
    passive, active, host = by["srflx", "passive"], by["srflx", "active"], by["host", "passive"]
    assert gateway.mapped == {host.port: passive.port}
    assert (passive.address, passive.related_address, passive.related_port) == (OUTSIDE, host.address, host.port)
    assert (active.address, active.port, active.related_port) == (OUTSIDE, 9, 9)
    assert [(c.type_preference, c.direction_preference, c.other_preference) for c in (passive, active)] == [
        (105, 2, 8191),
        (105, 4, 8191),
    ]


def test_the_gateway_is_told_the_clients_address_and_a_nonce(network):
    gateway = Gateway(network, "pcp")
    gather(assisted(network, addresses=("10.0.0.1", "10.0.0.2")))
    requests = [pcp.decode_request(octets) for _, _, octets in gateway.asked]
    assert {request.client_ip for request in requests} == {"10.0.0.1", "10.0.0.2"}
    assert [source.ip for _, source, _ in gateway.asked] == [request.client_ip for request in requests]
    nonces = {pcp.decode_map(request.data).nonce for request in requests}
    assert len(nonces) == len(requests) == 2


def test_pcp_goes_first_and_natpmp_where_it_is_refused(network):
    gateway = Gateway(network, "natpmp")
    gather(assisted(network))
    assert gateway.versions == [2, 0, 0]


def test_natpmp_may_go_first(network):
    gateway = Gateway(network, "pcp")
    found = gather(assisted(network, variation=Variation(natpmp_first=True)))
    assert (kinds(found), gateway.versions) == (HOST + REFLEXIVE, [0, 2])


def test_a_gateway_that_is_silent_to_pcp_is_asked_by_natpmp(network):
    gateway = Gateway(network, "natpmp")
    lawful = gateway.answer
    gateway.answer = lambda source, octets: [] if octets[0] == pcp.VERSION else lawful(source, octets)
    assert kinds(gather(assisted(network))) == HOST + REFLEXIVE


def test_gateway_and_server_that_tell_the_same_make_one_candidate(network):
    Gateway(network, "pcp")
    Server(network, STUN, relays=False, mapped=OUTSIDE)
    found = gather(assisted(network, servers=(REFLECTING,)))
    assert kinds(found) == HOST + REFLEXIVE
    assert {c.type_preference for c in found if c.type == "srflx"} == {105}


def test_every_listening_base_has_a_mapping(network):
    gateway = Gateway(network, "pcp")
    every = frozenset({"active", "passive", "so"})
    found = gather(assisted(network, tcptypes=every, streams=(StreamPlan(components=2),)))
    listening = {c.port for c in found if c.type == "host" and c.tcptype != "active"}
    assert (set(gateway.mapped), len(listening)) == (listening, 4)


def test_ipv6_is_asked_for_by_pcp_alone(network):
    gateway = Gateway(network, "natpmp", address=Address("fd00::254", 5351))
    host = network.host(offerer=True, addresses=("fd00::1", "10.0.0.1"), gateways=(gateway.address,))
    found = gather(host)
    assert gateway.versions == [2]
    assert {c.type for c in found} == {"host"}


def test_a_lite_agent_asks_no_gateway(network):
    gateway = Gateway(network, "pcp")
    assert kinds(gather(assisted(network, lite=True))) == [("host", "passive")]
    assert gateway.asked == []


def test_mappings_that_come_late_are_trickled(network):
    gateway = Gateway(network, "pcp")
    host = assisted(network)
    host.describe_at_once()
    network.run(1)
    told = "".join(f"{candidate}\n" for _, candidate in host.trickled)
    assert f"{OUTSIDE} {next(iter(gateway.mapped.values()))} typ srflx" in told


# -- failures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["pcp", "natpmp"])
def test_a_refusal_leaves_host_candidates(network, protocol):
    Gateway(network, protocol).result = 2
    host = assisted(network)
    began = network.now
    assert kinds(gather(host)) == HOST
    assert network.now - began < 1


def test_a_mapping_that_natpmp_refuses_leaves_host_candidates(network):
    gateway = Gateway(network, "natpmp")

    def answer(source, octets):
        gateway.result = 0 if octets[1] == natpmp.Opcode.ADDRESS else 4
        return [gateway._natpmp(natpmp.decode_request(octets))]

    gateway.answer = answer
    assert kinds(gather(assisted(network, variation=Variation(natpmp_first=True)))) == HOST


def test_a_silent_gateway_is_not_waited_for_longer_than_servers(network):
    gateway = Gateway(network)
    host = assisted(network, gathering_timeout=5.0)
    began = network.now
    assert kinds(gather(host)) == HOST
    assert network.now - began == pytest.approx(5.0, abs=0.1)
    times = [at - began for at, _, octets in gateway.asked if octets[0] == natpmp.VERSION]
    assert [round(later - times[0], 2) for later in times] == [0, 0.25, 0.75, 1.75, 3.75]
    asked = len(gateway.asked)
    network.run(60)
    assert len(gateway.asked) == asked, "it is left alone afterwards"


def test_a_gateway_of_neither_protocol_is_left(network):
    gateway = Gateway(network)
    gateway.answer = lambda source, octets: [bytes([7]) + bytes(23)]
    host = assisted(network)
    assert kinds(gather(host)) == HOST


NOISE = [
    b"",
    b"\2\x81",
    pcp.Response(pcp.Opcode.ANNOUNCE, 0, 0, 1).encode(),
    pcp.Response(pcp.Opcode.MAP, 0, 60, 1, pcp.Map(bytes(12), 1, Address(OUTSIDE, 7)).encode()).encode(),
    pcp.Response(pcp.Opcode.PEER, 0, 60, 1, pcp.Map(bytes(12), 1, Address(OUTSIDE, 7)).encode()).encode(),
]
NATPMP_NOISE = [
    b"\0\x82",
    natpmp.MapResponse(natpmp.Opcode.MAP_TCP, 0, 1, 7, 7, 60).encode(),
    natpmp.MapResponse(natpmp.Opcode.MAP_UDP, 0, 1, 10000, 7, 60).encode(),
    natpmp.AddressResponse(0, 1, OUTSIDE).encode(),
]


@pytest.mark.parametrize("noise", NOISE, ids=range(len(NOISE)))
def test_what_answers_nothing_is_ignored(network, noise):
    gateway = Gateway(network, "pcp")
    lawful = gateway.answer
    gateway.answer = lambda source, octets: [noise, *lawful(source, octets)]
    assert kinds(gather(assisted(network))) == HOST + REFLEXIVE


@pytest.mark.parametrize("noise", NATPMP_NOISE, ids=range(len(NATPMP_NOISE)))
def test_what_answers_nothing_is_ignored_by_natpmp(network, noise):
    gateway = Gateway(network, "natpmp")
    lawful = gateway.answer
    gateway.answer = lambda source, octets: (
        [noise, *lawful(source, octets)] if octets[0] == 0 else lawful(source, octets)
    )
    found = gather(assisted(network))
    assert kinds(found) == HOST + REFLEXIVE
    assert {c.port for c in found if c.type == "srflx"} == {9, *gateway.mapped.values()}


def test_only_the_gateway_is_believed(network):
    Gateway(network)
    host = assisted(network)
    host.tell("gather")
    network.run(0.1)
    number = next(iter(host.agent._mappings._clients))
    answer = natpmp.Refusal(1, natpmp.Result.UNSUPPORTED_VERSION, 1).encode()
    host.tell("datagram", number, Address("10.0.0.66", 5351), answer)
    assert host.agent._mappings._clients[number]._language.__class__.__name__ == "Pcp"


def test_without_a_socket_there_is_no_mapping(network):
    Gateway(network, "pcp")
    host = assisted(network)
    host.agent.gather(network.now)
    (listen,) = host.agent.take()
    host.agent.listening(listen.base, 4000, network.now)
    (bind,) = host.agent.take()
    host.tell("listen_failed", bind.base, "no descriptor")
    assert kinds(candidates(host.describe())) == HOST


# -- how long mappings last ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["pcp", "natpmp"])
def test_a_mapping_is_renewed_at_half_its_life(network, protocol):
    gateway = Gateway(network, protocol, lifetime=100)
    gather(assisted(network))
    before = len(gateway.asked)
    network.run(55)
    assert len(gateway.asked) == before + 1
    assert gateway.asked[-1][2] == gateway.asked[before - 1][2], "the same nonce"


@pytest.mark.parametrize("protocol", ["pcp", "natpmp"])
def test_mappings_end_with_the_session(network, protocol):
    gateway = Gateway(network, protocol)
    host = assisted(network)
    gather(host)
    host.agent.close()
    host.carry_out()
    network.run(1)
    assert gateway.ended == list(gateway.mapped)
    assert GATEWAY in network.sockets
    assert len(network.sockets) == 1, "the socket is gone"


def test_mappings_that_are_not_used_end_with_completion(network):
    gateway = Gateway(network, "pcp")
    left, right = assisted(network), network.host(offerer=False, addresses=("10.0.0.2",))
    connect(network, left, right)
    used = {local.port for local, _ in left.selected.values()}
    assert set(gateway.ended) == set(gateway.mapped) - used


def test_a_restart_asks_for_the_new_ports(network):
    gateway = Gateway(network, "pcp")
    left, right = assisted(network), network.host(offerer=False, addresses=("10.0.0.2",))
    connect(network, left, right)
    before = dict(gateway.mapped)
    left.tell("restart")
    left.tell("gather")
    assert network.run(10, lambda: left.agent.gathered)
    found = candidates(left.tell("describe")[1])
    passive = next(c for c in found if c.type == "host" and c.tcptype == "passive")
    assert passive.port in set(gateway.mapped) - set(before)
    assert [c.port for c in found if c.type == "srflx" and c.tcptype == "passive"] == [gateway.mapped[passive.port]]


def connect(network, left, right):
    left.tell("gather")
    assert network.run(10, lambda: left.agent.gathered)
    right.tell("accept", "offer", left.tell("describe")[1])
    right.tell("gather")
    left.tell("accept", "answer", right.tell("describe")[1])
    assert network.run(30, lambda: State.COMPLETED in left.states and State.COMPLETED in right.states)
    network.run(5)


def test_a_closed_session_asks_nothing_more(network):
    gateway = Gateway(network)
    host = assisted(network)
    host.tell("gather")
    host.agent.close()
    host.carry_out()
    network.run(0.1)
    asked = len(gateway.asked)
    network.run(30)
    assert len(gateway.asked) == asked
    with pytest.raises(AgentError):
        host.describe()

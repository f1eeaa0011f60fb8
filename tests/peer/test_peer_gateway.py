"""The lower tester as a NAT gateway: what it makes of requests by both protocols, and where its mappings lead."""

from __future__ import annotations

import socket

import pytest

from conformance.peer.gateway import EXTERNAL, NAT_PMP, PCP
from conformance.verdict import Failed
from conformance.wire import natpmp, pcp
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate

NONCE = bytes(range(12))
HERE = "127.0.0.1"


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HERE, 0))
        sock.settimeout(5)
        yield sock


@pytest.fixture
def ask(peer, pump, client):
    """Send octets to a gateway; return its answer, None if there is none."""

    def asked(gateway, message):
        before = len(gateway.asked)
        octets = message if isinstance(message, bytes) else message.encode()
        client.sendto(octets, (gateway.address.ip, gateway.address.port))
        assert pump.wait(lambda: len(gateway.asked) > before, 5)
        client.settimeout(0)
        try:
            return client.recv(2000)
        except BlockingIOError:
            return None

    return asked


def wanted(port, lifetime=7200, client=HERE, **more):
    data = pcp.Map(NONCE, port, Address("0.0.0.0", 0), **more).encode()
    return pcp.Request(pcp.Opcode.MAP, lifetime, client, data)


def passive(address):
    return Candidate("1", 1, "TCP", 1, address.ip, address.port, "srflx", HERE, 1, "passive")


def result(octets):
    return pcp.decode_response(octets).result


# -- mappings --------------------------------------------------------------------------------------------------


def test_it_has_the_well_known_port_where_that_is_free(peer):
    first, second = peer.gateway(), peer.gateway()
    assert first.entry == {"address": peer.address, "port": 5351}
    assert second.address.port not in (0, 5351)


def test_a_mapping_by_pcp(peer, ask):
    gateway = peer.gateway()
    response = pcp.decode_response(ask(gateway, wanted(40000)))
    made = pcp.decode_map(response.data)
    assert (response.result, response.lifetime, made.nonce, made.internal_port) == (0, 7200, NONCE, 40000)
    assert gateway.mappings == {Address(HERE, 40000): made.external}
    assert (made.external.ip, gateway.externals) == (EXTERNAL, {made.external})
    (asked,) = gateway.asked
    assert (asked.protocol, asked.internal, asked.result) == (PCP, Address(HERE, 40000), 0)


def test_a_mapping_by_natpmp(peer, ask):
    gateway = peer.gateway()
    assert natpmp.decode_response(ask(gateway, natpmp.AddressRequest())).external_ip == EXTERNAL
    made = natpmp.decode_response(ask(gateway, natpmp.MapRequest(natpmp.Opcode.MAP_TCP, 40000)))
    assert gateway.mappings == {Address(HERE, 40000): Address(EXTERNAL, made.external_port)}
    assert [asked.protocol for asked in gateway.asked] == [NAT_PMP, NAT_PMP]


def test_both_protocols_give_a_port_the_same_mapping_and_two_ports_two(peer, ask):
    gateway = peer.gateway()
    by_pcp = pcp.decode_map(pcp.decode_response(ask(gateway, wanted(40000))).data).external
    by_natpmp = natpmp.decode_response(ask(gateway, natpmp.MapRequest(natpmp.Opcode.MAP_TCP, 40000)))
    other = pcp.decode_map(pcp.decode_response(ask(gateway, wanted(40001))).data).external
    assert by_natpmp.external_port == by_pcp.port != other.port


def test_two_hosts_with_one_port_have_two_mappings(peer):
    gateway = peer.gateway()
    lent = [gateway.translate(Address(f"127.0.0.{n}", 40000)) for n in (1, 2, 3, 1)]
    assert len(set(lent)) == 3
    assert lent[0] == lent[3]


@pytest.mark.parametrize("end", [wanted(40000, 0), natpmp.MapRequest(natpmp.Opcode.MAP_TCP, 40000, lifetime=0)])
def test_a_mapping_ends_with_a_lifetime_of_0(peer, ask, end):
    gateway = peer.gateway()
    ask(gateway, wanted(40000))
    assert ask(gateway, end) is not None
    assert (gateway.mappings, len(gateway.granted)) == ({}, 1)


def test_mappings_of_udp_are_no_mappings_of_tcp(peer, ask):
    gateway = peer.gateway()
    assert result(ask(gateway, wanted(40000, protocol=17))) == 0
    assert natpmp.decode_response(ask(gateway, natpmp.MapRequest(natpmp.Opcode.MAP_UDP, 40000))).external_port
    assert gateway.mappings == {}


# -- refusals --------------------------------------------------------------------------------------------------


def test_it_refuses_the_protocol_that_it_does_not_speak(peer, ask):
    refusal = natpmp.decode_response(ask(peer.gateway(speaks=[NAT_PMP]), wanted(40000)))
    assert refusal == natpmp.Refusal(pcp.Opcode.MAP, natpmp.Result.UNSUPPORTED_VERSION, refusal.epoch)
    assert result(ask(peer.gateway(speaks=[PCP]), natpmp.AddressRequest())) == pcp.Result.UNSUPP_VERSION
    assert result(ask(peer.gateway(speaks=[PCP]), b"\0")) == pcp.Result.UNSUPP_VERSION


def test_it_refuses_mappings_and_makes_none(peer, ask):
    gateway = peer.gateway()
    gateway.refuses = True
    assert result(ask(gateway, wanted(40000))) == pcp.Result.NOT_AUTHORIZED
    refusal = natpmp.decode_response(ask(gateway, natpmp.MapRequest(natpmp.Opcode.MAP_TCP, 40000)))
    assert (refusal.result, refusal.external_port, refusal.lifetime) == (natpmp.Result.NOT_AUTHORIZED, 0, 0)
    assert gateway.granted == {}


def test_what_it_does_not_answer_makes_no_mapping(peer, ask):
    gateway = peer.gateway()
    gateway.answering = False
    assert ask(gateway, wanted(40000)) is None
    assert (gateway.granted, len(gateway.asked)) == ({}, 1)


WRONG = {
    "another client's address": (wanted(40000, client="192.0.2.1"), pcp.Result.ADDRESS_MISMATCH),
    "an option that must be processed": (
        pcp.Request(1, 60, HERE, wanted(40000).data + bytes([2, 0, 0, 0])),
        pcp.Result.UNSUPP_OPTION,
    ),
    "an opcode that it does not know": (pcp.Request(pcp.Opcode.PEER, 60, HERE), pcp.Result.UNSUPP_OPCODE),
    "a MAP that is too short": (pcp.Request(pcp.Opcode.MAP, 60, HERE, bytes(32)), pcp.Result.MALFORMED_REQUEST),
    "an announcement": (pcp.Request(pcp.Opcode.ANNOUNCE, 0, HERE), pcp.Result.SUCCESS),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_says_what_is_wrong_with_a_request(peer, ask, what):
    request, code = WRONG[what]
    gateway = peer.gateway()
    assert (result(ask(gateway, request)), gateway.granted) == (code, {})


def test_an_option_that_may_be_ignored_is(peer, ask):
    request = pcp.Request(1, 60, HERE, wanted(40000).data + bytes([200, 0, 0, 0]))
    assert result(ask(peer.gateway(), request)) == 0


@pytest.mark.parametrize("octets", [b"", b"\7", b"\0\2", b"\0\x82" + bytes(10), b"\2\1"])
def test_what_is_no_request_is_noted_and_not_answered(peer, ask, octets):
    gateway = peer.gateway()
    assert ask(gateway, octets) is None
    assert len(gateway.asked) == 1


# -- where mappings lead ---------------------------------------------------------------------------------------


def test_a_connection_from_outside_comes_to_the_internal_port(peer, ask):
    gateway = peer.gateway()
    with socket.create_server((HERE, 0)) as listener:
        ask(gateway, wanted(listener.getsockname()[1]))
        (external,) = gateway.externals
        connection = gateway.expect_accept(passive(external))
        accepted, name = listener.accept()
        accepted.close()
        assert name[0] == peer.address
        assert connection.remote_address == Address(*listener.getsockname())


def test_without_a_mapping_nothing_leads_to_the_iut(peer, ask):
    gateway = peer.gateway()
    with pytest.raises(Failed, match="no mapping leads"):
        gateway.expect_accept(passive(Address(EXTERNAL, 7)))
    ask(gateway, wanted(40000))
    ask(gateway, wanted(40000, 0))
    (external,) = gateway.externals
    with pytest.raises(Failed, match="no mapping leads"):
        gateway.expect_accept(passive(external))


def test_a_mapping_to_where_nobody_listens_is_the_iuts_failure(peer, ask):
    gateway = peer.gateway()
    ask(gateway, wanted(peer.sockets.refusing_port(HERE)))
    (external,) = gateway.externals
    with pytest.raises(Failed, match="did not accept"):
        gateway.expect_accept(passive(external))


def test_a_server_behind_the_nat_sees_the_mapping(peer, pump, ask):
    gateway = peer.gateway()
    server = peer.stun_server(nat=gateway)
    with socket.create_connection((peer.address, server.port), 5, source_address=(HERE, 0)) as sock:
        assert pump.wait(lambda: bool(server.connections), 5)
        port = sock.getsockname()[1]
        ask(gateway, wanted(port))
        assert {server.seen(server.connections[0])} == gateway.externals

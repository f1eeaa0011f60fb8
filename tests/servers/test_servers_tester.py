"""The lower tester as a STUN and TURN server, asked by a client that the test plays itself."""

from __future__ import annotations

import contextlib
import random
import socket
import threading

import pytest

from conformance.peer.pixit import Pixit
from conformance.peer.pump import Pump
from conformance.peer.tester import Peer
from conformance.run.recording import SilentTap
from conformance.verdict import Failed, Inconclusive, NotApplicable
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.candidate import Candidate
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.layers import RFC4571
from conformance.wire.rfc4571 import Deframer, frame
from conformance.wire.stun import Message, MessageClass, Method, build
from conformance.wire.stunstream import MessageStream

PIXIT = Pixit(response=1.0, connect=1.0, complete=0.3, decides=0.5, close=0.2, silence=0.05)
OURS = "127.0.0.1"


class Iut:
    ufrag, pwd, lite, answered_setup = "iutf", "i" * 22, False, None
    fragments = ("iutf",)


@pytest.fixture
def peer():
    pump = Pump()
    peer = Peer("127.16.201.1", pump, SilentTap(), PIXIT, random.Random(1))
    peer.meet(Iut)
    yield peer
    peer.close()
    pump.close()


class Client:
    """A client over a plain socket; the tester is served while it waits."""

    def __init__(self, peer, server):
        self.peer, self.server = peer, server
        self.socket = socket.create_connection((peer.address, server.port), 5, source_address=(OURS, 0))
        self.socket.setblocking(False)
        self.address = Address(*self.socket.getsockname())
        self.messages, self.raw, self.ended = [], b"", False
        self._stream, self._ids = MessageStream(), random.Random(2)
        self.nonce = None

    def read(self):
        with contextlib.suppress(BlockingIOError):
            octets = self.socket.recv(65536)
            self.ended = self.ended or not octets
            self.raw += octets
        return True

    def until(self, condition):
        assert self.peer._pump.wait(lambda: self.read() and condition(), 2.0)

    def ask(self, method, *attributes, login=True, key=None, user=None, nonce=None, peer_address=None):
        transaction = self._ids.randbytes(12)
        body = list(attributes)
        if peer_address is not None:
            body.append(attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer_address, transaction))
        if login:
            realm, server = "icetcp", self.server
            key = key or long_term_key(server.username, realm, server.password)
            body += [attr.username(user or server.username), attr.text(Attribute.REALM, realm)]
            body.append(attr.text(Attribute.NONCE, nonce or self.nonce or ""))
        self.socket.sendall(build(method, MessageClass.REQUEST, transaction, body, key=key if login else None))
        self.until(lambda: any(m.transaction_id == transaction for m in self.taken()))
        return next(m for m in self.messages if m.transaction_id == transaction)

    def taken(self):
        octets, self.raw = self.raw, b""
        for message in self._stream.feed(octets):
            self.last = message
            self.messages.append(Message.decode(message))
        return self.messages

    def login(self):
        self.nonce = self.ask(Method.ALLOCATE, attr.requested_transport(6), login=False).nonce
        return self

    def allocate(self):
        self.login()
        return self.ask(Method.ALLOCATE, attr.requested_transport(6))


@pytest.fixture
def client(peer):
    made = []

    def make(server):
        made.append(Client(peer, server))
        return made[-1]

    yield make
    for client in made:
        client.socket.close()


def code(message):
    assert message.is_error, message
    return message.error_code.code


def test_a_stun_server_tells_where_it_sees_the_client(peer, client):
    server = peer.stun_server()
    assert server.entry == {"url": f"stun:{peer.address}:{server.port}"}
    asking = client(server)
    assert asking.ask(Method.BINDING, login=False).xor_mapped_address == asking.address
    assert len(server.used) == 1


def test_a_stun_server_behind_a_nat_tells_a_mapped_address(peer, client):
    server = peer.stun_server(mapped="198.51.100.7")
    asking = client(server)
    mapped = asking.ask(Method.BINDING, login=False).xor_mapped_address
    assert mapped == server.seen(server.used[0])
    assert mapped.ip == "198.51.100.7"
    assert mapped.port != asking.address.port
    assert code(asking.ask(Method.ALLOCATE, login=False)) == 400


def test_the_well_known_port_is_taken_once(peer):
    ports = [peer.turn_server().port, peer.stun_server().port]
    assert ports[0] == 3478 != ports[1]


def test_long_term_credentials_are_asked_for(peer, client):
    server = peer.turn_server()
    assert server.entry == {
        "url": f"turn:{peer.address}:3478?transport=tcp",
        "username": server.username,
        "credential": server.password,
    }
    asking = client(server)
    first = asking.ask(Method.ALLOCATE, attr.requested_transport(6), login=False)
    assert code(first) == 401
    assert (first.realm, bool(first.nonce)) == ("icetcp", True)
    asking.nonce = first.nonce
    allocate = attr.requested_transport(6)
    assert code(asking.ask(Method.ALLOCATE, allocate, key=b"wrong")) == 401
    assert code(asking.ask(Method.ALLOCATE, allocate, user="nobody")) == 401
    assert code(asking.ask(Method.ALLOCATE, allocate, nonce="old")) == 438
    assert not server.used
    assert asking.ask(Method.ALLOCATE, allocate).is_success
    key = long_term_key(server.username, "icetcp", server.password)
    assert check_integrity(asking.last, key) is Check.VALID


def test_an_allocation(peer, client):
    server = peer.turn_server()
    asking = client(server)
    answer = asking.allocate()
    assert answer.xor_mapped_address == asking.address
    assert answer.lifetime == 600
    assert server.relayed == [answer.xor_relayed_address]
    assert code(asking.ask(Method.ALLOCATE, attr.requested_transport(6))) == 437
    assert code(asking.ask(Method.BINDING + 0x50)) == 400
    assert asking.ask(Method.REFRESH).lifetime == 600
    assert asking.ask(Method.REFRESH, attr.lifetime(0)).lifetime == 0
    assert code(asking.ask(Method.REFRESH)) == 437
    assert server.relayed, "what was given is remembered"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], ["127.16.201.1"]),
        ([attr.additional_ipv6()], ["127.16.201.1", "::1"]),
        ([RawAttribute(Attribute.REQUESTED_ADDRESS_FAMILY, b"\2\0\0\0")], ["::1"]),
    ],
)
def test_the_family_of_a_relayed_address_is_the_one_asked_for(peer, client, monkeypatch, asked, expected):
    monkeypatch.setattr(peer, "_second_address", lambda: "::1")
    server = peer.turn_server()
    server.manner.both_families = True
    answer = client(server).login().ask(Method.ALLOCATE, attr.requested_transport(6), *asked)
    relayed = answer.all(Attribute.XOR_RELAYED_ADDRESS)
    assert [attr.decode_xor_address(each, answer.transaction_id).ip for each in relayed] == expected


@pytest.mark.parametrize("transport", [[], [attr.requested_transport(132)]])
def test_an_allocation_for_another_transport_is_refused(peer, client, transport):
    asking = client(peer.turn_server()).login()
    assert code(asking.ask(Method.ALLOCATE, *transport)) == 442


def test_the_client_connects_to_a_passive_candidate_through_the_relay(peer, client):
    server = peer.turn_server()
    listener = peer.listen(component=2)
    asking = client(server)
    relayed = asking.allocate().xor_relayed_address
    assert code(asking.ask(Method.CONNECT)) == 400
    assert code(asking.ask(Method.CONNECT, peer_address=Address(peer.address, 9))) == 447
    joined = asking.ask(Method.CONNECT, peer_address=Address(peer.address, listener.port))
    data = client(server)
    data.nonce = asking.nonce
    assert code(data.ask(Method.CONNECTION_BIND, attr.connection_id(1 ^ joined.connection_id))) == 400
    assert data.ask(Method.CONNECTION_BIND, attr.connection_id(joined.connection_id)).is_success
    connection = peer.expect_connection(listener)
    assert (connection.component, connection.seen_from) == (2, relayed)
    assert server.control_of(connection) is server.connections[0]
    answered(peer, data, connection)


def answered(peer, data, connection):
    """The peer answers a check that comes in a frame over the data connection, with the relayed address."""
    peer.controlling = False
    check = build(
        Method.BINDING,
        MessageClass.REQUEST,
        b"c" * 12,
        [attr.username(f"{peer.ufrag}:iutf"), attr.priority(1), attr.ice_controlling(1)],
        key=peer.pwd.encode(),
    )
    deframer, got = Deframer(), []
    data.socket.sendall(frame(check))
    data.until(lambda: bool(got.extend(deframer.feed(data.raw)) or data.__setattr__("raw", b"") or got))
    assert Message.decode(got[0]).xor_mapped_address == connection.seen_from
    assert connection.checked


def test_the_peer_connects_to_a_relayed_candidate(peer, client):
    server = peer.turn_server()
    asking = client(server)
    relayed = asking.allocate().xor_relayed_address
    candidate = Candidate("1", 1, "TCP", 1, relayed.ip, relayed.port, "relay", tcptype="passive")
    with pytest.raises(Inconclusive, match="no permission"):
        server.connect(candidate)
    assert asking.ask(Method.CREATE_PERMISSION, peer_address=Address(peer.address, 0)).is_success
    with pytest.raises(Inconclusive, match="did not take"):
        server.connect(candidate)
    asking.until(lambda: any(m.method == Method.CONNECTION_ATTEMPT for m in asking.taken()))
    attempt = asking.messages[-1]
    assert attempt.is_indication
    assert attempt.xor_peer_address.ip == peer.address
    data = client(server)
    data.nonce = asking.nonce
    bind = attr.connection_id(attempt.connection_id)
    assert data.ask(Method.CONNECTION_BIND, bind).is_success
    answered(peer, data, peer.connections[-1])
    peer.connections[-1].send(RFC4571() / peer.check(Iut))
    with pytest.raises(Inconclusive, match="is not a relayed address"):
        server.connect(Candidate("1", 1, "TCP", 1, relayed.ip, relayed.port ^ 1, "relay", tcptype="passive"))
    assert asking.ask(Method.REFRESH, attr.lifetime(0)).is_success
    data.until(lambda: data.ended)  # with the allocation


def test_connect_returns_what_the_client_joins(peer, client):
    """As an IUT would: the attempt is taken while the script waits."""
    server = peer.turn_server()
    asking = client(server)
    relayed = asking.allocate().xor_relayed_address
    asking.ask(Method.CREATE_PERMISSION, peer_address=Address(peer.address, 0))
    control, nonce = asking.socket, asking.nonce

    def take():
        control.setblocking(True)
        (octets,) = list(MessageStream().feed(control.recv(65536)))
        identifier = Message.decode(octets).connection_id
        with socket.create_connection((peer.address, server.port), 5, source_address=(OURS, 0)) as data:
            body = [attr.connection_id(identifier), attr.username(server.username)]
            body += [attr.text(Attribute.REALM, "icetcp"), attr.text(Attribute.NONCE, nonce)]
            key = long_term_key(server.username, "icetcp", server.password)
            data.sendall(build(Method.CONNECTION_BIND, MessageClass.REQUEST, b"b" * 12, body, key=key))
            data.settimeout(5)
            data.recv(65536)

    taking = threading.Thread(target=take)
    taking.start()
    connection = server.connect(Candidate("1", 3, "TCP", 1, relayed.ip, relayed.port, "relay", tcptype="passive"))
    taking.join()
    assert (connection.component, connection.seen_from) == (3, relayed)
    assert connection in peer.connections


def test_a_relayed_udp_address(peer, client):
    server = peer.turn_server()
    with pytest.raises(NotApplicable, match="no UDP address"):
        server.udp_allocation()
    asking = client(server).login()
    relayed = asking.ask(Method.ALLOCATE, attr.requested_transport(17)).xor_relayed_address
    allocation = server.udp_allocation()
    assert allocation.relayed == relayed
    assert code(asking.ask(Method.CONNECT, peer_address=Address(peer.address, 9))) == 400
    request = peer.check(Iut)
    with pytest.raises(Inconclusive, match="no permission"):
        server.ask_through(allocation, request, within=0.05)
    asking.ask(Method.CREATE_PERMISSION, peer_address=Address(peer.address, 0))
    with pytest.raises(Failed, match="did not answer"):
        server.ask_through(allocation, request, within=0.05)
    asking.until(lambda: any(m.method == Method.DATA for m in asking.taken()))
    asked = asking.messages[-1].first(Attribute.DATA).value
    assert asked == bytes(request)
    for data in (b"no STUN", build(Method.BINDING, MessageClass.SUCCESS, asked[8:20])):
        body = [attr.RawAttribute(Attribute.DATA, data)]
        asking.socket.sendall(build(Method.SEND, MessageClass.INDICATION, b"s" * 12, body))
    asking.socket.sendall(build(Method.SEND, MessageClass.INDICATION, b"t" * 12))
    assert server.ask_through(allocation, request, within=1).is_success


def test_kept_and_closed_connections(peer, client):
    server = peer.stun_server()
    with pytest.raises(Inconclusive, match="learnt no address"):
        server.expect_kept(within=0)
    with pytest.raises(Inconclusive, match="learnt no address"):
        server.expect_closed(within=0)
    idle = client(server)
    asking = client(server)
    asking.ask(Method.BINDING, login=False)
    server.expect_kept(within=0.05)
    with pytest.raises(Failed, match="still open"):
        server.expect_closed(within=0.05)
    idle.socket.close()
    server.expect_kept(within=0.05)
    asking.socket.close()
    server.expect_closed(within=1)
    with pytest.raises(Failed, match="ended its connection"):
        server.expect_kept(within=0.05)


def test_octets_that_are_no_stun_are_seen_as_such(peer, client):
    server = peer.stun_server()
    asking = client(server)
    asking.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    asking.until(lambda: bool(server.connections and server.connections[0].events))
    assert server.connections[0].events[0].message is None
    assert not server.used

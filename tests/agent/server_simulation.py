"""STUN and TURN servers in the simulated network, which relay for real and do wrong where a test wants it."""

from __future__ import annotations

import itertools

from agent_simulation import LATENCY, End

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute
from conformance.wire.integrity import Check, check_integrity, long_term_key
from conformance.wire.stun import Message, MessageClass, Method, build
from conformance.wire.stunstream import MessageStream

USER, PASSWORD, REALM = "user", "secret", "realm"
TURN = Address("10.0.0.50", 3478)
KEY = long_term_key(USER, REALM, PASSWORD)


class PeerEnd(End):
    """The server's connection with a peer; it holds what comes until it is joined with a client's."""

    joined = None

    def __init__(self, network, address):
        super().__init__(network, address)
        self.held = b""

    def on_octets(self, octets):
        if self.joined is None:
            self.held += octets
        else:
            self.joined.send(octets)

    def on_end(self):
        self.open = False
        if self.joined is not None:
            self.joined.close()


class ClientEnd(End):
    """The server's end of a client's connection."""

    def __init__(self, server, network, address, client):
        super().__init__(network, address)
        self.server, self.client, self.stream, self.peer = server, client, MessageStream(), None
        self.asked, self.ended = [], False

    def on_octets(self, octets):
        if self.peer is not None:
            self.peer.send(octets)
            return
        for message in self.stream.feed(octets):
            self.server.asked(self, message)

    def on_end(self):
        self.open, self.ended = False, True
        if self.peer is not None:
            self.peer.close()

    def methods(self):
        return [Method(message.method) for message in self.asked]


class Allocation:
    """A relayed address that listens."""

    def __init__(self, server, control, address):
        self.server, self.control, self.address, self.permitted = server, control, address, set()

    def accept(self, client):
        end = PeerEnd(self.server.network, self.address)
        if client.ip not in self.permitted:
            return None
        number = self.server.wait(end)
        body = [attr.connection_id(number)]
        self.server.network.after(LATENCY, lambda: self.server.indicate(self.control, body, client))
        return end


class Server:
    """Listens at `address`. `refusals`: codes by method; `silent`: methods that get no answer; `mapped`: a NAT's IP."""

    def __init__(self, network, address=TURN, *, relays=True, lifetime=600, mapped=None):
        self.network, self.address, self.relays, self.lifetime, self.mapped = network, address, relays, lifetime, mapped
        self.refusals, self.silent, self.clients, self.allocations = {}, set(), [], []
        self.nonce, self.key = "nonce1", KEY
        self._waiting, self._numbers, self._ids = {}, itertools.count(70), itertools.count(1)
        network.listeners[address] = self

    def accept(self, client):
        self.clients.append(ClientEnd(self, self.network, self.address, client))
        return self.clients[-1]

    def wait(self, end):
        number = next(self._numbers)
        self._waiting[number] = end
        return number

    def stop(self):
        """Listen no more, and end every connection."""
        del self.network.listeners[self.address]
        for client in self.clients:
            client.close()

    def named(self, method):
        """Return the connections on which this was asked."""
        return [client for client in self.clients if method in client.methods()]

    # -- answers -------------------------------------------------------------------------------------------

    def asked(self, client, octets):
        message = Message.decode(octets)
        client.asked.append(message)
        if message.method in self.silent:
            return
        code = self.refusals.get(message.method) or self._login(message, octets)
        if code:
            body = [attr.error_code(code)]
            if code in (401, 438):
                body += [attr.text(Attribute.REALM, REALM), attr.text(Attribute.NONCE, self.nonce)]
            client.send(build(message.method, MessageClass.ERROR, message.transaction_id, body))
            return
        getattr(self, f"_{Method(message.method).name.lower()}")(client, message)

    def _login(self, message, octets):
        if message.method == Method.BINDING:
            return 0
        if check_integrity(octets, KEY) is not Check.VALID:
            return 401
        return 0 if message.nonce == self.nonce else 438

    def _success(self, client, message, *body):
        key = None if message.method == Method.BINDING else self.key
        client.send(build(message.method, MessageClass.SUCCESS, message.transaction_id, body, key=key))

    def indicate(self, client, body, peer):
        transaction = next(self._ids).to_bytes(12, "big")
        body = [*body, attr.xor_address(Attribute.XOR_PEER_ADDRESS, peer, transaction)]
        client.send(build(Method.CONNECTION_ATTEMPT, MessageClass.INDICATION, transaction, body))

    def _seen(self, client, message):
        mapped = Address(self.mapped or client.client.ip, client.client.port + (1000 if self.mapped else 0))
        return attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, mapped, message.transaction_id)

    def _binding(self, client, message):
        self._success(client, message, self._seen(client, message))

    def _allocate(self, client, message):
        allocation = Allocation(self, client, Address(self.address.ip, self.network.free_port()))
        self.allocations.append(allocation)
        self.network.listeners[allocation.address] = allocation
        relayed = attr.xor_address(Attribute.XOR_RELAYED_ADDRESS, allocation.address, message.transaction_id)
        self._success(client, message, relayed, self._seen(client, message), attr.lifetime(self.lifetime))

    def _of(self, client):
        return next(allocation for allocation in self.allocations if allocation.control is client)

    def _create_permission(self, client, message):
        peers = message.all(Attribute.XOR_PEER_ADDRESS)
        self._of(client).permitted |= {attr.decode_xor_address(peer, message.transaction_id).ip for peer in peers}
        self._success(client, message)

    def _refresh(self, client, message):
        self._success(client, message, attr.lifetime(self.lifetime))

    def _connect(self, client, message):
        end = PeerEnd(self.network, self._of(client).address)
        self.network.connect(end, message.xor_peer_address)
        number = self.wait(end)

        def answer():
            if end.open:
                self._success(client, message, attr.connection_id(number))
            else:
                refused = [attr.error_code(447)]
                client.send(build(message.method, MessageClass.ERROR, message.transaction_id, refused, key=self.key))

        self.network.after(4 * LATENCY, answer)

    def _connection_bind(self, client, message):
        peer = self._waiting.pop(message.connection_id)
        self._success(client, message)
        client.peer, peer.joined = peer, client
        if peer.held:
            client.send(peer.held)

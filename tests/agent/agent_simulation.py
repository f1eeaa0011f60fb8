"""A network that exists only in memory: agents and scripted ends, and a clock that only the test moves."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field

from conformance.agent.agent import Agent
from conformance.agent.config import Config
from conformance.agent.events import (
    Bind,
    Close,
    Connect,
    Datagram,
    DataReceived,
    Listen,
    SelectedPair,
    State,
    StateChanged,
    TrickledCandidate,
    Unlisten,
    Write,
)
from conformance.agent.faults import decisions
from conformance.agent.variation import USUAL
from conformance.agent.varied import vary
from conformance.wire import attributes as attr
from conformance.wire.attributes import Address
from conformance.wire.integrity import short_term_key
from conformance.wire.rfc4571 import Deframer, frame
from conformance.wire.stun import Message, MessageClass, Method, build

LATENCY = 0.001
_TOO_MANY = 2000  # steps without time passing: something spins


class End:
    """One end of a connection."""

    def __init__(self, network, address):
        self.network, self.address = network, address
        self.other = None
        self.open = True

    def send(self, octets):
        other = self.other
        for part in self.network.cut(octets):
            self.network.after(LATENCY, lambda part=part: other.open and other.on_octets(part))

    def close(self):
        if self.open:
            self.open = False
            other = self.other
            if other is not None:
                self.network.after(LATENCY, lambda: other.open and other.on_end())


class ScriptedEnd(End):
    """An end that the test speaks for."""

    def __init__(self, network, address):
        super().__init__(network, address)
        self.frames, self.octets = [], b""
        self._deframer = Deframer()

    def on_octets(self, octets):
        self.octets += octets
        self.frames += self._deframer.feed(octets)

    def on_end(self):
        self.open = False

    @property
    def messages(self):
        return [Message.decode(f) for f in self.frames if f]

    def requests(self):
        return [m for m in self.messages if m.is_request]

    def response(self, transaction_id):
        found = [m for m in self.messages if m.transaction_id == transaction_id and not m.is_request]
        assert len(found) <= 1, "answered more than once"
        return found[0] if found else None

    def ask(self, octets, within=0.2):
        """Send a message in a frame, let it be answered, and return the response or None."""
        self.send(frame(octets))
        self.network.run(within)
        return self.response(octets[8:20])


class AgentEnd(End):
    def __init__(self, network, address, host, number):
        super().__init__(network, address)
        self.host, self.number = host, number

    def on_octets(self, octets):
        self.host.tell("received", self.number, octets)

    def on_end(self):
        self.open = False
        self.host.tell("closed", self.number, "closed by the peer")


@dataclass
class ScriptedListener:
    network: Network
    address: Address
    ends: list = field(default_factory=list)

    def accept(self, client):
        end = ScriptedEnd(self.network, self.address)
        self.ends.append(end)
        return end


@dataclass
class AgentListener:
    host: Host
    base: int
    address: Address

    def accept(self, client):
        number = self.host.agent.accepted(self.base, self.address, client, self.host.network.now)
        if number is None:
            return None
        return self.host.add_end(number, self.address)


@dataclass(frozen=True)
class AgentSocket:
    host: Host
    base: int

    def receive(self, source, octets):
        self.host.tell("datagram", self.base, source, octets)


class ScriptedSocket:
    """A UDP socket that the test speaks for."""

    def __init__(self, network, address):
        self.network, self.address = network, address
        self.received = []  # (time, source, octets)

    def send(self, target, octets):
        self.network.datagram(self.address, target, octets)

    def receive(self, source, octets):
        self.received.append((self.network.now, source, octets))

    @property
    def messages(self):
        return [Message.decode(octets) for _, _, octets in self.received]

    def requests(self):
        return [m for m in self.messages if m.is_request]

    def ask(self, target, octets, within=0.2):
        self.send(target, octets)
        self.network.run(within)
        return next((m for m in self.messages if m.transaction_id == octets[8:20] and not m.is_request), None)


class Host:
    """An agent with its part of the network."""

    def __init__(self, network, config, seed, decisions):
        self.network = network
        self.agent = Agent(config, random.Random(seed).randbytes, decisions)
        self.ends, self.states, self.selected, self.data = {}, [], {}, {}
        self.connects = []  # (time, target)
        self.trickled = []  # (mid, candidate)

    def tell(self, what, *arguments):
        result = getattr(self.agent, what)(*arguments, self.network.now)
        self.carry_out()
        return result

    def add_end(self, number, address):
        self.ends[number] = AgentEnd(self.network, address, self, number)
        return self.ends[number]

    def describe(self):
        self.tell("gather")
        return self.tell("describe")[1]

    def describe_at_once(self):
        """Describe before any socket is open: what is told of candidates comes later."""
        self.agent.gather(self.network.now, trickle=True)
        return self.tell("describe")[1]

    def carry_out(self):
        while outputs := self.agent.take():
            for output in outputs:
                self._one(output)

    def _one(self, output):
        match output:
            case Listen(base, ip, port):
                address = Address(ip, port or self.network.free_port())
                self.network.listeners[address] = AgentListener(self, base, address)
                self.agent.listening(base, address.port, self.network.now)
            case Bind(base, ip):
                address = Address(ip, self.network.free_port())
                self.network.sockets[address] = AgentSocket(self, base)
                self.agent.listening(base, address.port, self.network.now)
            case Datagram(base, target, octets):
                source = next(a for a, s in self.network.sockets.items() if s == AgentSocket(self, base))
                self.network.datagram(source, target, octets)
            case Unlisten(base):
                for address in [a for a, s in self.network.sockets.items() if s == AgentSocket(self, base)]:
                    del self.network.sockets[address]
                for address, listener in list(self.network.listeners.items()):
                    if isinstance(listener, AgentListener) and (listener.host, listener.base) == (self, base):
                        del self.network.listeners[address]
            case Connect(number, source, target):
                self.connects.append((self.network.now, target))
                end = self.add_end(number, Address(source.ip, source.port or self.network.free_port()))
                self.network.connect(end, target, self)
            case Write(number, octets):
                if self.ends[number].open:
                    self.ends[number].send(octets)
            case Close(number):
                if number in self.ends:  # else it was to be opened through a relay
                    self.ends[number].close()
            case StateChanged(state):
                self.states.append(state)
            case SelectedPair(stream, component, local, remote):
                self.selected[stream, component] = (local, remote)
            case TrickledCandidate(mid, candidate):
                self.trickled.append((mid, candidate))
            case DataReceived(stream, component, octets):
                self.data.setdefault((stream, component), []).append(octets)

    @property
    def open_ends(self):
        return [end for end in self.ends.values() if end.open]


class Network:
    def __init__(self, cut=lambda octets: [octets]):
        self.now = 1000.0
        self.cut = cut
        self.listeners, self.hosts = {}, []
        self.sockets = {}  # UDP, by address
        self.lose = lambda octets: False  # whether a datagram gets lost
        self.silent = set()  # addresses that never answer a SYN
        self._queue, self._order = [], itertools.count()
        self._ports = itertools.count(10000)

    def free_port(self):
        return next(self._ports)

    def host(
        self, *, offerer, addresses=("10.0.0.1",), seed=None, faults=frozenset(), variation=USUAL, chosen=None, **more
    ):
        more.setdefault("tcptypes", frozenset({"active", "passive"}))
        config = Config(offerer=offerer, addresses=tuple(addresses), **more)
        chosen = chosen or vary(decisions(faults), variation)
        self.hosts.append(Host(self, config, len(self.hosts) if seed is None else seed, chosen))
        return self.hosts[-1]

    def after(self, delay, action):
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def listen(self, ip="10.0.0.9", port=None):
        address = Address(ip, port or self.free_port())
        self.listeners[address] = ScriptedListener(self, address)
        return self.listeners[address]

    def socket(self, ip="10.0.0.9"):
        address = Address(ip, self.free_port())
        self.sockets[address] = ScriptedSocket(self, address)
        return self.sockets[address]

    def datagram(self, source, target, octets):
        if not self.lose(octets):
            self.after(LATENCY, lambda: target in self.sockets and self.sockets[target].receive(source, octets))

    def connect(self, end, target, host=None):
        if target in self.silent:
            return
        self.after(LATENCY, lambda: self._arrive(end, target, host))

    def _arrive(self, end, target, host):
        if not end.open:
            return
        listener = self.listeners.get(target)
        other = listener.accept(end.address) if listener else None
        if other is None:
            end.open = False
            if host is not None:
                self.after(LATENCY, lambda: host.tell("closed", end.number, "refused"))
            return
        end.other, other.other = other, end
        if isinstance(other, AgentEnd):
            other.host.carry_out()
        if host is not None:
            self.after(LATENCY, lambda: end.open and host.tell("connected", end.number, end.address))

    def dial(self, target, ip="10.0.0.9"):
        """Connect a scripted end."""
        end = ScriptedEnd(self, Address(ip, self.free_port()))
        self.connect(end, target)
        self.run(3 * LATENCY)
        return end

    def run(self, seconds, until=lambda: False):
        """Let time pass, or less of it once something holds."""
        stop, steps = self.now + seconds, 0
        while not until():
            timers = [(due, host) for host in self.hosts if (due := host.agent.next_timer()) is not None]
            timer = min(timers, key=lambda pair: pair[0], default=None)
            event = self._queue[0][0] if self._queue else None
            due = min((t for t in (event, timer and timer[0]) if t is not None), default=None)
            if due is None or due > stop:
                self.now = max(self.now, stop)
                break
            steps = 0 if due > self.now else steps + 1
            assert steps < _TOO_MANY, "something happens again and again without time passing"
            self.now = max(self.now, due)
            if event is not None and event <= due:
                heapq.heappop(self._queue)[2]()
            else:
                timer[1].tell("handle_timer")
        return until()

    def exchange(self, offerer, answerer):
        offer = offerer.describe()
        answerer.tell("accept", "offer", offer)
        answer = answerer.describe()
        offerer.tell("accept", "answer", answer)

    def complete(self, offerer, answerer, within=5.0):
        """Exchange descriptions and let ICE complete."""
        self.exchange(offerer, answerer)
        both = (offerer.agent, answerer.agent)
        assert self.run(within, lambda: all(agent.state is State.COMPLETED for agent in both)), [a.state for a in both]
        self.run(3 * LATENCY)


class Peer:
    """What a scripted end knows to speak as an ICE agent."""

    ufrag, pwd, tie_breaker = "peer", "p" * 24, 2**63

    def __init__(self, iut_ufrag, iut_pwd):
        self.iut_ufrag, self.iut_pwd = iut_ufrag, iut_pwd
        self._ids = random.Random(7)

    def check(self, *, controlling=False, use_candidate=False, **change):
        """Return a check; `change`: username, priority, tie_breaker, key, sha256_key, fingerprint, more."""
        role = attr.ice_controlling if controlling else attr.ice_controlled
        body = [
            attr.username(change.get("username", f"{self.iut_ufrag}:{self.ufrag}")),
            role(change.get("tie_breaker", self.tie_breaker)),
        ]
        if change.get("priority", 1) is not None:
            body.append(attr.priority(change.get("priority", 1862270719)))
        if use_candidate:
            body.append(attr.use_candidate())
        body = [a for a in body if a.type not in change.get("without", ())] + list(change.get("more", ()))
        return build(
            Method.BINDING,
            MessageClass.REQUEST,
            self._ids.randbytes(12),
            body,
            key=change.get("key", short_term_key(self.iut_pwd)),
            sha256_key=change.get("sha256_key"),
            fingerprint=change.get("fingerprint", True),
        )

    def success(self, request, mapped, key=None):
        body = [attr.xor_address(attr.Attribute.XOR_MAPPED_ADDRESS, mapped, request.transaction_id)]
        key = short_term_key(self.pwd) if key is None else key
        return build(Method.BINDING, MessageClass.SUCCESS, request.transaction_id, body, key=key)

    def error(self, request, code, key=None):
        key = short_term_key(self.pwd) if key is None else key
        return build(Method.BINDING, MessageClass.ERROR, request.transaction_id, [attr.error_code(code, "no")], key=key)

    def description(self, *candidates, setup="passive", media="application 9 TCP octet-stream"):
        lines = ["v=0", "o=- 1 1 IN IP4 10.0.0.9", "s=-", "t=0 0", f"m={media}", "c=IN IP4 10.0.0.9"]
        lines += [f"a=ice-ufrag:{self.ufrag}", f"a=ice-pwd:{self.pwd}", f"a=setup:{setup}", "a=connection:new"]
        lines += [f"a=candidate:{candidate}" for candidate in candidates]
        return "".join(f"{line}\r\n" for line in lines)

    @staticmethod
    def passive(address, foundation="1", priority=2124414975, component=1, more=""):
        where = f"{address.ip} {address.port}"
        return f"{foundation} {component} TCP {priority} {where} typ host tcptype passive{more}"

    active = "2 1 TCP 2128609279 10.0.0.9 9 typ host tcptype active"

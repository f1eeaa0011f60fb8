"""What the golden captures are written with: two agents, connections between them, and a clock that only moves on.

Everything is determined by the scene's name, so that each capture comes out the same to the octet.
"""

from __future__ import annotations

import io
import ipaddress
import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from conformance.wire import attributes as attr
from conformance.wire.attributes import Address, Attribute, RawAttribute
from conformance.wire.candidate import Candidate, priority, tcp_local_preference
from conformance.wire.integrity import short_term_key
from conformance.wire.rfc4571 import frame
from conformance.wire.sdp import SessionDescription
from conformance.wire.stun import MessageClass, Method, build
from conformance.wire.tcp import ACK, FIN, PSH, RST, SYN
from pcaps.packets import ETHERNET, Segment
from pcaps.packets import build as build_packet
from pcaps.pcapng import Writer

START = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
_DIRECTIONS = {"active": 6, "passive": 4, "so": 2}
_PRFLX = 110
_DISCARD = 9
RTP = struct.pack("!BBHII", 0x80, 0, 1, 160, 0x0BADCAFE) + b"what the application says"
DTLS_HELLO = bytes.fromhex("16fefd0000000000000000003a01") + bytes(40)
_HELLO = "01000028000000000000 0028 fefd".replace(" ", "")
BARE_DTLS_HELLO = bytes.fromhex("16fefd00000000000000000034" + _HELLO) + bytes(38)
TLS_HELLO = bytes.fromhex("16030100460100004203 03".replace(" ", "")) + bytes(64)

SSL2_HELLO = bytes.fromhex("804601030100") + bytes.fromhex("2d00000010") + bytes(61)
SHORT_TLS_HELLO = bytes.fromhex("160301002a020000260301") + bytes(36)

Bend = Callable[[bytes], bytes]  # what a scenario does to octets before they leave


@dataclass(frozen=True, slots=True)
class Agent:
    """One side: its address, credentials and role."""

    name: str
    ip: str
    ufrag: str
    pwd: str
    tie_breaker: int
    controlling: bool
    passive: int = 7000
    so: int = 7100

    def at(self, port: int) -> Address:
        """Return one of its transport addresses."""
        return Address(self.ip, port)


@dataclass(slots=True)
class Connection:
    """A connection between two agents, as its client sees it."""

    scene: Scene
    client: Address
    server: Address
    _next: dict[Address, int] = field(default_factory=dict)

    def open(self, *, answered: bool = True, refused: bool = False, repeated: int = 0) -> Connection:
        """Shake hands; without an answer the SYN may be repeated so many times."""
        self._next = {self.client: 1000, self.server: 5000}
        self.scene.packet(self._segment(self.client, SYN))
        for number in range(repeated):
            self.scene.wait(SECOND << number)
            self.scene.packet(self._segment(self.client, SYN))
        if refused:
            self.scene.packet(Segment(self.server, self.client, 0, 1001, RST | ACK, b""))
        elif answered:
            self._next[self.client] += 1
            self.scene.packet(self._segment(self.server, SYN | ACK))
            self._next[self.server] += 1
            self.scene.packet(self._segment(self.client, ACK))
        return self

    def open_simultaneously(self) -> Connection:
        """Let both SYNs cross."""
        self._next = {self.client: 1000, self.server: 5000}
        self.scene.packet(self._segment(self.client, SYN, acknowledge=False))
        self.scene.packet(self._segment(self.server, SYN, acknowledge=False))
        self._next = {self.client: 1001, self.server: 5001}
        self.scene.packet(self._segment(self.client, SYN | ACK)._replace(sequence=1000))
        self.scene.packet(self._segment(self.server, SYN | ACK)._replace(sequence=5000))
        return self

    def send(self, source: Address, octets: bytes, *, cut: int = 0, lost: bool = False) -> None:
        """Send octets in one segment, or in two; a `lost` one is acknowledged and not in the capture."""
        for piece in filter(None, (octets[:cut], octets[cut:])):
            segment = self._segment(source, PSH | ACK, piece)
            self._next[source] += len(piece)
            if not lost:
                self.scene.packet(segment)
        other = self.server if source == self.client else self.client
        self.scene.packet(self._segment(other, ACK))

    def resend(self, source: Address, octets: bytes) -> None:
        """Repeat the last octets as TCP does: the same segment once more."""
        segment = self._segment(source, PSH | ACK, octets)
        self.scene.packet(segment._replace(sequence=segment.sequence - len(octets)))

    def end(self, source: Address, *, reset: bool = False) -> None:
        """Close from one side, and answer that; or reset."""
        if reset:
            self.scene.packet(self._segment(source, RST))
            return
        for side in (source, self.server if source == self.client else self.client):
            self.scene.packet(self._segment(side, FIN | ACK))
            self._next[side] += 1

    def _segment(self, source: Address, flags: int, payload: bytes = b"", *, acknowledge: bool = True) -> Segment:
        other = self.server if source == self.client else self.client
        known = acknowledge and flags != SYN
        return Segment(source, other, self._next[source], self._next[other] if known else 0, flags, payload)


class Scene:
    """One capture in the making. `link` turns an IP packet into what a capture of that kind holds."""

    def __init__(self, name: str, link: Bend | None = None, link_type: int = ETHERNET, *, ipv6: bool = False) -> None:
        self._random = random.Random(name)
        self._file = io.BytesIO()
        self._writer = Writer(self._file, link_type, comment=f"{name}\nMade by pcaps.golden.build.")
        self._link = link or ethernet
        self._time = START
        self._ids: list[bytes] = []
        left, right = ("2001:db8::1", "2001:db8:1::2") if ipv6 else ("192.0.2.1", "198.51.100.2")
        self.left = Agent("offerer", left, "Lfrg", "left/password+22characters", 0x1111 << 48, controlling=True)
        self.right = Agent("answerer", right, "Rfrg", "right/password+22character", 0x2222 << 48, controlling=False)

    def move(self, number: int) -> None:
        """Give both agents addresses so many further on, so that captures can be read together."""
        self.left, self.right = (
            replace(agent, ip=str(ipaddress.ip_address(agent.ip) + number)) for agent in (self.left, self.right)
        )

    @property
    def octets(self) -> bytes:
        """The capture so far."""
        return self._file.getvalue()

    def wait(self, nanoseconds: int) -> None:
        """Let time pass."""
        self._time += nanoseconds

    def packet(self, segment: Segment) -> None:
        """Record a segment."""
        self._time += MILLISECOND
        self._writer.packet(self._time, self._link(build_packet(segment)))

    def foreign(self, packet: bytes) -> None:
        """Record an IP packet that does not belong to ICE-TCP."""
        self._time += MILLISECOND
        self._writer.packet(self._time, self._link(packet))

    def connection(self, client: Address, server: Address) -> Connection:
        """Return a connection that is not open yet."""
        return Connection(self, client, server)

    def transaction(self) -> bytes:
        """Return a random transaction id."""
        return self._random.randbytes(12)

    # -- messages --------------------------------------------------------------------------------------------------

    def check(
        self,
        source: Agent,
        target: Agent,
        *,
        nominate: bool = False,
        transaction: bytes | None = None,
        controlling: bool | None = None,
        component: int = 1,
        username: str | None = None,
        password: str | None = None,
        without: tuple[Attribute, ...] = (),
        wrong_fingerprint: bool = False,
        both_roles: bool = False,
        values: Mapping[Attribute, bytes] | None = None,
    ) -> bytes:
        """Return a connectivity check, unframed; each keyword after `nominate` changes one thing.

        `values` stand in the place of what the attributes should say; those that were not there are added.
        """
        leading = source.controlling if controlling is None else controlling
        role = attr.ice_controlling if leading else attr.ice_controlled
        wanted: list[RawAttribute] = [
            attr.username(username or f"{target.ufrag}:{source.ufrag}"),
            attr.priority(priority(_PRFLX, tcp_local_preference(_DIRECTIONS["active"], 8191), component)),
            role(source.tie_breaker),
        ]
        wanted += [attr.ice_controlled(source.tie_breaker)] * both_roles
        wanted += [attr.use_candidate()] * nominate
        key = short_term_key(password or target.pwd)
        octets = build(
            Method.BINDING,
            MessageClass.REQUEST,
            transaction or self.transaction(),
            _with_values([attribute for attribute in wanted if attribute.type not in without], values or {}),
            key=None if Attribute.MESSAGE_INTEGRITY in without else key,
            fingerprint=Attribute.FINGERPRINT not in without,
        )
        return octets[:-4] + bytes(byte ^ 0x55 for byte in octets[-4:]) if wrong_fingerprint else octets

    def success(
        self,
        request: bytes,
        responder: Agent,
        mapped: Address,
        *,
        password: str | None = None,
        without: tuple[Attribute, ...] = (),
        values: Mapping[Attribute, bytes] | None = None,
    ) -> bytes:
        """Return the success response to a check; `values` as in a check."""
        transaction = request[8:20]
        address = attr.xor_address(Attribute.XOR_MAPPED_ADDRESS, mapped, transaction)
        key = short_term_key(password or responder.pwd)
        return build(
            Method.BINDING,
            MessageClass.SUCCESS,
            transaction,
            _with_values([] if Attribute.XOR_MAPPED_ADDRESS in without else [address], values or {}),
            key=None if Attribute.MESSAGE_INTEGRITY in without else key,
            fingerprint=Attribute.FINGERPRINT not in without,
        )

    def error(self, request: bytes, *attributes: RawAttribute, responder: Agent | None = None) -> bytes:
        """Return an error response to a check with just these attributes, authenticated if there is a responder."""
        key = None if responder is None else short_term_key(responder.pwd)
        return build(Method.BINDING, MessageClass.ERROR, request[8:20], attributes, key=key)

    def refuse(self, link: Connection, source: Agent, target: Agent, request: bytes, *attributes: RawAttribute) -> None:
        """Send a check and the error response to it over a connection."""
        ends = {link.client.ip: link.client, link.server.ip: link.server}
        link.send(ends[source.ip], frame(request))
        link.send(ends[target.ip], frame(self.error(request, *attributes, responder=target)))

    # -- steps -----------------------------------------------------------------------------------------------------

    def transact(self, link: Connection, source: Agent, target: Agent, request: bytes) -> None:
        """Send a check and its success response over a connection."""
        ends = {link.client.ip: link.client, link.server.ip: link.server}
        link.send(ends[source.ip], frame(request))
        link.send(ends[target.ip], frame(self.success(request, target, ends[source.ip])))

    def validate(self, link: Connection, first: Agent | None = None, *, component: int = 1) -> None:
        """Check both ways, the agent that connected first."""
        one = first or self.left
        other = self.right if one is self.left else self.left
        self.transact(link, one, other, self.check(one, other, component=component))
        self.transact(link, other, one, self.check(other, one, component=component))

    def nominate(self, link: Connection, *, component: int = 1) -> None:
        """Let the controlling agent nominate."""
        one, other = (self.left, self.right) if self.left.controlling else (self.right, self.left)
        self.transact(link, one, other, self.check(one, other, nominate=True, component=component))

    def media(self, link: Connection, payload: bytes = RTP, rounds: int = 2) -> None:
        """Send media both ways."""
        for _ in range(rounds):
            link.send(link.client, frame(payload))
            link.send(link.server, frame(payload))


def _with_values(attributes: list[RawAttribute], values: Mapping[Attribute, bytes]) -> list[RawAttribute]:
    kept = [RawAttribute(a.type, values[Attribute(a.type)]) if a.type in values else a for a in attributes]
    there = {attribute.type for attribute in attributes}
    return kept + [RawAttribute(kind, value) for kind, value in values.items() if kind not in there]


def described(agent: Agent, tcptypes: str, *, components: int = 1, **change: int) -> SessionDescription:
    """Return an agent's description with one host candidate per tcptype and component."""
    candidates = [
        candidate_of(agent, tcptype, component, **change)
        for component in range(1, components + 1)
        for tcptype in tcptypes.split()
    ]
    return SessionDescription.build(
        kind="audio",
        proto="TCP/RTP/AVP",
        formats=["0"],
        address=agent.ip,
        port=agent.passive,
        ufrag=agent.ufrag,
        pwd=agent.pwd,
        candidates=candidates,
    )


def candidate_of(agent: Agent, tcptype: str, component: int = 1, *, other: int = 8191, **change: int) -> Candidate:
    """Return a host candidate by the recommended formula."""
    ports = {"active": _DISCARD, "passive": agent.passive, "so": agent.so}
    plain = Candidate(
        foundation=f"{tcptype}1",
        component=component,
        transport="TCP",
        priority=priority(126, tcp_local_preference(_DIRECTIONS[tcptype], other), component),
        address=agent.ip,
        port=ports[tcptype] + (component - 1 if tcptype != "active" else 0),
        type="host",
        tcptype=tcptype,
    )
    return replace(plain, **change)  # type: ignore[arg-type]


# -- link layers -------------------------------------------------------------------------------------------------------


def ethernet(packet: bytes) -> bytes:
    """Return an Ethernet frame."""
    return bytes.fromhex("020000000002020000000001") + _kind(packet) + packet


def vlan(packet: bytes) -> bytes:
    """Return an Ethernet frame with two tags."""
    return bytes.fromhex("020000000002020000000001 88a80064 81000065") + _kind(packet) + packet


def cooked(packet: bytes) -> bytes:
    """Return a Linux cooked packet, version 1."""
    return bytes.fromhex("0000000100060200000000010000") + _kind(packet) + packet


def cooked2(packet: bytes) -> bytes:
    """Return a Linux cooked packet, version 2."""
    return _kind(packet) + bytes.fromhex("0000000000020001000602000000000 10000".replace(" ", "")) + packet


def loopback(packet: bytes) -> bytes:
    """Return a packet of BSD's loopback, whose family is in the octet order of the machine."""
    return (2 if packet[0] >> 4 == 4 else 30).to_bytes(4, "little") + packet


def _kind(packet: bytes) -> bytes:
    return b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"


def udp(source: Address, destination: Address, payload: bytes) -> bytes:
    """Return an IPv4 packet with a datagram, its checksum left out."""
    octets = [bytes(map(int, address.ip.split("."))) for address in (source, destination)]
    body = struct.pack("!HHHH", source.port, destination.port, 8 + len(payload), 0) + payload
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0) + b"".join(octets) + body

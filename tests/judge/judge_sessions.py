"""Random ICE-TCP sessions for the judge: lawful ones, recorded in every kind of circumstances, and one violation each."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from conformance.wire.attributes import Attribute, RawAttribute
from conformance.wire.rfc4571 import frame
from conformance.wire.stun import MessageClass, Method, build
from conformance.wire.tcp import ACK
from pcaps.golden import scene as s
from pcaps.golden.scene import Agent, Connection, Scene
from pcaps.packets import build as build_packet
from pcaps.packets import parse
from pcaps.pcapng import Packet, Writer, read

DATA = [s.RTP, s.RTP + bytes(1500), s.DTLS_HELLO, b"", b"0123456789", b"GET / HTTP/1.1", bytes(40), b"\x16\x03"]
Draw = Callable[[st.SearchStrategy], object]
_TURN = 4


@dataclass(slots=True)
class Session:
    """A session of two agents that writes itself step by step, each step drawn."""

    scene: Scene
    draw: Draw
    port: int = 50000

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def chance(self) -> bool:
        return self.draw(st.booleans())

    # -- connections -----------------------------------------------------------------------------------------------

    def ends(self, *, simultaneous: bool = False):
        scene = self.scene
        if simultaneous:
            return scene.left.at(scene.left.so), scene.right.at(scene.right.so)
        self.port += 1
        one, other = (scene.left, scene.right) if self.chance() else (scene.right, scene.left)
        return one.at(self.port), other.at(other.passive)

    def open(self, beside: Connection | None = None, *, so: bool = True) -> Connection:
        """Open a connection, perhaps beside one of another pair; before it some come to nothing."""
        for _ in range(self.number(0, 2)):
            answered, repeated = self.chance(), self.number(0, 2)
            self.scene.connection(*self.ends()).open(answered=False, refused=answered, repeated=repeated)
        simultaneous = so and beside is None and self.number(0, 3) == 0
        if beside is not None and beside.client.port > 50000:
            ends = replace(beside.server, port=51000), replace(beside.client, port=7000)
            return self.scene.connection(*ends).open()
        link = self.scene.connection(*self.ends(simultaneous=simultaneous))
        return link.open_simultaneously() if simultaneous else link.open()

    def say(self, link: Connection, agent: Agent, octets: bytes) -> None:
        """Send a frame, cut somewhere, perhaps repeated by TCP, perhaps after a keepalive of TCP."""
        source = link.client if agent.ip == link.client.ip else link.server
        framed = frame(octets)
        if self.number(0, 9) == 0:
            self.scene.packet(link._segment(source, ACK, b"\0")._replace(sequence=link._next[source] - 1))
        cut = self.number(0, len(framed) - 1)
        link.send(source, framed, cut=cut)
        if self.number(0, 9) == 0:
            link.resend(source, framed[cut:])

    # -- STUN ------------------------------------------------------------------------------------------------------

    def check(self, link: Connection, source: Agent, target: Agent, **change) -> None:
        request = self.scene.check(source, target, **change)
        self.say(link, source, request)
        if self.number(0, 5) == 0:
            self.say(link, target, b"")
        address = link.client if source.ip == link.client.ip else link.server
        self.say(link, target, self.scene.success(request, target, address))

    def validate(self, link: Connection) -> None:
        """Check both ways, the requests perhaps both before the responses."""
        scene = self.scene
        agents = [scene.left, scene.right] if self.chance() else [scene.right, scene.left]
        if self.chance():
            for one, other in (agents, agents[::-1]):
                self.check(link, one, other)
            return
        requests = [(one, other, scene.check(one, other)) for one, other in (agents, agents[::-1])]
        for one, _, request in requests:
            self.say(link, one, request)
        for one, other, request in requests:
            address = link.client if one.ip == link.client.ip else link.server
            self.say(link, other, scene.success(request, other, address))

    def roles(self) -> tuple[Agent, Agent]:
        scene = self.scene
        return (scene.left, scene.right) if scene.left.controlling else (scene.right, scene.left)

    def talk(self, link: Connection) -> None:
        """What may happen on a connection that both sides have validated."""
        scene = self.scene
        for _ in range(self.number(0, 5)):
            scene.wait(self.number(0, 6) * s.SECOND)
            one, other = (scene.left, scene.right) if self.chance() else (scene.right, scene.left)
            if self.chance():
                self.say(link, one, self.draw(st.sampled_from(DATA)))
            else:
                without = (Attribute.PRIORITY, Attribute.ICE_CONTROLLING, Attribute.ICE_CONTROLLED)
                self.check(link, one, other, without=without if self.chance() else ())

    def restart(self) -> None:
        scene = self.scene
        left, right = scene.left, scene.right
        swap = self.chance()
        scene.left, scene.right = (
            replace(a, ufrag=f"{a.ufrag}2", pwd=f"{a.pwd}2", controlling=a.controlling is not swap)
            for a in (left, right)
        )

    def whole(self) -> None:
        """A session: connections, checks, nomination, media, perhaps loss and reopening, perhaps a restart, the end."""
        links = [self.open()]
        if self.chance():
            links.append(self.open(links[0]))
        for link in links:
            self.validate(link)
        chosen = links[0]
        self.nominate(chosen)
        for link in links[1:]:
            link.end(link.client, reset=self.chance())
        self.talk(chosen)
        if self.chance():  # lost, and opened again by who opened it first
            chosen.end(chosen.client, reset=self.chance())
            chosen = self.reopened(chosen)
            self.validate(chosen)
            if self.chance():
                self.nominate(chosen)
            self.talk(chosen)
        if self.chance():
            self.restart()
            self.validate(chosen)
            self.nominate(chosen)
            self.talk(chosen)
        chosen.end(chosen.server if self.chance() else chosen.client, reset=self.chance())

    def reopened(self, link: Connection) -> Connection:
        """Open a connection's pair again: from another port, or that of the S-O candidate."""
        if link.client.port == self.scene.left.so:
            return self.scene.connection(link.client, link.server).open_simultaneously()
        self.port += 1
        return self.scene.connection(replace(link.client, port=self.port), link.server).open()

    def nominate(self, link: Connection) -> None:
        one, other = self.roles()
        self.check(link, one, other, nominate=True)


# -- beside it ---------------------------------------------------------------------------------------------------------


def bystander(scene: Scene, number: int) -> None:
    """A connection that is none of ICE's."""
    client, server = scene.left.at(40000 + number), scene.right.at((80, 443, 445, 53, 3478)[number % 5])
    link = scene.connection(client, server).open()
    request = scene.check(scene.left, scene.right)
    first = (
        b"GET / HTTP/1.1\r\n\r\n",
        s.TLS_HELLO,
        b"\0\0\0\x85\xffSMB" + bytes(125),
        (30).to_bytes(2, "big") + bytes(range(30)),
        stun(Method.ALLOCATE, MessageClass.REQUEST, scene.transaction()),
    )[number % 5]
    link.send(client, first)
    server_says = stun(Method.ALLOCATE, MessageClass.SUCCESS, first[8:20]) if number % 5 == _TURN else first[::-1]
    link.send(server, server_says)
    data = RawAttribute(Attribute.DATA, request)
    for _ in range(3):  # checks over UDP, relayed by ChannelData and Send indications: repeated, and not ICE-TCP's
        link.send(client, b"\x40\0" + len(request).to_bytes(2, "big") + request)
        link.send(client, stun(Method.SEND, MessageClass.INDICATION, scene.transaction(), data))


def stun(method: Method, cls: MessageClass, transaction: bytes, *attributes: RawAttribute) -> bytes:
    return build(method, cls, transaction, attributes, fingerprint=False)


# -- circumstances of recording ----------------------------------------------------------------------------------------


def packets_of(scene: Scene) -> list[Packet]:
    return list(read(io.BytesIO(scene.octets)))


def file_of(packets: list[Packet], link_type: int | None = None) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, packets[0].link_type if link_type is None else link_type)
    for packet in packets:
        writer.packet(packet.time_ns, packet.octets)
    return file.getvalue()


def duplicated(packets: list[Packet], draw: Draw) -> list[Packet]:
    """As recorded on two interfaces: every packet twice, the second one with a tag or not."""
    more = [
        Packet(p.time_ns + 20_000, s.vlan(p.octets[14:]) if n % 2 else p.octets, p.link_type)
        for n, p in enumerate(packets)
    ]
    return [packet for pair in zip(packets, more, strict=True) for packet in pair]


def wrapped(packets: list[Packet], draw: Draw) -> list[Packet]:
    """With sequence numbers that wrap somewhere."""
    shift = (1 << 32) - draw(st.integers(0, 7000))
    found = []
    for packet in packets:
        segment = parse(packet.link_type, packet.octets)
        if segment is None:
            found.append(packet)
            continue
        acknowledgement = (segment.acknowledgement + shift) % (1 << 32) if segment.flags & ACK else 0
        moved = segment._replace(sequence=(segment.sequence + shift) % (1 << 32), acknowledgement=acknowledgement)
        found.append(Packet(packet.time_ns, s.ethernet(build_packet(moved)), packet.link_type))
    return found


def shuffled(packets: list[Packet], draw: Draw) -> list[Packet]:
    """Written in another order than that of their times, as several processors do."""
    places = [packet.time_ns + draw(st.integers(0, 15)) * s.MILLISECOND // 10 for packet in packets]
    return [packet for _, packet in sorted(zip(places, packets, strict=True), key=lambda pair: pair[0])]


def thinned(packets: list[Packet], draw: Draw) -> list[Packet]:
    """With packets missing."""
    missing = draw(st.sets(st.integers(0, len(packets) - 1), min_size=1, max_size=6))
    return [packet for number, packet in enumerate(packets) if number not in missing]


def joined(packets: list[Packet], draw: Draw) -> list[Packet]:
    """Without the beginning."""
    return packets[draw(st.integers(0, min(30, len(packets) - 1))) :]


def cut(packets: list[Packet], draw: Draw) -> list[Packet]:
    """With every packet cut short."""
    snaplen = draw(st.integers(54, 200))
    return [packet._replace(octets=packet.octets[:snaplen]) for packet in packets]


def set_back(packets: list[Packet], draw: Draw) -> list[Packet]:
    """With a clock that was set back in between; one that was set forth shows nothing but time that passes."""
    place, step = draw(st.integers(0, len(packets))), draw(st.integers(-20, 0)) * s.SECOND
    return [p._replace(time_ns=max(0, p.time_ns + step * (number >= place))) for number, p in enumerate(packets)]


def untimed(packets: list[Packet], draw: Draw) -> list[Packet]:
    """Without times."""
    return [packet._replace(time_ns=0) for packet in packets]


HARMLESS = [duplicated, wrapped, shuffled]
HARMFUL = [*HARMLESS, thinned, joined, cut, set_back, untimed]

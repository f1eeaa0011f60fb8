"""A middle with one way between two ends that do as they are told: no kernel, no clock."""

from __future__ import annotations

from conformance.nattable.path import packets
from conformance.nattable.path.middle import Middle, Way
from conformance.nattable.path.nat import Dependence
from conformance.wire.attributes import Address
from conformance.wire.tcp import SYN, Segment, build, parse

EI, AD, APD = Dependence
SERVER = Address("192.0.2.1", 3478)
INNER = {"A": Address("10.1.0.1", 5000), "B": Address("10.2.0.1", 6000)}
OUTER = {"A": "198.18.0.1", "B": "198.19.0.1"}


def packet(source, destination, flags=SYN, data=b""):
    return packets.read(build(Segment(source, destination, 7, 0, flags, data=data)))


class Play:
    """A middle with one way whose ends are scripted."""

    def __init__(self, of_a, of_b, **more):
        self.out, self.now = [], 0.0
        self.middle = Middle(SERVER.ip, lambda end, octets: self.out.append((self.now, end, octets)))
        behaviours = {"A": of_a, "B": of_b}
        addresses = {name: (INNER[name].ip if behaviours[name] else OUTER[name], OUTER[name]) for name in "AB"}
        self.way = Way(addresses, behaviours, **more)
        self.middle.add(self.way)
        self.inner = {name: Address(addresses[name][0], INNER[name].port) for name in "AB"}
        self.mapped = {name: self.ask(name, self.inner[name]) for name in "AB"}

    def ask(self, name, source):
        """Let an end connect to the server; return where the server sees it."""
        self.send(name, source, SERVER)
        (got,) = self.came("S", 0.1)
        return got.source

    def send(self, name, source, destination, flags=SYN):
        self.middle.take(name, build(Segment(source, destination, 7, 0, flags)), self.now)

    def came(self, name, within=0.0):
        """Let some time pass; return what came to an end, and forget it."""
        until = self.now + within
        while (due := self.middle.next_time()) is not None and due <= until:
            self.now = max(self.now, due)
            self.middle.run(self.now)
        self.now = until
        found = [octets for _, end, octets in self.out if end == name]
        self.out = [entry for entry in self.out if entry[1] != name]
        return [parse(octets) or packets.read(octets) for octets in found]

    def open_both(self):
        """Let each end open to where the server saw the other."""
        self.send("A", INNER["A"], self.mapped["B"])
        self.send("B", INNER["B"], self.mapped["A"])

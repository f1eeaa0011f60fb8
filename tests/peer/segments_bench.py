"""How long a handshake of our own TCP with the kernel's takes: run it, it prints milliseconds (best quarter, median)."""

from __future__ import annotations

import random
import socket
import statistics
import time

from conformance.peer import lab

assert lab.enter() is None
wire = lab.lay_wire()
assert isinstance(wire, lab.Wire), wire

from conformance.peer.pump import Pump  # noqa: E402  (the network first, while there is one thread)
from conformance.peer.segments.script import Segments  # noqa: E402

pump = Pump()
address = lab.wire_address("IPv4", 1)
segments = Segments(wire, address, pump, random.Random(1))
server = socket.create_server((lab.WIRE_IUT["IPv4"], 0), backlog=512)
taken = []
for _ in range(300):
    begun = time.perf_counter()
    segments.connect(address, server.getsockname(), 5.0)
    taken.append((time.perf_counter() - begun) * 1000)
segments.close()
print(f"{statistics.quantiles(taken, n=4)[0]:.3f} {statistics.median(taken):.3f}")

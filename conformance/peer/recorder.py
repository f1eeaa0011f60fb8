"""Records every interface of the run's own network, every packet once, with the kernel's timestamps.

The kernel writes into a ring that is mapped into this process (packet(7), PACKET_RX_RING): its size does not depend on
socket buffer limits, which an ordinary user in a user namespace cannot raise.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import socket
import struct
import threading
from typing import TYPE_CHECKING

from conformance.peer import lab, packet_filter
from conformance.peer.share import WHOLE, Share

if TYPE_CHECKING:
    from collections.abc import Callable

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 263, 5, 6, 10
_TPACKET_V2 = 1
_FRAME, _BLOCK, _BLOCKS = 1 << 12, 1 << 16, 1 << 9  # octets of a slot and of a block; 32 MiB, 8192 slots in all
_SLOTS = _BLOCK // _FRAME * _BLOCKS
_HEADER = struct.Struct("=IIIHHII")  # status, length, captured, link and network offset, seconds, nanoseconds
_USER, _FREE = 1, bytes(4)
_DISCARD = 9
_MARK = 16
# Milliseconds from a packet to its taking, unless somebody waits: to take each alone costs a switch of threads.
_GATHER = 20


def permission() -> socket.socket:
    """Return a socket that gets no packets, as proof that they may be recorded. Raises `OSError` where they may not.

    Keep it: the kernel takes milliseconds to close a packet socket, and longer to clear the ring of a recorder.
    """
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


class Recorder:
    """A thread that gives each packet of the network to `sink`: nanoseconds since the epoch, octets from Ethernet on.

    Each packet is taken where it leaves; what comes over the wire leaves in another network, so it is taken where it
    comes. Raises `OSError` where packets may not be recorded. ``dropped`` counts what the kernel could not keep,
    ``cut`` the packets larger than a slot of the ring; `lost` is both. Of a `share`, only its own packets are recorded.
    """

    def __init__(self, sink: Callable[[int, bytes], None], wire: lab.Wire | None = None, share: Share = WHOLE) -> None:
        self.dropped = 0
        self.cut = 0
        self._sink = sink
        # A protocol but no interface: it hears all of them, also those that come later.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, struct.pack("IIII", _BLOCK, _BLOCKS, _FRAME, _SLOTS))
        interface = 0 if wire is None else socket.if_nametoindex(wire.iut)
        own = packet_filter.of_ranges(share.ranges) if share.of > 1 else ()
        packet_filter.attach(self._socket, packet_filter.once(interface, own))
        self._ring = mmap.mmap(self._socket.fileno(), _BLOCK * _BLOCKS)
        self._counting = threading.Lock()
        self._taking = threading.Lock()
        self._slot = 0  # the next that the kernel fills
        self._marks: dict[bytes, threading.Event] = {}
        self._markers = [(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), share.loopback(0))]
        if wire is not None:
            with wire.tester.inside():
                self._markers.append((socket.socket(socket.AF_INET, socket.SOCK_DGRAM), lab.WIRE_IUT["IPv4"]))
            self._markers[1][0].bind((lab.kernel_address("IPv4", share.on_wire(0)), 0))
        self._stopping = False
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def barrier(self, timeout: float = 5.0) -> bool:
        """Wait until every packet sent before this call has been recorded; False: not within `timeout` seconds.

        Datagrams are sent behind them, on loopback and over the wire. Mostly they are there at once, and the caller
        takes what is there. Else the recorder's thread says when they come by.
        """
        awaited = []
        for marker, target in self._markers:
            mark, seen = os.urandom(_MARK), threading.Event()
            self._marks[mark] = seen
            with contextlib.suppress(OSError):
                marker.sendto(mark, (target, _DISCARD))
            awaited.append((mark, seen))
        self._take_all()
        if not all(seen.is_set() for _, seen in awaited):
            os.write(self._wake, b"\0")
        done = [seen.wait(timeout) for _, seen in awaited]
        for mark, _ in awaited:
            self._marks.pop(mark, None)
        return all(done)

    @property
    def lost(self) -> int:
        """How many packets are missing or incomplete so far."""
        with self._counting:
            statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)  # since it was last asked
            self.dropped += struct.unpack("II", statistics)[1]
            return self.dropped + self.cut

    def close(self) -> int:
        """Stop recording; what came before is recorded. Return how many packets are missing in all."""
        self.barrier()
        self._stopping = True
        os.write(self._wake, b"\0")
        self._thread.join(2.0)
        lost = self.lost
        self._ring.close()
        self._socket.close()
        for marker, _ in self._markers:
            marker.close()
        os.close(self._woken)
        os.close(self._wake)
        return lost

    def _run(self) -> None:
        """Take what comes: a moment later, so that there is more of it, or at once while somebody waits for a mark."""
        packets, wakes = select.poll(), select.poll()
        packets.register(self._socket, select.POLLIN)
        for poller in (packets, wakes):
            poller.register(self._woken, select.POLLIN)
        while not self._stopping:
            packets.poll()
            if wakes.poll(0 if self._marks else _GATHER):
                os.read(self._woken, _MARK)
            self._take_all()

    def _take_all(self) -> None:
        """Take what the ring holds."""
        with self._taking:
            ring, slot = self._ring, self._slot
            while True:
                position = slot * _FRAME
                status, length, captured, link, _, seconds, nanoseconds = _HEADER.unpack_from(ring, position)
                if not status & _USER:
                    return
                self.cut += length > captured
                begin = position + link
                self._take(seconds * 1_000_000_000 + nanoseconds, ring[begin : begin + captured])
                ring[position : position + 4] = _FREE  # the slot is the kernel's again
                self._slot = slot = (slot + 1) % _SLOTS

    def _take(self, time_ns: int, octets: bytes) -> None:
        mark = self._marks.get(octets[-_MARK:]) if self._marks else None
        if mark is not None:
            mark.set()
        else:
            self._sink(time_ns, octets)

"""A UDP candidate of the lower tester: a socket whose datagrams are expected and answered as frames are.

It is there for what UDP and TCP have to do with each other (RFC 6544 sections 4.2, 4.3, 4.4 and 7); cases on ICE over
UDP alone are not this suite's.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

from conformance.peer.addresses import require_address
from conformance.peer.events import Expectation, Frame, as_expectation
from conformance.peer.traffic import datagrams_to
from conformance.verdict import Failed, Inconclusive, Missing
from conformance.wire.attributes import Address
from conformance.wire.candidate import Candidate, priority
from conformance.wire.layers import binding_success

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapy.packet import Packet

    from conformance.peer.connecting import Connecting
    from conformance.peer.pump import Pump
    from conformance.peer.traffic import Tap

_LARGEST = 65535
_HOST, _ONLY = 126, 65535  # type preference, and the local preference of an only address (RFC 8445 section 5.1.2)


class DatagramSocket:
    """Sends as scripted and takes what comes. While the peer is answering, valid checks are answered with success.

    ``selected`` is where a check with USE-CANDIDATE came from last. Unless it is ``direct``, it answers only what a
    TURN server of ours has relayed.
    """

    def __init__(self, peer: Connecting, pump: Pump, tap: Tap, component: int, address: str) -> None:
        self.component = component
        self.events: list[tuple[Address, Frame]] = []
        self.selected: Address | None = None
        self.direct = True
        self.first_request: int | None = None  # in which look at all sockets it was there
        self.first_request_at = 0.0  # when the tester had it
        self._peer = peer
        self._pump = pump
        self._tap = tap
        self._asked: set[bytes] = set()
        self._asked_last = b""
        self._taken: set[int] = set()
        self._relays: dict[Address, Callable[[bytes], None]] = {}  # how to reach what is behind a relay of ours
        self.socket = peer.sockets.make(address, socket.SOCK_DGRAM)
        try:
            self.socket.bind((address, 0))
        except OSError:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        self.local_address = Address(address, self.socket.getsockname()[1])
        pump.add(self)

    def candidate(self, **change: Any) -> Candidate:
        """Return a host candidate by RFC 8445's formula (section 5.1.2.1). `change` overrides any field."""
        fields: dict[str, Any] = {
            "foundation": f"udp{len(self._peer.datagram_sockets)}",
            "component": self.component,
            "transport": "UDP",
            "priority": priority(_HOST, _ONLY, self.component),
            "address": self.local_address.ip,
            "port": self.local_address.port,
            "type": "host",
        }
        return Candidate(**{**fields, **change})

    def send(self, data: bytes | Packet, target: Address) -> None:
        """Send a datagram with exactly these octets. Inconclusive where nothing can be sent to the target."""
        require_address(target)
        self._asked_last = bytes(data)[8:20]
        self._send(data, target)

    def _send(self, data: bytes | Packet, target: Address) -> None:
        octets = bytes(data)
        self._asked.add(octets[8:20])
        relay = self._relays.get(target)
        if relay is not None:
            relay(octets)
            return
        self._tap.datagram(self.local_address, target, octets, time.time_ns())
        with contextlib.suppress(OSError):  # the expectation that follows says what is missing
            self.socket.sendto(octets, (target.ip, target.port))

    def expect(self, wanted: Expectation | type[Expectation], *, within: float) -> tuple[Address, Frame]:
        """Wait for a datagram; return where it came from, and its content. Each fulfils one expectation only."""
        expectation = as_expectation(wanted)
        self._pump.wait(lambda: self._find(expectation) is not None, within)
        found = self._find(expectation)
        if found is None:
            self._look_for(expectation)
            raise Missing(
                f"{expectation.text} did not come to {self.local_address} over UDP",
                expected=f"{expectation.text} over UDP",
                actual=f"not within {within:g} s",
            )
        self._taken.add(id(found[1]))
        return found

    def await_frame(self, wanted: Expectation | type[Expectation], *, within: float) -> tuple[Address, Frame]:
        """Wait for a datagram as a preamble: inconclusive if it does not come."""
        try:
            return self.expect(wanted, within=within)
        except Failed as failure:
            raise Inconclusive(str(failure)) from failure

    def _look_for(self, wanted: Expectation) -> None:
        """Raise `Inconclusive` where it stands in the recording, but did not reach our socket."""
        known = {frame.octets for _, frame in self.events}
        for datagram in datagrams_to(self._peer.witness(), self.local_address):
            frame = self._frame(datagram.payload)
            if frame.octets not in known and wanted.fulfilled_by(frame):
                raise Inconclusive(
                    f"{frame} from {datagram.source} is in the recording but did not reach our socket: the IUT's "
                    "datagrams leave by another interface than the one that leads to us"
                )

    def _frame(self, octets: bytes) -> Frame:
        frame = Frame.of(octets, len(self.events) + 1, time.monotonic())
        message = frame.message
        if message is not None and (message.is_success or message.is_error):
            frame.solicited = message.transaction_id in self._asked
        return frame

    def expect_nothing(self, of: Expectation | type[Expectation], *, within: float) -> None:
        """Watch for `within` seconds that nothing of this kind comes."""
        unwanted = as_expectation(of)
        if self._pump.watch(lambda: self._find(unwanted) is not None, within):
            found = self._find(unwanted)
            assert found is not None
            raise Failed(
                f"{found[1]} came over UDP from {found[0]}",
                expected=f"nothing of this kind over UDP: {unwanted.text}",
                actual=f"{found[1]} came from {found[0]}",
            )

    def close(self) -> None:
        """Release the socket."""
        self._pump.remove(self)
        self.socket.close()

    def on_readable(self) -> None:
        """Take in a datagram, and answer it where that goes by itself."""
        try:
            octets, name = self.socket.recvfrom(_LARGEST)
        except OSError:  # gone again, or the news that an earlier datagram found nobody
            return
        source = Address(name[0], name[1])
        self._tap.datagram(source, self.local_address, octets, time.time_ns())
        self._took_in(octets, source)

    def reach(self, relayed: Address, by: Callable[[bytes], None]) -> None:
        """Send what goes to an address that a TURN server of ours has relayed by this server from now on."""
        self._relays[relayed] = by

    def take_relayed(self, octets: bytes, relayed: Address) -> None:
        """Take in a datagram that has come from a relayed address."""
        self._took_in(octets, relayed)

    def _took_in(self, octets: bytes, source: Address) -> None:
        frame = self._frame(octets)
        message = frame.message
        self.events.append((source, frame))
        if self.first_request is None and message is not None and message.is_request:
            self.first_request, self.first_request_at = self._pump.looks, time.monotonic()
        answering = self._peer.answering and (self.direct or source in self._relays)
        if message is not None and message.is_request and answering and self._peer.is_valid(frame):
            if message.use_candidate and not self._peer.controlling:
                self.selected = source
            self._send(binding_success(message.transaction_id, source, self._peer.pwd), source)

    def _find(self, wanted: Expectation) -> tuple[Address, Frame] | None:
        new = (event for event in self.events if id(event[1]) not in self._taken)
        return next((e for e in new if wanted.fulfilled_by(e[1]) and self._concerns(wanted, e[1])), None)

    def _concerns(self, wanted: Expectation, frame: Frame) -> bool:
        """Whether this does not answer an earlier request, where an expectation names no request."""
        earlier = frame.solicited and frame.stun.transaction_id != self._asked_last
        return not (wanted.to_latest and earlier)

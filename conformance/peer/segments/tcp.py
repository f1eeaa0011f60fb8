"""One end of a TCP connection: it follows RFC 9293, except where a script wants otherwise. No socket, no clock.

Everything that the script does not control is done as a real stack would: the handshake, acknowledging, keeping to the
window of the other side, sending again what is not acknowledged. There is no congestion control, and no acknowledgement
is delayed.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from conformance.wire.tcp import ACK, FIN, PSH, RST, SYN, Segment, syn_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.wire.attributes import Address

_WRAP = 0xFFFFFFFF
_HALF = 1 << 31


class State(enum.Enum):
    """States of RFC 9293 section 3.3.2, as far as the lower tester tells them apart."""

    CLOSED = "CLOSED"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"  # and what follows it until both FINs are acknowledged: see `fin_sent` and so on


class Tcp:
    """A connection's state; packets to send are given to `transmit`."""

    def __init__(self, local: Address, remote: Address, iss: int, transmit: Callable[[Segment], None]) -> None:
        self.local, self.remote = local, remote
        self.state = State.CLOSED
        self.iss, self.irs = iss, 0
        self.snd_una = self.snd_nxt = iss
        self.rcv_nxt = 0
        self.window = 0xFFFF  # what we announce
        self.acknowledging = True  # off: what comes is taken in, but the other side is not told
        self.mss = 1440 if ":" in local.ip else 1460
        self.incoming = bytearray()  # in order, not yet read
        self.fin_sent = self.fin_received = self.reset = self.refused = False
        self.probes = 0  # segments that came while our window was shut
        self.crossed = False  # SYN met SYN: a simultaneous open
        self.seen: list[Segment] = []  # the opening: what came up to ESTABLISHED
        self._transmit = transmit
        self._peer_window, self._peer_scale, self._peer_mss = 0, 0, 536
        self._early: dict[int, bytes] = {}  # out of order: sequence number -> data
        self._early_fin: int | None = None
        self._waiting = bytearray()  # sent by the script, for which the other side's window has no room
        self.finishing = False  # FIN follows behind what waits
        self._unacknowledged: list[Segment] = []

    # -- opening -------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Send SYN."""
        self.state = State.SYN_SENT
        self._begin(SYN)

    def accept(self, syn: Segment) -> None:
        """Answer a SYN with SYN,ACK."""
        self._meet(syn)
        self.state = State.SYN_RECEIVED
        self._begin(SYN | ACK)

    def _begin(self, flags: int) -> None:
        """Send what opens the connection, and again until it is acknowledged."""
        self._unacknowledged = [self._segment(flags, sequence=self.iss, options=syn_options(self.mss))]
        self.snd_nxt = self.iss + 1 & _WRAP
        self._transmit(self._unacknowledged[0])

    def cross(self, syn: Segment, ending: str = "syn-ack", data: bytes = b"") -> None:
        """Let our SYN meet one that is on its way (RFC 9293 section 3.5, figure 8), ending in a lawful way.

        "syn-ack": with SYN,ACK, as the RFC draws it; "ack": with a mere ACK once theirs has come, as when ours was
        lost; "data": with an ACK that carries data.
        """
        self.open()
        self.crossed = True
        self._meet(syn)
        self.state = State.SYN_RECEIVED
        if ending == "syn-ack":
            self._begin(SYN | ACK)
        elif ending == "data":
            self._waiting += data

    def _meet(self, syn: Segment) -> None:
        self.seen.append(syn)
        self.irs, self.rcv_nxt = syn.sequence, syn.sequence + 1 & _WRAP
        self._peer_mss, self._peer_scale = syn.mss, syn.scale or 0
        self._peer_window = syn.window

    # -- what comes ----------------------------------------------------------------------------------------------

    def receive(self, segment: Segment) -> None:
        """Process a segment (RFC 9293 section 3.10.7)."""
        if self.state is State.CLOSED:
            return
        if self.state is not State.ESTABLISHED:
            self.seen.append(segment)
        if segment.has(RST):
            self._on_reset(segment)
        elif self.state is State.SYN_SENT:
            self._in_syn_sent(segment)
        elif segment.has(SYN):
            self._on_syn(segment)
        elif segment.has(ACK):
            self._on_acknowledgement(segment)
            self._on_data(segment)

    def _on_reset(self, segment: Segment) -> None:
        if self.state is State.SYN_SENT:
            if segment.has(ACK) and segment.acknowledgement == self.snd_nxt:
                self.refused = True
                self.state = State.CLOSED
        elif segment.sequence == self.rcv_nxt:
            self.reset = True
            self.state = State.CLOSED
        elif _distance(self.rcv_nxt, segment.sequence) < self.window:
            self.acknowledge()  # a challenge: who means it sends the RST again where it fits (RFC 5961 section 3)

    def _in_syn_sent(self, segment: Segment) -> None:
        if segment.has(ACK) and segment.acknowledgement != self.snd_nxt:
            self._emit(RST, sequence=segment.acknowledgement, bare=True)
            return
        if not segment.has(SYN):
            return
        self._meet(segment)
        if segment.has(ACK):
            self.snd_una = segment.acknowledgement
            self._unacknowledged.clear()
            self._stand(segment)
            self.acknowledge()
        else:
            self.crossed = True
            self.state = State.SYN_RECEIVED
            self._begin(SYN | ACK)

    def _on_syn(self, segment: Segment) -> None:
        """Their SYN again, or in a simultaneous open their SYN,ACK."""
        if self.state is State.SYN_RECEIVED and segment.sequence == self.irs:
            if segment.has(ACK) and segment.acknowledgement == self.snd_nxt:
                self._on_acknowledgement(segment)
                self.acknowledge()
            elif not segment.has(ACK):
                self._emit(SYN | ACK, sequence=self.iss, options=syn_options(self.mss))
        elif self.state is State.ESTABLISHED:
            self.acknowledge()

    def _stand(self, segment: Segment) -> None:
        self.state = State.ESTABLISHED
        self._peer_window = segment.window if segment.has(SYN) else segment.window << self._peer_scale
        self._push()

    def _on_acknowledgement(self, segment: Segment) -> None:
        ahead = _distance(self.snd_una, segment.acknowledgement)
        if ahead > _distance(self.snd_una, self.snd_nxt):
            if self.state is State.SYN_RECEIVED:
                self._emit(RST, sequence=segment.acknowledgement, bare=True)
            return
        self.snd_una = segment.acknowledgement
        self._unacknowledged = [s for s in self._unacknowledged if not self._is_acknowledged(s)]
        if self.state is State.SYN_RECEIVED and ahead:
            self._stand(segment)
            return
        self._peer_window = segment.window if segment.has(SYN) else segment.window << self._peer_scale
        self._push()

    def _is_acknowledged(self, segment: Segment) -> bool:
        return _distance(segment.sequence + segment.length & _WRAP, self.snd_una) < _HALF

    def _on_data(self, segment: Segment) -> None:
        if self.window == 0:
            if segment.length or segment.sequence != self.rcv_nxt:
                self.probes += 1
                self.acknowledge()
            return
        if not segment.length:
            if segment.sequence != self.rcv_nxt:  # a keepalive, or a probe of a window that is open by now
                self.acknowledge()
            return
        if segment.data and len(segment.data) > len(self._early.get(segment.sequence, b"")):
            self._early[segment.sequence] = segment.data
        if segment.has(FIN):
            self._early_fin = segment.sequence + len(segment.data) & _WRAP
        self._put_in_order()
        if self.acknowledging:
            self.acknowledge()

    def _put_in_order(self) -> None:
        progress = True
        while progress:
            progress = False
            for sequence, data in list(self._early.items()):
                behind = _distance(sequence, self.rcv_nxt)
                if behind >= _HALF:
                    continue  # not yet
                del self._early[sequence]
                new = data[behind:]
                self.incoming += new
                self.rcv_nxt = self.rcv_nxt + len(new) & _WRAP
                progress = True
        if self._early_fin == self.rcv_nxt and not self.fin_received:
            self.fin_received = True
            self.rcv_nxt = self.rcv_nxt + 1 & _WRAP

    # -- what the script does ------------------------------------------------------------------------------------

    def send(self, octets: bytes) -> None:
        """Send in order, in segments as large as the other side takes, as its window allows."""
        self._waiting += octets
        self._push()

    def arrange(self, octets: bytes, pieces: Iterable[tuple[int, int]], *, recover: bool = True) -> None:
        """Send segments with these (begin, end) parts of the octets, in this order.

        They may come in any order, overlap, repeat and leave gaps; what the other side lacks in the end is sent again
        as a real stack would, unless not `recover`.
        """
        base = self.snd_nxt
        for begin, end in pieces:
            self._emit(PSH | ACK, octets[begin:end], sequence=base + begin)
        self.snd_nxt = base + len(octets) & _WRAP
        if recover:
            for begin in range(0, len(octets), self._peer_mss):
                piece = octets[begin : begin + self._peer_mss]
                self._unacknowledged.append(self._segment(PSH | ACK, piece, sequence=base + begin))

    def inject(self, segment: Segment) -> None:
        """Send a segment that the script has made, even if it harms the connection."""
        self._transmit(segment)

    def finish(self) -> None:
        """Send FIN behind everything sent so far, also behind what waits for the other side's window."""
        if self.fin_sent or self.state not in (State.ESTABLISHED, State.SYN_RECEIVED):
            return
        self.finishing = bool(self._waiting)
        if not self.finishing:
            self.fin_sent = True
            segment = self._segment(FIN | ACK)
            self._unacknowledged.append(segment)
            self._transmit(segment)
            self.snd_nxt = self.snd_nxt + 1 & _WRAP

    def abort(self) -> None:
        """Send RST."""
        if self.state is not State.CLOSED:
            self._emit(RST | ACK if self.rcv_nxt else RST)
            self.state = State.CLOSED

    def acknowledge(self) -> None:
        """Send an ACK of what has come, with the window that we announce."""
        self._emit(ACK)

    def repeat(self) -> bool:
        """Send the oldest segment that is not acknowledged again, or probe a shut window; False: neither is due."""
        if self.state is State.CLOSED:
            return False
        if not self._unacknowledged and self._waiting and self.state is State.ESTABLISHED:
            self._queue(bytes(self._waiting[:1]))  # RFC 9293 section 3.8.6.1
            del self._waiting[:1]
            return True
        if not self._unacknowledged:
            return False
        first = self._unacknowledged[0]
        first.acknowledgement, first.window = self.rcv_nxt if first.has(ACK) else 0, self.window
        self._transmit(first)
        return True

    @property
    def outstanding(self) -> int:
        """Octets of ours that the other side has not acknowledged."""
        return _distance(self.snd_una, self.snd_nxt)

    @property
    def overdue(self) -> object | None:
        """What has to be sent again, or to go through a shut window as a probe, unless something comes; None: nothing.

        As long as it is the same object, the time for it runs.
        """
        return self._unacknowledged[0] if self._unacknowledged else (self._waiting or None)

    # -- inner works ---------------------------------------------------------------------------------------------

    def _push(self) -> None:
        while self._waiting and self.state is State.ESTABLISHED:
            room = min(self._peer_window - self.outstanding, self._peer_mss, self.mss)
            if room <= 0:
                return
            octets = bytes(self._waiting[:room])
            del self._waiting[:room]
            self._queue(octets)
        if self.finishing and not self._waiting and self.state is State.ESTABLISHED:
            self.finish()

    def _queue(self, octets: bytes) -> None:
        segment = self._segment(PSH | ACK, octets)
        self._unacknowledged.append(segment)
        self.snd_nxt = self.snd_nxt + len(octets) & _WRAP
        self._transmit(segment)

    def _emit(
        self, flags: int, data: bytes = b"", *, sequence: int | None = None, options: bytes = b"", bare: bool = False
    ) -> None:
        segment = self._segment(flags, data, sequence=sequence, options=options)
        if bare:
            segment.acknowledgement = 0
        self._transmit(segment)

    def _segment(self, flags: int, data: bytes = b"", *, sequence: int | None = None, options: bytes = b"") -> Segment:
        return Segment(
            self.local,
            self.remote,
            (self.snd_nxt if sequence is None else sequence) & _WRAP,
            self.rcv_nxt if flags & ACK else 0,
            flags,
            self.window,
            data,
            options,
        )


def _distance(earlier: int, later: int) -> int:
    """Return how far one sequence number lies ahead of another, modulo 2**32."""
    return later - earlier & _WRAP

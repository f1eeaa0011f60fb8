"""TCP connections of a capture: their octets put in order and cut into frames, the frames decoded, the doubts kept.

The reading finds its way back after gaps and notices what stands outside frames. Of media it keeps either every frame
or, so that a connection of any length takes little memory, only how many frames there were.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.wire.attributes import Address
from conformance.wire.errors import StunError
from conformance.wire.integrity import Check
from conformance.wire.stun import Message, View, looks_like_stun
from conformance.wire.tcp import ACK, FIN, RST, SYN
from pcaps.frames import COOKIE, Cut, FrameReader
from pcaps.packets import Segment
from pcaps.reassembly import Piece, Reassembly

_SPACE = 1 << 32
_PATIENCE = 8  # segments that may wait behind a gap although an acknowledgement shows that it was none
_MOST_ENDS = 64  # ends of segments in a frame that are kept
_MOST_HELD, _MOST_WAITING = 1 << 20, 1 << 12  # octets, segments
_SHOWN = 64
_TOLERANCE_NS = 100_000_000
_RECORDS = range(20, 27)  # content types of (D)TLS
_VERSIONS = (b"\x01", b"\x03", b"\xfe")  # what a record's version begins with: DTLS before it had one, TLS, DTLS
_COST, _COST_OF_EVENT = 4, 512  # of a connection in events, of an event in octets
MOST_EVENTS = 20_000  # of a connection, unless every frame is kept: checks for consent in a call of many hours


@dataclass(slots=True)
class Event:
    """Something that happened on a connection, at the packet that brought it about.

    ``what``: syn, syn-ack, frame, unframed, gap, fin or rst. A frame has its ``payload``, the number of data
    ``segments`` it came in, and ``order``: its place among the frames that its last segment completed (so that
    coalesced frames show). ``count``: unless every frame is kept, consecutive frames of media are one event, with the
    beginning of the first one for its payload. ``whole``: the capture holds all of its octets. ``certain``: every octet
    before it in its direction is in the capture and in a frame, so that any reader finds the frame at the same place.
    ``ends``: after how many octets of the frame, LENGTH included, the first segments end that do not complete it.
    """

    time_ns: int
    from_client: bool
    what: str
    payload: bytes = b""
    segments: int = 0
    order: int = 0
    count: int = 1
    whole: bool = True
    stun: bool = False
    certain: bool = False
    ends: tuple[int, ...] = ()
    view: View | None = field(default=None, compare=False, repr=False)

    @property
    def message(self) -> Message | None:
        """The STUN message that the frame is, if it is one."""
        return decoded(self.payload)[0] if self.stun else None

    @property
    def problem(self) -> StunError | None:
        """What is wrong with a frame that looks like STUN."""
        return decoded(self.payload)[1] if self.stun else None


@functools.lru_cache(maxsize=256)
def decoded(payload: bytes) -> tuple[Message | None, StunError | None]:
    """Return the message that a payload is, or what is wrong with it."""
    try:
        return Message.decode(payload), None
    except StunError as problem:
        return None, problem


@dataclass(slots=True)
class _Direction:
    """One direction's octets."""

    frames: FrameReader = field(default_factory=lambda: FrameReader(synced=False))
    order: Reassembly = field(default_factory=Reassembly)
    segments: int = 0
    ends: list[int] = field(default_factory=list)  # where segments end in the frame that is not complete yet
    initial: int | None = None  # the sequence number of its SYN
    last_ns: int = -1
    data_ns: int = 0  # when its latest octets came
    synced: bool = False  # its SYN was seen
    finished: bool = False  # its FIN was seen
    doubted: bool = False  # octets are missing, or stand outside frames
    acknowledged: int | None = None
    media: dict[str, Event] = field(default_factory=dict)  # what further frames of media add to, by their family

    def end_segment(self, *, completed: bool) -> None:
        """Note where a segment ended in a frame; `completed`: it also completed the frame before."""
        if completed and self.ends:
            self.ends.clear()
        if self.frames.pending and self.frames.synced and len(self.ends) < _MOST_ENDS:
            self.ends.append(self.frames.pending)

    @property
    def unseen(self) -> bool:
        """Whether the other side has acknowledged octets that the capture does not hold. FIN counts as one."""
        if self.acknowledged is None:
            return False
        return self.order.beyond(self.acknowledged) > int(self.finished)


@dataclass(slots=True)
class Connection:
    """A TCP connection. ``client`` sent the first SYN seen; without one (``began`` false) it spoke first.

    ``full``: every frame of media is an event with its whole payload. ``clipped``: events that were not kept, because
    the connection had too many. ``disordered``: the packets' times go back further than recording on several processors
    explains, so that the order is not known.
    """

    client: Address
    server: Address
    began: bool
    full: bool = False
    events: list[Event] = field(default_factory=list)
    clipped: int = 0
    disordered: bool = False
    weight: int = 0  # about what it costs in memory, in events; kept by the caller
    grown: bool = True  # whether it may cost something else than it did
    frames_seen: int = 0
    first_ns: int = -1
    last_ns: int = 0
    _directions: tuple[_Direction, _Direction] = field(default_factory=lambda: (_Direction(), _Direction()))
    _ends: set[tuple[str, bool]] = field(default_factory=set)
    _asked: set[bool] = field(default_factory=set)  # the sides that sent SYN alone
    _answered: set[bool] = field(default_factory=set)  # those that sent SYN and ACK

    @property
    def frames(self) -> list[Event]:
        """The frames of both directions, in the order of the capture."""
        return [event for event in self.events if event.what == "frame"]

    @property
    def lossy(self) -> bool:
        """Whether octets are missing from the capture, so that silence in it proves nothing."""
        return self.lossy_from(client=True) or self.lossy_from(client=False)

    def lossy_from(self, *, client: bool) -> bool:
        """Whether octets of one direction are missing."""
        direction = self._directions[not client]
        order = direction.order
        return order.missing or order.lost > 0 or direction.unseen

    def complete_from(self, *, client: bool) -> bool:
        """Whether the capture holds this direction's octets from the first one on, as far as it goes."""
        return self._directions[not client].synced and not self.lossy_from(client=client) and not self.clipped

    def rest(self, *, client: bool) -> bytes:
        """Return the beginning, LENGTH included, of a frame that this direction never completed."""
        return self._directions[not client].frames.rest

    def unfinished(self, *, client: bool) -> int:
        """Return how many octets this direction sent of a frame that it never completed."""
        return self._directions[not client].frames.pending

    def opened_by(self, *, client: bool) -> bool:
        """Whether this side asked for the connection; in a simultaneous open both do."""
        if client in self._asked or (not client) in self._answered:
            return True
        return client and not self.began and not self._directions[1].synced

    @property
    def ended(self) -> bool:
        """Whether either side has ended it."""
        return bool(self._ends)

    @property
    def started(self) -> bool:
        """Whether octets have come."""
        return any(side.segments or side.order.missing for side in self._directions)

    def last_from(self, *, client: bool) -> int:
        """Return when this side was last seen; -1: never."""
        return self._directions[not client].last_ns

    def octets_from(self, *, client: bool) -> int:
        """Return how many octets of one side the capture has."""
        order = self._directions[not client].order
        return order.seen - order.lost

    def cost(self) -> int:
        """Return about what this connection costs in memory, in events."""
        one, other = self._directions
        waiting = one.order.held + other.order.held + one.frames.pending + other.frames.pending
        return _COST + len(self.events) + waiting // _COST_OF_EVENT

    def take(self, segment: Segment, time_ns: int) -> None:
        """Take in a segment of this connection."""
        source = segment.source
        from_client = source is self.client or (source is not self.server and source == self.client)
        direction = self._directions[not from_client]
        sequence = segment.sequence
        if time_ns >= self.last_ns:  # nearly always
            self.last_ns = direction.last_ns = time_ns
            if self.first_ns < 0:
                self.first_ns = time_ns
        else:
            self._back_in_time(direction, time_ns)
        if segment.flags & SYN:
            direction.initial = sequence
            self.began |= from_client and not segment.flags & ACK  # the answer to it may be recorded before it
            sequence = (sequence + 1) % _SPACE
            self._syn(direction, sequence)
            (self._answered if segment.flags & ACK else self._asked).add(from_client)
            self._keep(Event(time_ns, from_client, "syn-ack" if segment.flags & ACK else "syn"))
        if segment.payload or segment.lacking:
            direction.segments += 1
            self._data(direction, segment, sequence, time_ns, from_client)
        if segment.flags & ACK:
            self._acknowledged(segment.acknowledgement, not from_client)
        if segment.flags & (FIN | RST):
            self._endings(segment, time_ns, from_client)

    def _back_in_time(self, direction: _Direction, time_ns: int) -> None:
        self.first_ns = min(time_ns, self.first_ns)
        self.disordered |= time_ns < self.last_ns - _TOLERANCE_NS
        direction.last_ns = max(direction.last_ns, time_ns)

    def finish(self) -> None:
        """Say that no more comes: what waits behind a gap is taken as it is."""
        for from_client in (True, False):
            direction = self._directions[not from_client]
            while direction.order.missing:
                self._pieces(direction, direction.order.skip(), from_client)
            for order, cut in enumerate(direction.frames.end()):
                self._frame(direction, cut, direction.data_ns, from_client, order)
        # What waited behind a gap came earlier than it seemed, and captures may be out of order.
        self.events.sort(key=lambda event: event.time_ns)

    def _syn(self, direction: _Direction, sequence: int) -> None:
        if direction.order.expected is None:
            direction.order.expected = sequence
            direction.synced = direction.frames.synced = True

    def _acknowledged(self, acknowledgement: int, from_client: bool) -> None:
        """Give up a gap whose octets the other side has, or behind which too much waits."""
        direction = self._directions[not from_client]
        order = direction.order
        known = direction.acknowledged
        if known is None or 0 < (acknowledgement - known) % _SPACE < _SPACE // 2:
            direction.acknowledged = acknowledgement
        if order.waiting >= _PATIENCE and order.beyond(acknowledgement) > 0:
            self.grown = True
            self._pieces(direction, order.skip(), from_client)

    def _data(self, direction: _Direction, segment: Segment, sequence: int, time_ns: int, from_client: bool) -> None:
        payload = segment.payload
        direction.data_ns = time_ns
        if not segment.lacking and direction.order.next(sequence, len(payload)):
            if direction.media and direction.frames.passes(payload):
                known = direction.media.get(family(payload[2:4]))
                if known is not None:  # one more of what there is: by far the most of a long call
                    known.count += 1
                    self.frames_seen += 1
                    direction.segments = 0
                    return
            self.grown = True
            cuts = direction.frames.feed(payload)  # in order, whole, and the way to cut stays: the usual case
            order = -1
            for order, cut in enumerate(cuts):
                self._frame(direction, cut, time_ns, from_client, order)
            direction.end_segment(completed=order >= 0)
            if order >= 0:
                direction.segments = 1 if direction.frames.pending else 0
            return
        self.grown = True
        queue = direction.order
        self._pieces(direction, queue.take(sequence, payload, segment.lacking, time_ns), from_client)
        if queue.held > _MOST_HELD or queue.waiting > _MOST_WAITING:
            self._pieces(direction, queue.skip(), from_client)

    def _pieces(self, direction: _Direction, pieces: list[Piece], from_client: bool) -> None:
        order = -1
        for order, (cut, time_ns) in enumerate(self._cuts(direction, pieces, from_client)):
            self._frame(direction, cut, time_ns, from_client, order)
        if order >= 0:
            direction.segments = 1 if direction.frames.pending else 0

    def _cuts(self, direction: _Direction, pieces: list[Piece], from_client: bool) -> Iterator[tuple[Cut, int]]:
        """Yield what the pieces complete."""
        for piece, time_ns in pieces:
            if isinstance(piece, int):
                direction.doubted = True
                cuts = direction.frames.hole(piece)
                self._keep(Event(time_ns, from_client, "gap", count=piece))
            else:
                cuts = direction.frames.feed(piece)
            for cut in cuts:
                yield cut, time_ns
            if cuts or not isinstance(piece, int):
                direction.end_segment(completed=bool(cuts))

    def _frame(self, direction: _Direction, cut: Cut, time_ns: int, from_client: bool, order: int) -> None:
        payload, what = cut.payload, "frame" if cut.framed else "unframed"
        segments, ends = (direction.segments, tuple(direction.ends)) if order == 0 else (1, ())
        self.frames_seen += cut.frames
        view = _view(payload) if cut.whole and payload[4:8] == COOKIE else None
        stun = cut.whole and (looks_like_stun(payload) if view is None else view.fingerprint is not Check.INVALID)
        if not self.full and not stun and what == "frame" and payload[4:8] != COOKIE:
            event = Event(time_ns, from_client, "frame", payload[:_SHOWN], segments, order, cut.frames, cut.whole)
            self._media(direction, event, family(payload), ends)
            return
        direction.media.clear()
        direction.doubted |= not cut.framed
        certain = direction.synced and not direction.doubted
        self._keep(
            Event(
                time_ns, from_client, what, payload, segments, order, cut.frames, cut.whole, stun, certain, ends, view
            )
        )

    def _media(self, direction: _Direction, event: Event, kind: str, ends: tuple[int, ...]) -> None:
        """Keep the first of the frames of media that follow each other, and count the others."""
        known = direction.media.get(kind)
        if known is not None:
            known.count += event.count
            return
        event.ends = ends
        direction.media[kind] = event
        self._keep(event)

    def _keep(self, event: Event) -> None:
        if not self.full and len(self.events) >= MOST_EVENTS:
            self.clipped += 1
            return
        self.events.append(event)
        self.grown = True

    def _endings(self, segment: Segment, time_ns: int, from_client: bool) -> None:
        if segment.flags & FIN:
            self._directions[not from_client].finished = True
        for flag, what in ((FIN, "fin"), (RST, "rst")):
            if segment.flags & flag and (what, from_client) not in self._ends:
                self._ends.add((what, from_client))
                self.grown = True
                self.events.append(Event(time_ns, from_client, what))

    def begun_anew_by(self, segment: Segment) -> bool:
        """Whether this is the SYN of another connection on the same pair of ports."""
        if not segment.flags & SYN or segment.flags & ACK:
            return False
        if self.ended:
            return True
        side = self._directions[segment.source != self.client]
        if side.initial is not None:
            return side.initial != segment.sequence  # the same again is TCP's own retransmission
        expected = side.order.expected
        return expected is not None and expected != (segment.sequence + 1) % _SPACE


def _view(payload: bytes) -> View | None:
    try:
        return View(payload)
    except StunError:
        return None


def family(payload: bytes) -> str:
    """Return what a payload that is no STUN message is, by its first octet (RFC 7983 section 7).

    Of (D)TLS by the second one as well: application data may begin with a digit or a capital.
    """
    if not payload:
        return "null"
    first = payload[0]
    if first in _RECORDS and payload[1:2] in _VERSIONS:
        return "dtls"
    return "rtp" if 128 <= first <= 191 else "data"

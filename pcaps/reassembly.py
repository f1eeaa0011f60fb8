"""One direction of a TCP connection: its octets put in order, and what is missing of them made known."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush

_SPACE = 1 << 32
_HALF = 1 << 31

Piece = tuple[bytes | int, int]  # octets, or how many octets the capture does not hold; and when they came


@dataclass(slots=True)
class _Held:
    """A segment that waits."""

    payload: bytes
    lacking: int
    time_ns: int

    @property
    def length(self) -> int:
        return len(self.payload) + self.lacking


@dataclass(slots=True)
class Reassembly:
    """Segments go in as they were recorded, octets come out as they were sent.

    Retransmitted and overlapping octets count once, the first copy. What lies behind a gap waits until the gap is
    filled, and then has come at that time; or until `skip` gives the gap up, and then it came when it was recorded.
    ``lost`` counts the octets that were given up or cut off. However many wait, each costs about the same.
    """

    expected: int | None = None
    lost: int = 0
    held: int = 0  # octets that wait
    _seen: int = 0  # octets up to `expected`, counted without end, so that positions can be compared
    _waiting: dict[int, _Held] = field(default_factory=dict)  # by position
    _positions: list[int] = field(default_factory=list)  # the same positions as a heap

    def take(self, sequence: int, payload: bytes, lacking: int, time_ns: int) -> list[Piece]:
        """Return what this segment adds to the octets in order; `lacking`: what was cut off behind its payload."""
        if self.expected is None:
            self.expected = sequence
        if sequence == self.expected and not self._waiting:  # nearly always
            return self._advance(payload, lacking, time_ns)
        ahead = (sequence - self.expected) % _SPACE
        position = self._seen + (ahead if ahead < _HALF else ahead - _SPACE)
        if position + len(payload) + lacking > self._seen:  # else it was seen before
            self._hold(position, _Held(payload, lacking, time_ns))
        return self._ready(time_ns)

    def _hold(self, position: int, held: _Held) -> None:
        known = self._waiting.get(position)
        if known is None:
            heappush(self._positions, position)
        elif held.length <= known.length:
            return
        self._waiting[position] = held
        self.held += len(held.payload) - (len(known.payload) if known else 0)

    def next(self, sequence: int, length: int) -> bool:
        """Count so many octets as seen if they are the very next ones and nothing waits; False: `take` must."""
        if sequence != self.expected or self._waiting:
            return False
        self.expected = (sequence + length) % _SPACE
        self._seen += length
        return True

    def skip(self) -> list[Piece]:
        """Give up the octets before what waits first, and return what can be told from there on."""
        if not self._waiting or self.expected is None:
            return []
        first = self._positions[0]
        ahead, time_ns = first - self._seen, self._waiting[first].time_ns
        self.expected = (self.expected + ahead) % _SPACE
        self._seen = first
        self.lost += ahead
        return [(ahead, time_ns), *self._ready(None)]

    @property
    def missing(self) -> bool:
        """Whether octets wait behind a gap."""
        return bool(self._waiting)

    @property
    def seen(self) -> int:
        """How many octets came out, those given up included."""
        return self._seen

    @property
    def waiting(self) -> int:
        """How many segments wait."""
        return len(self._waiting)

    def beyond(self, acknowledgement: int) -> int:
        """Return how many octets this acknowledgement covers that the capture has not shown."""
        ahead = 0 if self.expected is None else (acknowledgement - self.expected) % _SPACE
        return ahead if ahead < _HALF else 0

    def _advance(self, payload: bytes, lacking: int, time_ns: int) -> list[Piece]:
        assert self.expected is not None
        length = len(payload) + lacking
        self.expected = (self.expected + length) % _SPACE
        self._seen += length
        pieces: list[Piece] = [(payload, time_ns)] if payload else []
        if lacking:
            self.lost += lacking
            pieces.append((lacking, time_ns))
        return pieces

    def _ready(self, filled_ns: int | None) -> list[Piece]:
        pieces: list[Piece] = []
        while self._positions and self._positions[0] <= self._seen:
            position = heappop(self._positions)
            held = self._waiting.pop(position)
            self.held -= len(held.payload)
            behind = self._seen - position
            if behind < held.length:
                lacking = held.lacking - max(0, behind - len(held.payload))
                time_ns = held.time_ns if filled_ns is None else filled_ns
                pieces += self._advance(held.payload[behind:], lacking, time_ns)
        return pieces

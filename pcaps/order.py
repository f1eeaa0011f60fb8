"""One direction of a TCP connection: its octets put in order, and what is missing of them made known."""

from __future__ import annotations

from dataclasses import dataclass, field

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
class Order:
    """Segments go in as they were recorded, octets come out as they were sent.

    Retransmitted and overlapping octets count once, the first copy. What lies behind a gap waits until the gap is
    filled, and then has come at that time; or until `skip` gives the gap up, and then it came when it was recorded.
    ``lost`` counts the octets that were given up or cut off.
    """

    expected: int | None = None
    lost: int = 0
    held: int = 0  # octets that wait
    _waiting: dict[int, _Held] = field(default_factory=dict)

    def take(self, sequence: int, payload: bytes, lacking: int, time_ns: int) -> list[Piece]:
        """Return what this segment adds to the octets in order; `lacking`: what was cut off behind its payload."""
        if self.expected is None:
            self.expected = sequence
        if sequence == self.expected and not self._waiting:  # nearly always
            return self._advance(payload, lacking, time_ns)
        known = self._waiting.get(sequence)
        if known is None or len(payload) + lacking > known.length:
            self._waiting[sequence] = _Held(payload, lacking, time_ns)
            self.held += len(payload) - (len(known.payload) if known else 0)
        return self._ready(time_ns)

    def next(self, sequence: int, length: int) -> bool:
        """Count so many octets as seen if they are the very next ones and nothing waits; False: `take` must."""
        if sequence != self.expected or self._waiting:
            return False
        self.expected = (sequence + length) % _SPACE
        return True

    def skip(self) -> list[Piece]:
        """Give up the octets before what waits first, and return what can be told from there on."""
        if not self._waiting or self.expected is None:
            return []
        expected = self.expected
        ahead, first = min((((sequence - expected) % _SPACE), sequence) for sequence in self._waiting)
        time_ns = self._waiting[first].time_ns
        self.expected = first
        self.lost += ahead
        return [(ahead, time_ns), *self._ready(None)]

    @property
    def missing(self) -> bool:
        """Whether octets wait behind a gap."""
        return bool(self._waiting)

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
        self.expected = (self.expected + len(payload) + lacking) % _SPACE
        pieces: list[Piece] = [(payload, time_ns)] if payload else []
        if lacking:
            self.lost += lacking
            pieces.append((lacking, time_ns))
        return pieces

    def _ready(self, filled_ns: int | None) -> list[Piece]:
        pieces: list[Piece] = []
        while (found := self._next()) is not None:
            pieces += self._advance(found.payload, found.lacking, found.time_ns if filled_ns is None else filled_ns)
        return pieces

    def _next(self) -> _Held | None:
        """Return the next octets in order, if they are here; what has been seen already is dropped."""
        assert self.expected is not None
        for sequence in list(self._waiting):
            behind = (self.expected - sequence) % _SPACE
            if behind >= _HALF:
                continue  # lies ahead
            held = self._waiting.pop(sequence)
            self.held -= len(held.payload)
            if behind < held.length:
                cut = max(0, behind - len(held.payload))
                return _Held(held.payload[behind:], held.lacking - cut, held.time_ns)
        return None

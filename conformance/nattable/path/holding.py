"""SYNs held on their way, so that what two kernels do does not depend on which of them was faster. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.nattable.path.packets import Packet

PATIENCE = 3.0  # seconds after which what is held goes on, whatever happens


class Timing(enum.StrEnum):
    """How the SYNs of a simultaneous open meet."""

    CROSSING = "crossing"  # both have left their NATs before either arrives
    OFFERER_FIRST = "offerer first"  # one has arrived, and been answered, before the other leaves
    FREE = "free"  # as it happens


@dataclass(slots=True)
class Crossing:
    """Holds, between the NATs, the first SYN of each end until the other end's has come as well."""

    _held: dict[str, Packet] = field(default_factory=dict)
    _since: float = 0.0
    _open: bool = False

    def take(self, end: str, syn: Packet, now: float) -> list[tuple[str, Packet]]:
        """Take the SYN of an end; return what may go on, with whose it is."""
        if self._open:
            return [(end, syn)]
        if not self._held:
            self._since = now
        self._held[end] = syn  # a repeated one takes the place of the first
        return self._release() if len(self._held) == 2 else []

    def due(self, now: float) -> list[tuple[str, Packet]]:
        """Return what has been held for too long."""
        when = self.next_time()
        return self._release() if when is not None and when <= now else []

    def next_time(self) -> float | None:
        """Return when `due` has something to do."""
        return self._since + PATIENCE if self._held else None

    def _release(self) -> list[tuple[str, Packet]]:
        self._open = True
        held, self._held = list(self._held.items()), {}
        return held


@dataclass(slots=True)
class Stagger:
    """Holds, before its NAT, the SYN of the `second` end until `lag` seconds after the other end's has left its own."""

    second: str
    lag: float
    _held: Packet | None = None
    _when: float | None = None

    def left(self, end: str, now: float) -> None:
        """Note that an end's SYN has left."""
        if end != self.second and self._when is None:
            self._when = now + self.lag

    def take(self, end: str, syn: Packet, now: float) -> bool:
        """Whether a SYN has to wait."""
        if end != self.second or (self._when is not None and self._when <= now):
            return False
        self._held = syn
        return True

    def due(self, now: float) -> list[tuple[str, Packet]]:
        """Return what may go on now."""
        when = self.next_time()
        if when is None or when > now or self._held is None:
            return []
        held, self._held = self._held, None
        return [(self.second, held)]

    def next_time(self) -> float | None:
        """Return when `due` has something to do."""
        return self._when if self._held is not None else None

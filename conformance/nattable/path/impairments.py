"""What a link does to packets: delay, jitter, loss, reordering, and an MTU. Pure, driven by a seeded generator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.nattable.path.packets import error_about
from conformance.wire import icmp, ip

if TYPE_CHECKING:
    import random

    from conformance.nattable.path.packets import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """Times are seconds, shares from 0 to 1, the MTU octets of an IP packet (0: any).

    Every packet takes ``delay`` and up to ``jitter`` more, but overtakes none; only the share ``reordering`` is late by
    ``lateness`` more, so that others overtake it.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    reordering: float = 0.0
    lateness: float = 0.02
    mtu: int = 0

    @property
    def is_gentle(self) -> bool:
        """Whether it loses, swaps and refuses nothing."""
        return not (self.loss or self.reordering or self.mtu)


@dataclass(slots=True)
class Leg:
    """One direction of a link. ``counts`` says what became of packets."""

    impairment: Impairment
    rng: random.Random
    counts: dict[str, int] = field(default_factory=lambda: {"passed": 0, "lost": 0, "late": 0, "too big": 0})
    _last: float = 0.0

    def send(self, packet: Packet, now: float) -> tuple[float | None, Packet | None]:
        """Return when the packet arrives (None: never), and the error that goes back to its source, if any."""
        kind = self.impairment
        if kind.mtu and len(packet.octets) > kind.mtu:
            self.counts["too big"] += 1
            cut = ip.may_be_fragmented(packet.octets) or packet.is_error
            return None, None if cut else error_about(packet, icmp.TOO_BIG, mtu=kind.mtu)
        if kind.loss and self.rng.random() < kind.loss:
            self.counts["lost"] += 1
            return None, None
        self.counts["passed"] += 1
        arrival = max(now + kind.delay + (self.rng.uniform(0, kind.jitter) if kind.jitter else 0.0), self._last)
        if kind.reordering and self.rng.random() < kind.reordering:
            self.counts["late"] += 1
            return arrival + kind.lateness, None  # without moving `_last`: those behind it go ahead
        self._last = arrival
        return arrival, None

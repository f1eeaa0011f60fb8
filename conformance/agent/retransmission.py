"""When a request over UDP is sent again, and when it is given up (RFC 8489 section 6.2.1, RFC 8445 section 14.3)."""

from __future__ import annotations

from dataclasses import dataclass

RC, RM = 7, 16  # how often a request is sent; how many RTO after the last time it is given up
MIN_RTO = 0.5


def rto(pacing: float, checks: int, unfinished: int) -> float:
    """Return RTO in seconds for one of so many checks, of which so many are waiting or in progress."""
    return max(MIN_RTO, pacing * checks * unfinished)


@dataclass(slots=True)
class Retransmission:
    """The fate of a request that has been sent once, at `began`. Times are seconds on the caller's clock."""

    request: bytes
    began: float
    rto: float
    sent: int = 1

    @property
    def next_time(self) -> float | None:
        """Return when it is to be sent again, each time after twice as long; None: no more."""
        return self.began + self.rto * ((1 << self.sent) - 1) if self.sent < RC else None

    @property
    def deadline(self) -> float:
        """Return when it is given up; with the least RTO after 39.5 s."""
        return self.began + self.rto * ((1 << (RC - 1)) - 1 + RM)

    def take(self, now: float) -> bool:
        """Whether the request is to be sent again now."""
        due = self.next_time
        if due is None or now < due:
            return False
        self.sent += 1
        return True

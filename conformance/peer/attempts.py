"""How many connection attempts of the IUT's are outstanding at once, as the kernel's own table tells (RFC 6544 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.peer import kernel_tables, silence
from conformance.verdict import Inconclusive, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.peer.pump import Pump

# Seconds between two looks. Unanswered attempts last for far longer, and for each look the kernel goes through its
# whole table, which takes some milliseconds.
_LOOK = 0.1
_MOST_CALMS = 10  # times that an IUT which goes on making attempts may begin the calm anew


def most_outstanding(pump: Pump, address: str, *, within: float, calm: float) -> int:
    """Watch how many attempts to an address of ours are outstanding, until no new one comes for `calm` seconds.

    Return the most. Inconclusive if the IUT made none `within` seconds. A slow IUT is watched for longer: each attempt
    that it begins, and each look at which its adapter still has to answer, begins the calm anew.
    """
    if silence.is_shared(address):
        raise NotApplicable(f"whose attempts these are cannot be told on {address}, which the IUT uses too")
    most, seen = 0, set[tuple[object, object]]()

    def more() -> bool:
        nonlocal most
        outstanding = kernel_tables.outstanding_attempts(address)
        new = outstanding - seen
        seen.update(new)
        most = max(most, len(outstanding))
        return bool(new)

    if not _looks(pump, more, within):
        raise Inconclusive("the IUT made no connection attempt")
    end = pump.deadline(_MOST_CALMS * calm)
    while (_looks(pump, more, calm) or pump.watch(more, _LOOK)) and pump.left(end) > 0:
        pass
    return most


def _looks(pump: Pump, condition: Callable[[], bool], within: float) -> bool:
    """Look again and again whether something holds that no event tells of, until it does or the time is over."""
    end = pump.deadline(within)
    while not pump.poll(condition, min(_LOOK, pump.left(end))):
        if pump.left(end) <= 0:
            return False
    return True

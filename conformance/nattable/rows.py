"""The combinations that the table has, and the few that show most of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from conformance.nattable.model import FAILS, Row, expect
from conformance.nattable.path.holding import Timing
from conformance.nattable.path.nat import Behaviour, Dependence, Unsolicited

if TYPE_CHECKING:
    from collections.abc import Sequence

_EI, _AD, _APD = Dependence
_DROP, _RESET, _ICMP = Unsolicited


def every_row() -> list[Row]:
    """Return each two of no NAT and the NATs; then SYNs one after the other, and agents without S-O candidates.

    What fails is there a second time, with a relay.
    """
    natted = [Behaviour(m, f, u) for m in Dependence for f in Dependence for u in (_DROP, _RESET)]
    natted += [Behaviour(_EI, f, _ICMP) for f in (_AD, _APD)]  # as RFC 5382 asks for (REQ-1, REQ-3, REQ-4)
    crossing = [Row(one, other) for one, other in product([None, *natted], repeat=2)]
    return _with_relays(crossing) + _ordered() + _without_so()


def quick_rows() -> list[Row]:
    """Return one row of each outcome that takes less than a few seconds, and of each behaviour."""
    open_, by_address, by_port = (Behaviour(_EI, f, _DROP) for f in (_EI, _AD, _APD))
    symmetric, resetting = Behaviour(_APD, _APD, _DROP), Behaviour(_EI, _APD, _RESET)
    pairs: list[tuple[Behaviour | None, Behaviour | None]] = [
        (None, None),
        (None, symmetric),
        (by_port, None),
        (open_, open_),
        (by_address, Behaviour(_APD, _APD, _RESET)),
        (by_port, by_port),
        (resetting, resetting),
        (Behaviour(_EI, _AD, _ICMP), Behaviour(_AD, _AD, _RESET)),
    ]
    relayed = [Row(symmetric, symmetric, relay=True), Row(by_port, Behaviour(_AD, _APD, _RESET), relay=True)]
    return (
        [Row(*pair) for pair in pairs]
        + relayed
        + [row for row in (*_ordered(), *_without_so()[::4]) if expect(row).by != FAILS]
    )


def _ordered() -> list[Row]:
    kinds = [Behaviour(_EI, _APD, unsolicited) for unsolicited in Unsolicited]
    return _with_relays([Row(one, other, Timing.OFFERER_FIRST) for one in kinds[:2] for other in kinds])


def _without_so() -> list[Row]:
    kinds = [None, Behaviour(_EI, _EI), Behaviour(_APD, _EI), Behaviour(_EI, _AD), Behaviour(_APD, _APD, _RESET)]
    return _with_relays([Row(one, other, simultaneous=False) for one, other in product(kinds, repeat=2)])


def _with_relays(rows: Sequence[Row]) -> list[Row]:
    found = []
    for row in rows:
        found.append(row)
        if expect(row).by == FAILS:
            found.append(replace(row, relay=True))
    return found

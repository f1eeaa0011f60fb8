"""In which order the addresses of both families are preferred (RFC 8421 section 4)."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def interleaved(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses with some IPv6 ones first, then the families in turn; each family keeps its order.

    The head start is the section's formula: all addresses divided by those of IPv4. The order becomes the local
    preference, so that both sides' check lists come out alike and neither family waits long for its turn.
    """
    every = list(addresses)
    six = [ip for ip in every if ":" in ip]
    four = [ip for ip in every if ":" not in ip]
    head = len(every) // len(four) if four else len(six)
    mixed = (ip for both in zip_longest(four, six[head:]) for ip in both if ip is not None)
    return (*six[:head], *mixed)

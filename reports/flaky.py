"""Variants that were executed several times and did not always come to the same verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from conformance.verdict import Result, Verdict, is_rule, variant_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDER = list(Verdict)


def tell(results: Iterable[Result]) -> list[Result]:
    """Note on each repetition of a flaky variant how often which verdict came; return these results.

    None of them becomes a pass by that: a repetition that failed has failed.
    """
    groups: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        if not is_rule(result.case):
            groups[variant_of(result.case)].append(result)
    found = []
    for group in groups.values():
        counts = Counter(result.verdict for result in group)
        if len(counts) < 2:
            continue
        words = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in _ORDER if counts[verdict])
        for result in group:
            result.flaky = f"of {len(group)} repetitions {words}"
            found.append(result)
    return found

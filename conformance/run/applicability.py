"""What can be judged on this IUT, in this environment: asked before variants are combined, and before one is executed.

Dimensions (family, role, components, ...) are combined pairwise. The values that cannot be judged are left out first,
so that every two of the values that are left still meet in some variant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.catalogue.capabilities import unmet
from conformance.suites.dimensions import conditions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.run.case import Case

BOTH = ("IPv4", "IPv6")


@dataclass(slots=True)
class Applicability:
    """`families`: the address families of this environment; `wire`: those in which the tester has its own segments.

    `absent`: why a family is not among them.

    `left_out` notes the reasons for which values of a dimension were not combined, with the functions of the cases
    that this concerns.
    """

    pics: Mapping[str, Any]
    families: Sequence[str] = BOTH
    wire: Sequence[str] = BOTH
    absent: str = "there is no {family} here; icetcp doctor says more"
    left_out: dict[str, set[Callable[..., None]]] = field(default_factory=dict)
    _unmet: dict[tuple[str, ...], list[str]] = field(default_factory=dict, compare=False, repr=False)

    def reasons(self, case: Case) -> list[str]:
        """Return why a variant cannot be judged; nothing if it can."""
        shape = case.shape_for(self.pics)
        needs = (*case.needs, *shape.needs)
        if needs not in self._unmet:  # variants of many cases need the same
            self._unmet[needs] = unmet(dict.fromkeys(needs), self.pics)
        return self._unmet[needs] + self._lacking(shape.family, in_segments=case.in_segments)

    def judges(self, dimension: str, value: object, *, case: Callable[..., None], in_segments: bool) -> bool:
        """Whether a value of a dimension can be judged; if not, the reason is noted for this case."""
        reasons = unmet(conditions_of(dimension, value), self.pics)
        if dimension == "family":
            reasons += self._lacking(str(value), in_segments=in_segments)
        for reason in reasons:
            self.left_out.setdefault(reason, set()).add(case)
        return not reasons

    def _lacking(self, family: str, *, in_segments: bool) -> list[str]:
        if family not in self.families:
            return [self.absent.format(family=family)]
        if in_segments and self.wire and family not in self.wire:
            return [f"there is no {family} on the wire; icetcp doctor says more"]
        return []

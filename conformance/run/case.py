"""What a case is: a function with the requirements that it tests, its parameters and its conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.peer.shape import Shape
from conformance.verdict import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case with its parameters bound. `needs` are the PICS conditions of the case and its requirements.

    `in_segments`: the tester's TCP is made of segments of its own instead of the kernel's. `watches`: seconds of a
    clock of the protocol that the case lets pass; it is declared for those that are long. `lasts`: seconds that it
    takes for other reasons, likewise. `source`: the file of a private case.
    """

    id: str
    title: str
    purpose: str
    section: str
    requirements: tuple[str, ...]
    level: Level
    function: Callable[..., None]
    needs: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    in_segments: bool = False
    watches: float = 0.0
    lasts: float = 0.0
    source: str = ""

    def shape_for(self, pics: Mapping[str, Any]) -> Shape:
        """How it is carried out with this IUT: over IPv6 where it has nothing else and the case leaves it open."""
        if "shape" in self.parameters or "family" in self.parameters:
            return self.shape
        families = [str(family) for family in pics.get("families", ["4"])]
        return Shape(family="IPv6") if "4" not in families and "6" in families else self.shape

    @property
    def shape(self) -> Shape:
        """How it is carried out; a parameter `family` alone is a shape as well."""
        shape = self.parameters.get("shape")
        return shape if isinstance(shape, Shape) else Shape(family=str(self.parameters.get("family", "IPv4")))

    @property
    def length(self) -> float:
        """How many seconds it takes at least, as far as declared: the longest begin first, others pass meanwhile."""
        return max(self.watches, self.lasts)

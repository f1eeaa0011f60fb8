"""Small classes of values that are not changed once they are made: quick to define, to make and to compare.

A process of ours defines a hundred of them when it starts. For each, `dataclass(frozen=True, slots=True)` writes and
compiles six functions, in half a millisecond: a third of the start of the reference agent, and a fifth of a run's. One
of these is a dataclass for which only `__init__` is compiled. That a field is never assigned holds mypy, not Python,
which then also need not go around its own guard for each field of each object.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[_T]) -> type[_T]:
    """Make a dataclass with slots, equality, hash and repr, as `dataclass(frozen=True, slots=True)` does."""
    made: Any = dataclass(slots=True, eq=False, repr=False)(cls)
    compared = _getter([f.name for f in fields(made) if f.compare])
    hashed = _getter([f.name for f in fields(made) if (f.compare if f.hash is None else f.hash)])
    shown = [f.name for f in fields(made) if f.repr]

    def equal(self: object, other: object) -> bool:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: object) -> int:
        return hash(hashed(self))

    def text(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    for name, method in (("__eq__", equal), ("__hash__", hash_of), ("__repr__", text)):
        if name not in cls.__dict__:
            setattr(made, name, method)
    changed: type[_T] = made
    return changed


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives the values of these fields of an object."""
    if len(names) > 1:
        return attrgetter(*names)
    if names:
        one = attrgetter(names[0])
        return lambda made: (one(made),)
    return lambda _made: ()

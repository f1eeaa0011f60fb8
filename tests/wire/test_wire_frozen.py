"""Classes of values behave as frozen dataclasses with slots do, but for the guard that mypy is."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, dataclass, field, fields, replace

import pytest

from conformance.wire.frozen import frozen


@frozen
class Ours:
    """One."""

    a: int
    b: tuple[str, ...] = ()
    unseen: int = field(default=0, compare=False, repr=False)


@frozen
class Single:
    """One field."""

    a: int


@frozen
class Derived(Single):
    """Another field, and a text of its own."""

    b: int = 5

    def __repr__(self) -> str:
        return "derived"


@frozen
class Nothing:
    """No field."""


@dataclass(frozen=True, slots=True)
class Plain:
    """As `Ours`."""

    a: int
    b: tuple[str, ...] = ()
    unseen: int = field(default=0, compare=False, repr=False)


@pytest.mark.parametrize("kind", [Ours, Plain])
def test_what_is_compared_hashed_and_shown(kind: type[Ours]) -> None:
    one, same, other = kind(1, ("x",), 3), kind(1, b=("x",), unseen=4), kind(2)
    assert one == same
    assert hash(one) == hash(same) == hash((1, ("x",)))
    assert one != other
    assert one != (1, ("x",), 3)
    assert repr(one) == f"{kind.__name__}(a=1, b=('x',))"
    assert [f.name for f in fields(one)] == list(kind.__slots__) == ["a", "b", "unseen"]
    assert asdict(one) == {"a": 1, "b": ("x",), "unseen": 3}
    assert replace(one, a=2, b=()) == other
    assert pickle.loads(pickle.dumps(one)) == copy.copy(one) == copy.deepcopy(one) == one
    assert kind.__match_args__ == ("a", "b", "unseen")
    with pytest.raises((AttributeError, TypeError)):  # 3.11 raises TypeError for a frozen class
        one.unknown = 1


def test_one_field_none_and_more_in_a_subclass() -> None:
    assert Single(1) == Single(1)
    assert hash(Single(1)) == hash((1,))
    assert Single(1) != Derived(1, 5)
    assert Derived(1) == Derived(1, 5) != Derived(1, 6)
    assert repr(Derived(1)) == "derived"
    assert repr(Single(1)) == "Single(a=1)"
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(())
    assert repr(Nothing()) == "Nothing()"

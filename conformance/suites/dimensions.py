"""Dimensions that must not change a verdict, combined so that every two values meet in some variant of a case."""

from __future__ import annotations

import functools
import itertools
import zlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from conformance.peer.shape import Shape
from conformance.verdict import case_name as case_name  # re-exported
from conformance.verdict import variant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

F = TypeVar("F", bound="Callable[..., None]")

SIDES = ("offerer", "answerer")
FAMILIES = ("IPv4", "IPv6")
# The first value of each is the usual one.
DIMENSIONS: dict[str, tuple[Any, ...]] = {
    "family": FAMILIES,
    "roles": ("own", "switched"),
    "segmentation": ("whole", "octets", "cut1", "cut2", "cut", "drip", "coalesced"),
    "components": (1, 2),
    "candidates": ("described", "trickled"),
    "sdp": ("plain", "strange"),
}
ON_TOP = ("candidates", "sdp")  # whose unusual values get a variant of their own, so that no other is lost with it
# Behind every octet of a frame's LENGTH and of a check up to the end of its user name: the shortest check is longer.
EVERY_CUT = tuple(range(1, 61))


def pairwise(values: Mapping[str, Sequence[Any]], first: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return rows in which every two values of different dimensions meet; `first` are rows to begin with.

    Greedy: a row begins with a pair that is still missing and takes, dimension by dimension, the value that adds most
    missing pairs. The same values give the same rows.
    """
    names = list(values)
    missing = {
        frozenset({(one, a), (other, b)})
        for one, other in itertools.combinations(names, 2)
        for a in values[one]
        for b in values[other]
    }
    order = {(name, value): n for n, (name, value) in enumerate((n, v) for n in names for v in values[n])}
    rows = [dict(row) for row in first] or [{name: values[name][0] for name in names}]
    for row in rows:
        missing -= _pairs(row)
    while missing:
        row = dict(min(missing, key=lambda pair: sorted(order[item] for item in pair)))
        for name in names:
            if name not in row:
                gains = [len(_pairs({**row, name: value}) & missing) for value in values[name]]
                row[name] = values[name][gains.index(max(gains))]
        missing -= _pairs(row)
        rows.append({name: row[name] for name in names})
    return rows


def _pairs(row: Mapping[str, Any]) -> set[frozenset[tuple[str, Any]]]:
    return {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}


@functools.cache
def _rows(chosen: tuple[tuple[str, tuple[Any, ...]], ...]) -> tuple[Mapping[str, Any], ...]:
    """Return the variants of a case, which are the same wherever the same values of dimensions are asked for."""
    values = dict(chosen)
    usual = {name: items[0] for name, items in values.items()}
    return tuple(pairwise(values, [{**usual, "side": one} for one in values["side"]]))


@functools.cache
def _parameters(row: tuple[tuple[str, Any], ...], with_side: bool) -> Any:
    """Return the parameters of a variant, which many cases have in common."""
    values = dict(row)
    side = values.pop("side")
    shape = Shape(**values)
    arguments = (side, shape) if with_side else (shape,)
    return pytest.param(*arguments, id="-".join([side, *shape.words]))


class Variants(list[Any], ABC):
    """The values of a mark `parametrize` that vary dimensions: all of them, to be made anew for an IUT with `of`."""

    @abstractmethod
    def of(self, judges: Callable[[str, object], bool]) -> Variants:
        """Return the variants made of those values of each dimension that can be judged, or all if too few can."""


class _Pairwise(Variants):
    """Every two values of different dimensions meet."""

    def __init__(self, case: str, values: Mapping[str, tuple[Any, ...]], cuts: Sequence[int], with_side: bool) -> None:
        self._case, self._values, self._cuts, self._with_side = case, dict(values), cuts, with_side
        merged = {name: items for name, items in values.items() if name not in ON_TOP}
        usual = {name: items[0] for name, items in merged.items()}
        rows = list(_rows(tuple(merged.items())))
        sides = merged["side"]
        further = ({**usual, "side": sides[n % len(sides)], "segmentation": f"cut{n}"} for n in cuts)
        rows += [row for row in further if row not in rows]
        for name in ON_TOP:
            rows += [_on_top(case, merged, name, value) for value in values.get(name, ())[1:]]
        super().__init__(_parameters(tuple(row.items()), with_side) for row in rows)

    def of(self, judges: Callable[[str, object], bool]) -> Variants:
        """Return the variants made of those values of each dimension that can be judged, or all if too few can."""
        left = {name: tuple(v for v in items if judges(name, v)) for name, items in self._values.items()}
        if left == self._values or not all(left.values()):
            return self
        return _Pairwise(self._case, left, self._cuts, self._with_side)


class _Each(Variants):
    """Each value of one dimension."""

    def __init__(self, dimension: str, values: Sequence[str]) -> None:
        self._dimension, self._values = dimension, values
        super().__init__(pytest.param(value, id=value) for value in values)

    def of(self, judges: Callable[[str, object], bool]) -> Variants:
        """Return those values that can be judged, or all if there are none."""
        left = [value for value in self._values if judges(self._dimension, value)]
        return _Each(self._dimension, left) if left else self


class _Crosswise(Variants):
    """Each side with the next of the families."""

    def __init__(self, sides: Sequence[str], families: Sequence[str]) -> None:
        self._sides, self._families = sides, families
        pairs = itertools.islice(zip(itertools.cycle(sides), itertools.cycle(families)), max(len(sides), len(families)))
        super().__init__(pytest.param(*pair, id="-".join(pair)) for pair in pairs)

    def of(self, judges: Callable[[str, object], bool]) -> Variants:
        """Return the variants made of those sides and families that can be judged, or all if there are none."""
        sides = [side for side in self._sides if judges("side", side)]
        families = [family for family in self._families if judges("family", family)]
        return _Crosswise(sides, families) if sides and families else self


def varied(*names: str, side: str = "", cuts: Sequence[int] = ()) -> Callable[[F], F]:
    """Make a case of variants: on both sides of offer and answer, and in these dimensions, pairwise.

    A case whose function has no `side` says which one it is on. `cuts`: further variants in which what we send is cut
    behind that octet. Variants are named after what is unusual in them: offerer, answerer-IPv6-octets.

    Candidates that trickle come on top, in one variant, so that an IUT without trickle misses nothing else: they meet
    every value of the other dimensions in some case, not in each. So do strange descriptions, in the same cases.
    """
    chosen = [*names, *(["sdp"] if "candidates" in names else [])]
    values = {"side": (side,) if side else SIDES, **{name: DIMENSIONS[name] for name in chosen}}
    arguments = ("side", "shape") if not side else ("shape",)

    def decorate(function: F) -> F:
        variants = _Pairwise(function.__name__, values, cuts, with_side=not side)
        vary = pytest.mark.parametrize(arguments, variants, indirect=["shape"])
        marked: F = pytest.mark.usefixtures("shape")(vary(function))
        return marked

    return decorate


both_sides = pytest.mark.parametrize("side", _Each("side", SIDES))


def both_families(function: F) -> F:
    """Make a case run over IPv4 and over IPv6, without its function having to know."""
    vary = pytest.mark.parametrize("family", _Each("family", FAMILIES), indirect=True)
    marked: F = pytest.mark.usefixtures("family")(vary(function))
    return marked


def crosswise(function: F) -> F:
    """Make a case run with the IUT as offerer over IPv4 and as answerer over IPv6: each of either once."""
    vary = pytest.mark.parametrize(("side", "family"), _Crosswise(SIDES, FAMILIES), indirect=["family"])
    marked: F = pytest.mark.usefixtures("family")(vary(function))
    return marked


def conditions_of(dimension: str, value: object) -> tuple[str, ...]:
    """Return the PICS conditions that a value of a dimension puts on an IUT."""
    if dimension == "side":
        return (f"sides:{value}",)
    needs = Shape(**{dimension: value}).needs  # type: ignore[arg-type]  # a value of that dimension
    usual = Shape().needs if dimension != "family" else ()
    return tuple(atom for atom in needs if atom not in usual)


def _on_top(case: str, chosen: Mapping[str, Sequence[Any]], dimension: str, value: str) -> dict[str, Any]:
    """Return the row with this value of a dimension; the case's name says what else is unusual in it."""
    seed = "" if dimension == "candidates" else dimension
    turns = {name: zlib.crc32(f"{case} {name}{seed}".encode()) for name in chosen}
    return {**{name: values[turns[name] % len(values)] for name, values in chosen.items()}, dimension: value}


def usual_form(identifier: str) -> str:
    """Return the id of the usual variant with the same side and parameters: x[12-offerer] for x[12-offerer-IPv6]."""
    name, bracket, rest = variant_of(identifier).partition("[")
    words = rest.removesuffix("]").split("-")
    behind = max((n for n, word in enumerate(words) if word in SIDES), default=len(words))
    kept = [word for n, word in enumerate(words) if n <= behind or not _is_word(word)]
    return f"{name}[{'-'.join(kept)}]" if bracket else name


def _is_word(word: str) -> bool:
    return word in _unusual() or (word.startswith("cut") and word[3:].isdigit())


@functools.cache
def _unusual() -> frozenset[str]:
    """Return the words of unusual values; "2" alone may be any parameter's."""
    words = {str(value) for values in DIMENSIONS.values() for value in values[1:]}
    return frozenset(words | {"2components"}) - {"2"}

"""Dimensions that must not change a verdict, combined so that every two values meet in some variant of a case."""

from __future__ import annotations

import functools
import itertools
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from conformance.peer.shape import Shape
from conformance.verdict import case_name as case_name  # re-exported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

F = TypeVar("F", bound="Callable[..., None]")

SIDES = ("offerer", "answerer")
# The first value of each is the usual one.
DIMENSIONS: dict[str, tuple[Any, ...]] = {
    "family": ("IPv4", "IPv6"),
    "roles": ("own", "switched"),
    "segmentation": ("whole", "octets", "cut1", "cut2", "cut", "drip", "coalesced"),
    "components": (1, 2),
    "candidates": ("described", "trickled"),
}
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


def _chosen(sides: tuple[str, ...], names: tuple[str, ...]) -> dict[str, Sequence[Any]]:
    return {"side": sides, **{name: DIMENSIONS[name] for name in names}}


@functools.cache
def _rows(sides: tuple[str, ...], names: tuple[str, ...]) -> tuple[Mapping[str, Any], ...]:
    """Return the variants of a case, which are the same wherever the same dimensions are asked for."""
    chosen = _chosen(sides, names)
    usual = {name: values[0] for name, values in chosen.items()}
    return tuple(pairwise(chosen, [{**usual, "side": one} for one in sides]))


def varied(*names: str, side: str = "", cuts: Sequence[int] = ()) -> Callable[[F], F]:
    """Make a case of variants: on both sides of offer and answer, and in these dimensions, pairwise.

    A case whose function has no `side` says which one it is on. `cuts`: further variants in which what we send is cut
    behind that octet. Variants are named after what is unusual in them: offerer, answerer-IPv6-octets.

    Candidates that trickle come on top, in one variant, so that an IUT without trickle misses nothing else: they meet
    every value of the other dimensions in some case, not in each.
    """
    sides = (side,) if side else SIDES
    merged = tuple(name for name in names if name != "candidates")
    chosen = _chosen(sides, merged)
    usual = {name: values[0] for name, values in chosen.items()}
    rows = list(_rows(sides, merged))
    further = ({**usual, "side": sides[n % len(sides)], "segmentation": f"cut{n}"} for n in cuts)
    rows += [row for row in further if row not in rows]

    def decorate(function: F) -> F:
        late = [_trickled(function.__name__, chosen)] if "candidates" in names else []
        marked: F = pytest.mark.usefixtures("shape")(_parametrize([*rows, *late], with_side=not side)(function))
        return marked

    return decorate


def _trickled(case: str, chosen: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return the row with trickled candidates; the case's name says what else is unusual in it."""
    turns = {name: zlib.crc32(f"{case} {name}".encode()) for name in chosen}
    return {**{name: values[turns[name] % len(values)] for name, values in chosen.items()}, "candidates": "trickled"}


def _parametrize(rows: Sequence[Mapping[str, Any]], *, with_side: bool) -> pytest.MarkDecorator:
    variants = []
    for row in rows:
        shape = Shape(**{name: value for name, value in row.items() if name != "side"})
        arguments = (row["side"], shape) if with_side else (shape,)
        variants.append(pytest.param(*arguments, id="-".join([row["side"], *shape.words])))
    names = ("side", "shape") if with_side else ("shape",)
    return pytest.mark.parametrize(names, variants, indirect=["shape"])


def usual_form(identifier: str) -> str:
    """Return the id of the usual variant with the same side and parameters: x[12-offerer] for x[12-offerer-IPv6]."""
    name, bracket, rest = identifier.partition("[")
    words = rest.removesuffix("]").split("-")
    behind = max((n for n, word in enumerate(words) if word in SIDES), default=len(words))
    kept = [word for n, word in enumerate(words) if n <= behind or not _is_word(word)]
    return f"{name}[{'-'.join(kept)}]" if bracket else name


def _is_word(word: str) -> bool:
    unusual = {str(value) for values in DIMENSIONS.values() for value in values[1:]} | {"2components"}
    return word in unusual - {"2"} or (word.startswith("cut") and word[3:].isdigit())

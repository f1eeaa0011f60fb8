"""From pytest items to cases: identity, section, requirements, level and conditions of a function marked as a case."""

from __future__ import annotations

import functools
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.catalogue import requirement as look_up
from conformance.run import session
from conformance.run.engine import Case
from conformance.suites.dimensions import DIMENSIONS, ON_TOP, Variants, usual_form
from conformance.verdict import Level, case_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conformance.run.applicability import Applicability

_CASE = pytest.StashKey[Case]()
_SOON = 5.0  # seconds that a quick run can spend
_FILE = re.compile(r"test_(\d+(?:_\d+)*)_\w+")


def is_case(item: pytest.Item) -> bool:
    """Whether an item is a conformance case; others may have a mark of that name too."""
    return isinstance(item, pytest.Function) and (_CASE in item.stash or any(map(_is_ours, item.iter_markers())))


def _is_ours(mark: pytest.Mark) -> bool:
    """Whether `suites.marks.requirement` has made a mark; a variant may have one in addition to the case's."""
    return mark.name == "requirement" and "needs" in mark.kwargs


def case_of(item: pytest.Item) -> Case:
    """Return the case that an item stands for."""
    assert isinstance(item, pytest.Function)
    case = item.stash.get(_CASE, None)
    if case is None:
        case = item.stash[_CASE] = _make(item)
    return case


def _make(item: pytest.Function) -> Case:
    every = list(item.iter_markers())
    marks = [mark for mark in every if _is_ours(mark)]
    assert marks
    requirements, level, needs = _asked(tuple(dict.fromkeys(name for mark in marks for name in mark.args)))
    level = next((mark.kwargs["at"] for mark in marks if mark.kwargs.get("at") is not None), level)
    source = _source(item.path)
    if not source:
        _check_name(item)
    first = look_up(requirements[0])
    section = f"{first.rfc}-{first.section}"
    spec = getattr(item, "callspec", None)
    suffix = f"[{spec.id}]" if spec is not None else ""
    name = item.originalname.removeprefix("test_")
    side = spec.params.get("side") if spec is not None else None
    sides = [f"sides:{side}"] if side else []
    own = [atom for mark in marks for atom in mark.kwargs.get("needs", ())]
    conditions = dict.fromkeys((*needs, *own, *sides))
    return Case(
        id=f"{section}/{name}{suffix}",
        title=name.replace("_", " ") + (f" ({spec.id})" if spec is not None else ""),
        purpose=(item.function.__doc__ or "").strip(),
        section=section,
        requirements=requirements,
        level=level,
        function=item.function,
        needs=tuple(conditions),
        parameters=dict(spec.params) if spec is not None else {},
        in_segments=any(mark.name == "in_segments" for mark in every),
        watches=max((float(mark.args[0]) for mark in every if mark.name == "watches"), default=0.0),
        source=source,
    )


@functools.cache
def _asked(identifiers: tuple[str, ...]) -> tuple[tuple[str, ...], Level, tuple[str, ...]]:
    """Return the ids of requirements, the level of the first, which the case is about, and all PICS conditions."""
    requirements = [look_up(identifier) for identifier in identifiers]
    level = requirements[0].level
    return tuple(r.id for r in requirements), level, tuple(atom for r in requirements for atom in r.pics)


def repeated(items: Iterable[pytest.Item], times: int) -> list[pytest.Item]:
    """Return all items, then all cases among them again, until each is there so many times: x[offerer]#2 and so on."""
    items = list(items)
    found = list(items)
    for number in range(2, times + 1):
        found += [_again(item, number) for item in items if is_case(item)]
    return found


def _again(item: pytest.Item, number: int) -> pytest.Item:
    assert isinstance(item, pytest.Function)
    again = pytest.Function.from_parent(
        item.parent,
        name=f"{item.name}#{number}",
        callspec=getattr(item, "callspec", None),
        callobj=item.obj,
        fixtureinfo=item._fixtureinfo,  # noqa: SLF001  (pytest gives the variants of a function one as well)
        originalname=item.originalname,
    )
    again.stash[_CASE] = replace(case_of(item), id=f"{case_of(item).id}#{number}")
    return again


def usual_variants(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the items without the variants that have an unusual value where there is one with the usual value."""
    chosen: dict[str, pytest.Item] = {}
    for item in items:
        chosen.setdefault(usual_form(case_of(item).id) if is_case(item) else item.nodeid, item)
    return list(chosen.values())


def without_long_clocks(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[Case]]:
    """Return the items without cases of which each variant watches a long clock, and these variants."""
    kept, long = [], []
    for item in items:
        if is_case(item) and case_of(item).watches > _SOON:
            long.append(case_of(item))
        else:
            kept.append(item)
    names = {case_name(case_of(item).id) for item in kept if is_case(item)}
    return kept, [case for case in long if case_name(case.id) not in names]


def one_variant_each(items: Iterable[pytest.Item], applicability: Applicability | None = None) -> list[pytest.Item]:
    """Return one variant of each case, always the same one but not the first of all: together they are a mixture.

    It is one that can be judged, if there is any. Trickled candidates and strange descriptions are not taken, since an
    IUT that does without trickle or refuses the description would lose the case.
    """
    variants: dict[str, list[pytest.Item]] = {}
    for item in items:
        variants.setdefault(case_name(case_of(item).id) if is_case(item) else item.nodeid, []).append(item)
    return [_one(name, group, applicability) for name, group in variants.items()]


def _one(name: str, items: list[pytest.Item], applicability: Applicability | None) -> pytest.Item:
    described = [item for item in items if not (is_case(item) and _is_on_top(item))] or items[:1]
    if applicability is not None:
        judged = [item for item in described if is_case(item) and not applicability.reasons(case_of(item))]
        described = judged or described
    return described[zlib.crc32(name.encode()) % len(described)]


def _is_on_top(item: pytest.Item) -> bool:
    shape = case_of(item).shape
    return any(getattr(shape, name) != DIMENSIONS[name][0] for name in ON_TOP)


def remake(metafunc: pytest.Metafunc, applicability: Applicability) -> None:
    """Give a case's function the variants that can be judged, before pytest makes items of its marks."""
    definition = metafunc.definition
    in_segments = definition.get_closest_marker("in_segments") is not None

    def judges(dimension: str, value: object) -> bool:
        return applicability.judges(dimension, value, case=metafunc.function, in_segments=in_segments)

    for number, mark in enumerate(definition.own_markers):
        if mark.name == "parametrize" and len(mark.args) > 1 and isinstance(mark.args[1], Variants):
            names, variants, *others = mark.args
            made = pytest.mark.parametrize(names, variants.of(judges), *others, **mark.kwargs)
            definition.own_markers[number] = made.mark


def twins(cases: Iterable[Case]) -> list[str]:
    """Say which ids two cases have."""
    first: dict[str, Case] = {}
    found = []
    for case in cases:
        other = first.setdefault(case_name(case.id), case)
        if other.function is not case.function:
            places = [f"{one.source or 'icetcp'} ({one.function.__name__})" for one in (other, case)]
            found.append(f"two cases have the id {case_name(case.id)}: {' and '.join(places)}; rename one function")
    return list(dict.fromkeys(found))


@functools.cache
def _source(path: Path) -> str:
    """Return the file of a private case; nothing for one of ours."""
    return "" if path.is_relative_to(session.suites_folder()) else str(path)


def _check_name(item: pytest.Function) -> None:
    """Raise `pytest.UsageError` for a file whose name does not say its section."""
    if _FILE.fullmatch(item.path.stem) is None:
        raise pytest.UsageError(
            f"{item.path}: a file of cases is named test_<section>_<words>.py, e.g. test_7_2_accept.py"
        )

"""From pytest items to cases: identity, section, requirements, level and conditions of a function marked as a case."""

from __future__ import annotations

import functools
import re
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.catalogue import requirement as look_up
from conformance.run import session
from conformance.run.case import Case
from conformance.suites.dimensions import DIMENSIONS, ON_TOP, Variants, usual_form
from conformance.verdict import Level, case_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from conformance.peer.shape import Shape
    from conformance.run.applicability import Applicability

_CASE = pytest.StashKey[Case]()
_SOON = 4.0  # seconds: a quick run takes little longer than its longest case
_FILE = re.compile(r"test_(\d+(?:_\d+)*)_\w+")


def is_case(item: pytest.Item) -> bool:
    """Whether an item is a conformance case; others may have a mark of that name too."""
    return isinstance(item, pytest.Function) and (_CASE in item.stash or any(map(is_ours, item.iter_markers())))


def is_ours(mark: pytest.Mark) -> bool:
    """Whether `suites.marks.requirement` has made a mark; a variant may have one in addition to the case's."""
    return mark.name == "requirement" and "needs" in mark.kwargs


def case_of(item: pytest.Item) -> Case:
    """Return the case that an item stands for."""
    assert isinstance(item, pytest.Function)
    case = item.stash.get(_CASE, None)
    if case is None:
        source = _source(item.path)
        if not source:
            check_name(item.path)
        spec = getattr(item, "callspec", None)
        parameters, word = (dict(spec.params), spec.id) if spec is not None else (None, "")
        case = make_case(item.originalname, item.function, list(item.iter_markers()), parameters, word, source)
        item.stash[_CASE] = case
    return case


def make_case(
    called: str,
    function: Callable[..., None],
    every: Sequence[pytest.Mark],
    parameters: Mapping[str, Any] | None,
    word: str,
    source: str = "",
) -> Case:
    """Return the variant of a case that has these marks and parameters, and this word as its id in brackets."""
    marks = [mark for mark in every if is_ours(mark)]
    assert marks
    requirements, level, needs = _asked(tuple(dict.fromkeys(name for mark in marks for name in mark.args)))
    level = next((mark.kwargs["at"] for mark in marks if mark.kwargs.get("at") is not None), level)
    section = _section(requirements[0])
    name = called.removeprefix("test_")
    side = parameters.get("side") if parameters is not None else None
    sides = [f"sides:{side}"] if side else []
    own = [atom for mark in marks for atom in mark.kwargs.get("needs", ())]
    title = name.replace("_", " ")
    return Case(
        id=f"{section}/{name}" if parameters is None else f"{section}/{name}[{word}]",
        title=title if parameters is None else f"{title} ({word})",
        purpose=(function.__doc__ or "").strip(),
        section=section,
        requirements=requirements,
        level=level,
        function=function,
        needs=tuple(dict.fromkeys((*needs, *own, *sides))),
        parameters=parameters or {},
        in_segments=any(mark.name == "in_segments" for mark in every),
        watches=_seconds("watches", every),
        lasts=_seconds("lasts", every),
        source=source,
    )


def _seconds(name: str, marks: Sequence[pytest.Mark]) -> float:
    """Return what marks of this name say, the longest if there are several."""
    return max((float(mark.args[0]) for mark in marks if mark.name == name), default=0.0)


@functools.cache
def _section(identifier: str) -> str:
    first = look_up(identifier)
    return f"{first.rfc}-{first.section}"


@functools.cache
def _asked(identifiers: tuple[str, ...]) -> tuple[tuple[str, ...], Level, tuple[str, ...]]:
    """Return the ids of requirements, the level of the first, which the case is about, and all PICS conditions."""
    requirements = [look_up(identifier) for identifier in identifiers]
    level = requirements[0].level
    return tuple(r.id for r in requirements), level, tuple(atom for r in requirements for atom in r.pics)


def executed_again(case: Case, number: int) -> Case:
    """Return a case under the name of a further execution: x[offerer]#2 and so on."""
    return replace(case, id=f"{case.id}#{number}")


def repeated(items: Iterable[pytest.Item], times: int) -> list[pytest.Item]:
    """Return all items, then all cases among them again, until each is there so many times."""
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
    again.stash[_CASE] = executed_again(case_of(item), number)
    return again


def usual_variants(cases: Iterable[Case]) -> list[Case]:
    """Return the variants without those that have an unusual value where there is one with the usual value."""
    chosen: dict[str, Case] = {}
    for case in cases:
        chosen.setdefault(usual_form(case.id), case)
    return list(chosen.values())


def without_long_ones(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Return the variants without cases of which each variant takes long, as far as declared, and these variants."""
    kept = [case for case in cases if case.length <= _SOON]
    names = {case_name(case.id) for case in kept}
    return kept, [case for case in cases if case.length > _SOON and case_name(case.id) not in names]


def one_variant_each(cases: Iterable[Case], applicability: Applicability | None = None) -> list[Case]:
    """Return one variant of each case, always the same one but not the first of all: together they are a mixture.

    It is one that can be judged, if there is any. Trickled candidates and strange descriptions are not taken, since an
    IUT that does without trickle or refuses the description would lose the case.
    """
    variants: dict[str, list[Case]] = {}
    for case in cases:
        variants.setdefault(case_name(case.id), []).append(case)
    return [_one(name, group, applicability) for name, group in variants.items()]


def _one(name: str, variants: list[Case], applicability: Applicability | None) -> Case:
    described = [case for case in variants if not _is_on_top(case.shape)] or variants[:1]
    if applicability is not None:
        described = [case for case in described if not applicability.reasons(case)] or described
    return described[zlib.crc32(name.encode()) % len(described)]


def _is_on_top(shape: Shape) -> bool:
    return any(getattr(shape, name) != DIMENSIONS[name][0] for name in ON_TOP)


def remade(
    marks: Iterable[pytest.Mark], function: Callable[..., None], applicability: Applicability
) -> list[pytest.Mark]:
    """Return the marks of a case's function with the variants that can be judged, before cases are made of them."""
    marks = list(marks)
    in_segments = any(mark.name == "in_segments" for mark in marks)

    def judges(dimension: str, value: object) -> bool:
        return applicability.judges(dimension, value, case=function, in_segments=in_segments)

    for number, mark in enumerate(marks):
        if mark.name == "parametrize" and len(mark.args) > 1 and isinstance(mark.args[1], Variants):
            names, variants, *others = mark.args
            made = variants.of(judges)
            if made is not variants:
                marks[number] = pytest.mark.parametrize(names, made, *others, **mark.kwargs).mark
    return marks


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


@functools.cache
def check_name(path: Path) -> None:
    """Raise `pytest.UsageError` for a file of cases whose name does not say its section."""
    if _FILE.fullmatch(path.stem) is None:
        raise pytest.UsageError(f"{path}: a file of cases is named test_<section>_<words>.py, e.g. test_7_2_accept.py")

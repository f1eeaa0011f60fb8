"""The cases made straight from their functions, with the ids, values and order of pytest's own collection.

As pytest items the thousands of variants of a whole run take most of the time before its first verdict, and a command
of ours needs none of them. Where a module has anything that pytest would have to interpret, `Unusual` is raised, and
pytest collects.
"""

from __future__ import annotations

from importlib import import_module
from inspect import isclass, isfunction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.run import session
from conformance.run.choosing import CHOSEN, choose
from conformance.run.collect import check_name, executed_again, is_ours, make_case, remade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from conformance.run.applicability import Applicability
    from conformance.run.case import Case

    Variant = tuple[tuple[str, ...], dict[str, Any], tuple[pytest.Mark, ...]]  # words of its id, parameters, marks

_OURS = frozenset({"requirement", "parametrize", "in_segments", "watches", "lasts", "usefixtures"})
_FIXTURES = frozenset({"shape", "family"})  # which a case may use that has no such parameter: they only hold a value
WITHOUT_ITEMS: pytest.StashKey[list[Case]] = pytest.StashKey()  # the cases of a session without items of pytest
_HOOKS = frozenset({"pytestmark", "pytest_generate_tests", "pytest_plugins", "setup_module", "teardown_module"})


class Unusual(Exception):
    """A module has something that only pytest knows how to collect."""


def modules(folder: Path) -> Iterator[ModuleType]:
    """Import the files of cases in the order in which pytest collects them."""
    for path in sorted(folder.rglob("test_*.py")):
        check_name(path)
        yield import_module(".".join((session.SUITES, *path.relative_to(folder).with_suffix("").parts)))


def gather(applicability: Applicability | None) -> list[Case]:
    """Return all variants of the cases of icetcp; for an IUT, those that can be judged. Raises `Unusual`."""
    found: list[Case] = []
    try:
        for module in modules(Path(session.suites_folder())):
            found += _cases(module, applicability)
    except Unusual:
        raise
    except Exception as error:  # pytest says what is wrong with the file
        raise Unusual(str(error)) from error
    return found


def _cases(module: ModuleType, applicability: Applicability | None) -> Iterator[Case]:
    if not _HOOKS.isdisjoint(vars(module)):
        raise Unusual(f"{module.__name__} has hooks of pytest")
    for name, thing in vars(module).items():
        if name.startswith("Test") and isclass(thing):
            raise Unusual(f"{module.__name__} has a class of tests")
        if not name.startswith("test"):
            continue
        if not isfunction(thing) or name != thing.__name__:
            raise Unusual(f"{module.__name__}.{name} is not the function of that name")
        yield from _variants(thing, applicability)


def _variants(function: Callable[..., None], applicability: Applicability | None) -> Iterator[Case]:
    marks: list[pytest.Mark] = list(getattr(function, "pytestmark", ()))
    used = [name for mark in marks if mark.name == "usefixtures" for name in mark.args]
    if not (_OURS.issuperset(mark.name for mark in marks) and _FIXTURES.issuperset(used) and any(map(is_ours, marks))):
        raise Unusual(f"{function.__name__} has other marks")
    if applicability is not None:
        marks = remade(marks, function, applicability)
    variants: list[Variant] = [((), {}, ())]
    for mark in marks:
        if mark.name == "parametrize":
            more = _parameters(*mark.args, **mark.kwargs)
            variants = [
                (words + further, {**parameters, **values}, own + others)
                for words, parameters, own in variants
                for further, values, others in more
            ]
    for words, parameters, own in variants:
        yield make_case(function.__name__, function, [*marks, *own], parameters if words else None, "-".join(words))


def _parameters(
    names: str | Sequence[str],
    values: Sequence[Any],
    *,
    ids: Any = None,
    indirect: object = False,
) -> list[Variant]:
    """Return what a mark `parametrize` combines: the word of each set of values, the values by name, and its marks.

    `ids` are words, or a function that makes them. `indirect` says who takes the values, which is the same here.
    """
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",")]
    found: list[Variant] = []
    for number, value in enumerate(values):
        marks: tuple[pytest.Mark, ...] = ()
        word: object = None
        given = (value,) if len(names) == 1 else value
        if _is_set(value):
            given, word, marks = value.values, value.id, tuple(getattr(mark, "mark", mark) for mark in value.marks)
        if word is None and (ids is None or callable(ids)):
            word = "-".join(_word(ids(one) if callable(ids) else one) for one in given)
        elif word is None:
            word = ids[number]
        if not isinstance(word, str) or not word.isascii() or not word.isprintable():
            raise Unusual(f"the id of {value!r}")
        found.append(((word,), dict(zip(names, given, strict=True)), marks))
    if not found or len({words for words, _, _ in found}) < len(found):
        raise Unusual("no values, or ids that are not unique")
    return found


def _is_set(value: object) -> bool:
    """Whether it is what `pytest.param` returns."""
    return hasattr(value, "values") and hasattr(value, "marks") and hasattr(value, "id")


def _word(value: object) -> str:
    """Return the part of an id that pytest makes of a value."""
    if isinstance(value, str) and value:
        return value
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    raise Unusual(f"no word for {value!r}")


class Gatherer:
    """Pytest plugin that takes the place of its collection in a command of ours."""

    def __init__(self, applicability: Callable[[], Applicability | None]) -> None:
        """`applicability` is asked when cases are to be made: what can be judged on the IUT, if there is one."""
        self._applicability = applicability

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        """Make the cases from their functions, unless that is for pytest to do, as where names are to match."""
        config = session.config
        if config.option.keyword or config.option.markexpr:
            return None
        applicability = self._applicability()
        try:
            every = gather(applicability)
        except Unusual:
            return None
        chosen = config.stash[CHOSEN] = choose(config, every, every, applicability)
        cases = list(chosen.cases)
        for number in range(2, config.getoption("icetcp_repeat") + 1):
            cases += [executed_again(case, number) for case in chosen.cases]
        config.stash[WITHOUT_ITEMS] = cases
        session.testscollected = len(cases)
        config.hook.pytest_collection_finish(session=session)
        return True

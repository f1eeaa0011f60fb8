"""Cases that are made straight from their functions are those that pytest collects; what is unusual is left to pytest."""

from __future__ import annotations

import types
from dataclasses import dataclass, fields

import pytest

from conformance.run import gather, plugin, session
from conformance.run.applicability import Applicability
from conformance.run.choosing import CHOSEN
from conformance.run.discovery import discover
from conformance.run.engine import Case
from conformance.suites.marks import both_sides, requirement
from conformance.verdict import case_name

PICS = {"sides": ["offerer"], "families": ["4"], "components": 1, "offers": ["passive"], "connects": ["active"]}


@dataclass(slots=True)
class Premise:
    """Stands for an IUT that was met."""

    applicability: Applicability

    def end(self) -> None:
        """Nothing was begun."""


class Watcher:
    """Notes which cases a session has, and how many items of pytest, for an IUT that was met."""

    def __init__(self, applicability: Applicability | None) -> None:
        self._applicability = applicability
        self.every: list[Case] = []
        self.chosen: list[Case] = []
        self.items = 0

    def pytest_configure(self, config: pytest.Config) -> None:
        """Set the premise, before cases are collected for it."""
        if self._applicability is not None:
            config.stash[plugin._PREMISE] = Premise(self._applicability)  # type: ignore[assignment]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the cases."""
        chosen = session.config.stash[CHOSEN]
        self.every, self.chosen, self.items = list(chosen.every), list(chosen.cases), len(session.items)


def collected(applicability: Applicability | None, *arguments: str) -> Watcher:
    """Return what a session of ours collects."""
    watcher = Watcher(applicability)
    outcome = session.run_pytest(["--collect-only", *arguments], [watcher])
    assert (outcome.crash, outcome.usage, outcome.fatal) == ("", "", "")
    return watcher


def values(cases: list[Case]) -> list[tuple[object, ...]]:
    """Return all that there is in cases, in their order."""
    return [tuple(getattr(case, field.name) for field in fields(Case)) for case in cases]


@pytest.mark.parametrize("pics", [None, PICS], ids=["every", "few"])
def test_cases_are_those_that_pytest_collects(pics, monkeypatch) -> None:
    """Ids, order, values, conditions and what could not be judged are the same."""
    ours, theirs = (Applicability(pics, families=("IPv4",)) if pics is not None else None for _ in range(2))
    gathered = collected(ours, "--icetcp-variants=one")
    assert gathered.items == 0, "pytest has collected"

    def unusual(_applicability: object) -> list[Case]:
        raise gather.Unusual("for a test")

    monkeypatch.setattr(gather, "gather", unusual)
    items = collected(theirs, "--icetcp-variants=one")
    assert items.items == len(items.chosen) > 700
    assert values(gathered.every) == values(items.every)
    assert values(gathered.chosen) == values(items.chosen)
    assert ours is None or theirs is None or ours.left_out == theirs.left_out


@pytest.mark.parametrize("variants", ["all", "one"])
def test_names_are_matched_by_pytest(variants) -> None:
    """An expression of -k selects variants, and one of each case is taken among those."""
    found = discover(["-k=media_is_framed and answerer", f"--icetcp-variants={variants}"])
    assert {case_name(case.id) for case in found.selected} == {"RFC6544-10.1/media_is_framed"}
    assert all("[answerer" in case.id for case in found.selected)
    assert (len(found.selected) == 1) == (variants == "one")
    assert len(found.every) > 3000


def module(**things: object) -> types.ModuleType:
    """Return a module with these things in it."""
    made = types.ModuleType("of_a_test")
    vars(made).update(things)
    return made


def case() -> types.FunctionType:
    """Return a function that is a case."""

    @requirement("RFC6544-7.2-03")
    def test_x(upper, peer) -> None:
        """Nothing."""

    return test_x


def marked(*marks: pytest.MarkDecorator) -> types.FunctionType:
    """Return a case with further marks."""
    function = case()
    for mark in marks:
        function = mark(function)
    return function


def test_usual_things_are_gathered() -> None:
    """A case in a module of a test, on both sides."""
    assert [one.id for one in gather._cases(module(test_x=both_sides(case())), None)] == [
        "RFC6544-7.2/x[offerer]",
        "RFC6544-7.2/x[answerer]",
    ]


@pytest.mark.parametrize(
    "unusual",
    [
        module(TestX=type("TestX", (), {})),
        module(pytestmark=pytest.mark.watches(1)),
        module(pytest_generate_tests=lambda metafunc: None),
        module(test_y=case()),
        module(test_x=marked(pytest.mark.xfail)),
        module(test_x=marked(pytest.mark.usefixtures("tmp_path"))),
        module(test_x=marked(pytest.mark.parametrize("side", []))),
        module(test_x=marked(pytest.mark.parametrize("side", [True, "True"]))),
        module(test_x=marked(pytest.mark.parametrize("side", [object()]))),
        module(test_x=marked(pytest.mark.parametrize("side", ["\u00e4"]))),
    ],
    ids=["class", "mark", "hook", "alias", "xfail", "fixture", "none", "twice", "object", "umlaut"],
)
def test_what_pytest_has_to_interpret_is_left_to_it(unusual) -> None:
    """Ids that pytest makes unique or escapes, its own marks, classes and hooks."""
    with pytest.raises(gather.Unusual):
        list(gather._cases(unusual, None))

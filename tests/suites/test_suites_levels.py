"""The level of a case is that of the requirement that it cites first, unless the case says that it counts for less."""

from __future__ import annotations

import pytest

from conformance.catalogue import requirement
from conformance.run.discovery import discover
from conformance.verdict import Level, case_name

CASES = {case_name(case.id): case for case in discover().every}
STRENGTH = list(Level)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_case_counts_as_its_first_requirement(name) -> None:
    case = CASES[name]
    first = requirement(case.requirements[0]).level
    weaker = next((mark.kwargs["at"] for mark in case.function.pytestmark if mark.kwargs.get("at") is not None), None)
    assert case.level is (weaker or first)
    assert STRENGTH.index(case.level) >= STRENGTH.index(first)


def test_a_recommendation_that_cites_an_obligation_second_counts_as_a_recommendation() -> None:
    case = CASES["RFC6544-5/accepts_over_either_family"]
    assert [requirement(name).level for name in case.requirements] == [Level.SHOULD, Level.MUST]
    assert case.level is Level.SHOULD

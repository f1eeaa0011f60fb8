"""The cases keep to the shape that the design gives them: readable without knowing us."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from conformance.agent.faults import FAULTS
from conformance.catalogue import REQUIREMENTS
from conformance.run.discovery import discover

CASES = discover().every
FUNCTIONS = sorted({case.function for case in CASES}, key=lambda function: (function.__module__, function.__name__))
FORBIDDEN = (ast.If, ast.Try, ast.While, ast.For, ast.With, ast.Import, ast.ImportFrom)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_case_is_short_straight_and_explained(function) -> None:
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(source)
    body = tree.body[0]
    assert isinstance(body, ast.FunctionDef)
    assert body.end_lineno is not None
    assert body.end_lineno - body.lineno < 25
    assert not [node for node in ast.walk(tree) if isinstance(node, FORBIDDEN)]
    assert "sleep" not in source
    assert re.match(r"with    .+when    .+then    .+\Z", function.__doc__ or "", re.DOTALL)


def test_ids_are_unique_and_made_of_section_and_name() -> None:
    ids = [case.id for case in CASES]
    assert len(set(ids)) == len(ids)
    for case in CASES:
        name = case.function.__name__.removeprefix("test_")
        assert re.fullmatch(rf"RFC\d+-[\d.]+/{name}(\[[\w.-]+\])?", case.id)


def test_a_case_stands_in_the_section_of_the_sentence_that_it_cites_first() -> None:
    for case in CASES:
        first = REQUIREMENTS[case.requirements[0]]
        assert case.section == f"{first.rfc}-{first.section}", case.id
        path = Path(inspect.getsourcefile(case.function) or "")
        number = re.sub(r"test_(\d+(?:_\d+)*)_.*", r"\1", path.stem).replace("_", ".")
        assert path.parent.name.upper() == first.rfc, case.id
        assert first.section == number or first.section.startswith(f"{number}."), case.id


def test_each_testable_requirement_has_a_fault_or_repeats_one_that_has() -> None:
    broken = {fault.requirement for fault in FAULTS}
    bare = {r.id for r in REQUIREMENTS.values() if not (r.untestable or r.id in broken)}
    assert bare == {r.id for r in REQUIREMENTS.values() if r.repeats}
    for repeated in bare:
        for origin in REQUIREMENTS[repeated].repeats:
            both = [case for case in CASES if {repeated, origin} <= set(case.requirements)]
            assert origin in broken, f"{repeated} repeats {origin}, which no fault breaks"
            assert both, f"no case of {origin} cites {repeated}"


def test_no_case_cites_what_is_declared_untestable() -> None:
    cited = {identifier for case in CASES for identifier in case.requirements}
    assert not [identifier for identifier in cited if REQUIREMENTS[identifier].untestable]


def test_there_are_enough_cases_on_the_sections_of_the_suite() -> None:
    sections = {case.section for case in CASES}
    wanted = {f"RFC6544-{number}" for number in ("4.2", "4.5", "6.2", "7.1", "7.2", "8", "10.1", "10.2", "12")}
    assert wanted | {"RFC4571-2"} <= sections
    assert len(FUNCTIONS) >= 40

"""A helper's verb says how it ends a case: await_ is inconclusive, expect_ fails, needs_ is n/a, require_ is inconclusive.

Only a case's own body asserts: an AssertionError of a helper is a defect of the tester, not a verdict about the IUT.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import conformance

ROOT = Path(conformance.__file__).parent
HELPERS = [
    *sorted((ROOT / "suites").glob("*.py")),
    *sorted((ROOT / "peer").rglob("*.py")),
    *sorted((ROOT / "iut").glob("*.py")),
]
MAY_RAISE = {
    "await": {"Inconclusive"},
    "require": {"Inconclusive"},
    "needs": {"NotApplicable", "JudgedElsewhere"},
    "expect": {"Failed", "Missing", "Rejected", "NotApplicable", "JudgedElsewhere", "Inconclusive"},
}
OUTCOMES = {"Failed", "Missing", "Rejected", "Inconclusive", "NotApplicable", "JudgedElsewhere"}


def functions() -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for path in HELPERS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.split("_")[0] in MAY_RAISE:
                found.append((f"{path.relative_to(ROOT)}:{node.name}", node))
    return found


def raised(function: ast.FunctionDef) -> set[str]:
    calls = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise)]
    names = {getattr(call.func, "id", "") for call in calls if isinstance(call, ast.Call)}
    return names & OUTCOMES


@pytest.mark.parametrize(("name", "function"), functions(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_verb_ends_a_case_in_one_way(name, function) -> None:
    assert raised(function) <= MAY_RAISE[function.name.split("_")[0]], name


def test_an_expectation_can_fail() -> None:
    """At least where it decides by itself: one that only calls others fails by them."""
    deciding = [name for name, function in functions() if function.name.startswith("expect_") and raised(function)]
    assert len(deciding) > 15


@pytest.mark.parametrize("path", sorted((ROOT / "suites").glob("*.py")), ids=lambda path: path.stem)
def test_no_helper_judges_by_assert(path) -> None:
    asserts = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
    about_types = ("isinstance(", " is not None")
    judging = [ast.unparse(node.test) for node in asserts if not any(t in ast.unparse(node.test) for t in about_types)]
    assert not judging


def test_a_refusal_is_expected_in_one_way() -> None:
    """`expect_refusal` fails a success in its place, whatever else goes wrong in an ordinary session."""
    files = (ROOT / "suites").rglob("*.py")
    found = {file.name for file in files if re.search(r"\.expect\(\s*BindingError", file.read_text())}
    assert found == {"checks.py"}

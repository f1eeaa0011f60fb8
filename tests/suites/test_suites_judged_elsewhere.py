"""Where a case is n/a because another one judges what it depends on, it names that one, which exists."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest

import conformance
from conformance.run.discovery import discover
from conformance.suites.checks import needs_controlled
from conformance.suites.dimensions import case_name
from conformance.verdict import JudgedElsewhere, Verdict
from conformance.wire.attributes import Attribute

ROOT = Path(conformance.__file__).parent
CASES = {case_name(case.id) for case in discover().every}


def named() -> list[tuple[str, ast.expr | None]]:
    """Return, with their places, the cases that the sources name where they raise `JudgedElsewhere`."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "JudgedElsewhere":
                case = next((word.value for word in node.keywords if word.arg == "case"), None)
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", case))
    return found


@pytest.mark.parametrize(("place", "case"), named())
def test_the_case_that_judges_it_exists(place, case) -> None:
    assert isinstance(case, ast.Constant), f"{place} names the case by an expression that cannot be checked"
    assert case.value in CASES, place


def test_there_are_some() -> None:
    assert len(named()) >= 3


def test_the_message_names_the_case() -> None:
    ruled_out = JudgedElsewhere("it opened one connection only", case="RFC8445-8.1.1/one_pair_is_nominated")
    assert ruled_out.verdict is Verdict.NOT_APPLICABLE
    assert str(ruled_out) == "it opened one connection only; RFC8445-8.1.1/one_pair_is_nominated judges that"


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_message_leaves_open_which_case_it_is(path) -> None:
    strings = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    vague = [text for text in strings if isinstance(text, str) and "another case judges" in text]
    assert not vague


@pytest.mark.parametrize(
    ("claimed", "judge"),
    [
        ([], ""),
        (["controlled", "controlled"], ""),
        ([None], ""),
        (["controlling"], "RFC8445-6.1.1/offerer_controls_between_full_agents"),
        (["controlled", "controlling"], "RFC8445-7.3.1.1/different_roles_are_no_conflict"),
    ],
)
def test_an_iut_that_takes_itself_for_controlling_is_judged_by_that(claimed, judge) -> None:
    def check(role):
        own = Attribute.ICE_CONTROLLING if role == "controlling" else Attribute.ICE_CONTROLLED
        return SimpleNamespace(stun=SimpleNamespace(has=lambda kind: kind == own))

    peer = SimpleNamespace(checks=lambda: [check(role) for role in claimed])
    if not judge:
        needs_controlled(peer)
        return
    with pytest.raises(JudgedElsewhere) as raised:
        needs_controlled(peer)
    assert raised.value.case == judge

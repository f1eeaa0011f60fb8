"""Variants are combined of what can be judged on the IUT: no two values that it has are left out with one that it has not."""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from conformance.catalogue.capabilities import unmet
from conformance.run.applicability import Applicability
from conformance.run.discovery import discover
from conformance.suites.dimensions import DIMENSIONS, EVERY_CUT, ON_TOP, SIDES, varied
from conformance.verdict import case_name

ADAPTER = f"exec:{sys.executable} {Path(__file__).with_name('reticent_adapter.py')}"
FUNCTION = discover
FULL = {
    "agent": ["full", "lite"], "offers": ["active", "passive", "so"], "connects": ["active", "passive", "so"],
    "families": ["4", "6"], "components": 2, "restart": True, "trickle": True, "sessions": 64,
}  # fmt: skip
LIMITED = {
    "no IPv6": {"families": ["4"]},
    "only IPv6": {"families": ["6"]},
    "one component": {"components": 1},
    "no trickle": {"trickle": False},
    "only answers": {"sides": ["answerer"]},
    "little": {"families": ["4"], "components": 1, "role": "adapter", "trickle": False, "sides": ["offerer"]},
}


def rows_of(*names: str, pics: dict[str, object], cuts: tuple[int, ...] = ()) -> list[dict[str, object]]:
    """Return the values of each variant that a case in these dimensions has for an IUT."""

    @varied(*names, cuts=cuts)
    def case() -> None:
        pass

    mark = next(mark for mark in case.pytestmark if mark.name == "parametrize")
    applicability = Applicability({**FULL, **pics})
    made = mark.args[1].of(lambda name, value: applicability.judges(name, value, case=FUNCTION, in_segments=False))
    return [{"side": p.values[0], **{name: getattr(p.values[1], name) for name in names}, "id": p.id} for p in made]


@pytest.mark.parametrize("pics", LIMITED.values(), ids=LIMITED)
def test_every_two_values_that_the_iut_has_meet(pics) -> None:
    names = [name for name in DIMENSIONS if name not in ON_TOP]
    rows = rows_of(*names, pics=pics, cuts=EVERY_CUT)
    values = {"side": SIDES, **{name: DIMENSIONS[name] for name in names}}
    lacking = {
        "side": {side for side in SIDES if side not in pics.get("sides", SIDES)},
        "family": {f"IPv{n}" for n in "46" if n not in pics.get("families", "46")},
        "components": {2} if pics.get("components") == 1 else set(),
    }
    left = {name: [v for v in items if v not in lacking.get(name, ())] for name, items in values.items()}
    for (one, first), (other, second) in itertools.combinations(left.items(), 2):
        for a, b in itertools.product(first, second):
            assert any(row[one] == a and row[other] == b for row in rows), (a, b)
    assert all(row[name] in left[name] for row in rows for name in values if name != "segmentation")
    assert {f"cut{n}" for n in EVERY_CUT} <= {str(row["segmentation"]) for row in rows}
    assert len({row["id"] for row in rows}) == len(rows)


def test_an_iut_that_has_everything_meets_the_variants_that_there_are() -> None:
    known = rows_of("family", "roles", "candidates", pics={})
    assert [row["candidates"] for row in known][-2:] == ["trickled", "described"]
    assert known[-1]["id"].endswith("strange")
    assert rows_of("family", "roles", "candidates", pics={"components": 1}) == known
    assert [r["candidates"] for r in rows_of("family", "roles", "candidates", pics={"trickle": False})].count(
        "trickled"
    ) == 0


def test_a_dimension_of_which_nothing_is_left_stays_and_its_case_is_not_applicable() -> None:
    assert rows_of("family", pics={"families": []}) == rows_of("family", pics={})


def test_what_was_left_out_is_known_with_its_reason() -> None:
    applicability = Applicability({**FULL, "components": 1})
    assert not applicability.judges("components", 2, case=FUNCTION, in_segments=False)
    assert applicability.judges("components", 1, case=FUNCTION, in_segments=False)
    assert applicability.left_out == {"the IUT's pics lack components 2": {FUNCTION}}


def test_an_environment_without_ipv6_is_a_limit_as_well() -> None:
    applicability = Applicability(FULL, families=["IPv4"])
    assert not applicability.judges("family", "IPv6", case=FUNCTION, in_segments=False)
    narrow = Applicability(FULL, wire=["IPv4"])
    assert narrow.judges("family", "IPv6", case=FUNCTION, in_segments=False)
    assert not narrow.judges("family", "IPv6", case=FUNCTION, in_segments=True)


@pytest.fixture(scope="module")
def limited():
    """The cases of an IUT with one component whose role is its adapter's, which knows no trickle."""
    said = """--say components=1 --say role='"adapter"' --say trickle=false"""
    return discover(["--icetcp-link=sockets", f"--iut={ADAPTER} {said}"])


def test_cases_are_collected_for_the_iut(limited) -> None:
    every = discover().every
    pics = {**FULL, "components": 1, "role": "adapter", "trickle": False}
    assert {case_name(case.id) for case in limited.every} == {case_name(case.id) for case in every}
    families: defaultdict[str, set[str]] = defaultdict(set)
    usual: defaultdict[str, set[str]] = defaultdict(set)
    for case in limited.every:
        assert not unmet(case.shape.needs, pics), case.id
        families[case_name(case.id)].add(case.shape.family)
    for case in every:
        usual[case_name(case.id)].add(case.shape.family)
    assert families == usual  # no case has lost its IPv6 variants
    assert len({case.id for case in limited.every}) == len(limited.every)


def test_quick_takes_a_variant_that_applies() -> None:
    said = """--say families='["6"]'"""
    every = discover(["--icetcp-link=sockets", f"--iut={ADAPTER} {said}"]).every
    quick = discover(["--icetcp-link=sockets", f"--iut={ADAPTER} {said}", "--icetcp-variants=one"]).selected
    pics = {**FULL, "families": ["6"]}
    short = {case_name(case.id) for case in every if case.length <= 4}
    assert sorted(case_name(case.id) for case in quick) == sorted(short)
    assert len(short) > 700
    for case in quick:
        others = [one for one in every if case_name(one.id) == case_name(case.id)]
        if any(not unmet((*one.needs, *one.shape.needs), pics) for one in others):
            assert not unmet((*case.needs, *case.shape.needs), pics), case.id


def test_the_reference_agent_is_judged_by_all_variants() -> None:
    assert [case.id for case in discover(["--icetcp-link=sockets", "--iut=reference"]).every] == [
        case.id for case in discover().every
    ]

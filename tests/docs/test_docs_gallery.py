"""Each failure in the gallery is one that the stack is known for."""

from __future__ import annotations

import re
import tomllib

import pytest
from docs_reading import ROOT

from conformance.catalogue import REQUIREMENTS
from conformance.run.discovery import discover
from conformance.verdict import case_name

TEXT = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^(\w+), `(RFC[^`]+)`, (RFC\S+) \((\w+)\)\.$", TEXT, re.MULTILINE)


def test_every_section_has_an_entry_and_a_ladder():
    sections = TEXT.split("\n## ")[1:]
    assert len(sections) == len(ENTRIES) >= 8
    assert all("```text\n" in section for section in sections)


@pytest.mark.parametrize(("stack", "case", "requirement", "level"), ENTRIES)
def test_the_stack_is_known_to_fail_the_case(stack, case, requirement, level):
    file = ROOT / "conformance" / "iut" / "stacks" / stack.lower() / "expectations.toml"
    deviations = tomllib.loads(file.read_text(encoding="utf-8"))["deviation"]
    failed = [name for entry in deviations if entry["verdict"] == "fail" for name in entry["cases"]]
    assert case in failed
    assert REQUIREMENTS[requirement].level.value.upper() == level
    tested = {name for variant in every() if case_name(variant.id) == case_name(case) for name in variant.requirements}
    assert requirement in tested


def every():
    if not FOUND:
        FOUND.extend(discover().every)
    return FOUND


FOUND = []

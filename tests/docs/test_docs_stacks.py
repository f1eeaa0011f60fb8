"""docs/stacks.md says what the expectations of the stacks say."""

from __future__ import annotations

import re

from docs_reading import ROOT

from conformance.commands.stacks_document import MARKER, document
from conformance.iut import stacks


def test_the_list_of_deviations_is_that_of_the_expectations():
    text = (ROOT / "docs" / "stacks.md").read_text(encoding="utf-8")
    _, marker, rest = text.partition(MARKER)
    assert marker + rest == document(), "write it anew: python tests/docs/refresh.py"


def test_each_deviation_has_a_requirement_and_the_command_that_shows_it_again():
    lines = re.findall(r"^\| (\S+) \| (.*?) \| (.+) \| `(icetcp run --iut (\S+).*?)`(.*) \|$", document(), re.MULTILINE)
    assert all(re.fullmatch(r"RFC\d+-[\d.]+-s?\d+", requirement) for requirement, *_ in lines)
    with_entries = {
        name for name in stacks.names() if (ROOT / f"conformance/iut/stacks/{name}/expectations.toml").is_file()
    }
    assert {name for *_, name, _ in lines} == with_entries
    assert all(evidence.strip() for _, _, evidence, *_ in lines)

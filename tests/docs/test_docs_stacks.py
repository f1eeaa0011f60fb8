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


def test_each_deviation_has_a_requirement_evidence_and_where_it_is_seen():
    rows = re.findall(r"^\| (RFC.+) \|$", document(), re.MULTILINE)
    fields = [re.split(r"(?<!\\\\) \| ", row) for row in rows]
    assert all(len(field) == 4 and re.fullmatch(r"RFC\d+-[\d.]+-s?\d+", field[0]) for field in fields)
    assert all(evidence.strip() and "`RFC" in seen for _, _, evidence, seen in fields)
    with_entries = [name for name in stacks.names() if (stacks.folder(name) / "expectations.toml").is_file()]
    assert re.findall(r"^### (\S+): ", document(), re.MULTILINE) == with_entries


def test_each_heading_has_the_version_and_what_its_lines_rest_on():
    headings = re.findall(r"^### (\S+): (.+)\n\n(.*)", document(), re.MULTILINE)
    assert headings
    for name, whose, what in headings:
        first = (stacks.folder(name) / "expectations.toml").read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith(f"# Deviations of {whose}, "), name
        assert ("the others" in first) is ("the others stand by" in what), name

"""The architecture's text and picture say what the import contract and the tree say."""

from __future__ import annotations

import re
import tomllib

from docs_reading import ROOT, blocks

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_layers_are_those_of_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    expected = [[room.strip() for room in layer.split("|")] for layer in layers]
    rows = re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE)
    assert [re.findall(r"`([\w.]+)`", row) for row in rows] == expected[1:]  # above them only __main__, the entry


def test_the_picture_shows_rooms_that_exist():
    [picture] = [block for block in blocks(ROOT / "docs" / "architecture.md") if block.language == "mermaid"]
    rooms = re.findall(r'(\w+)\["', picture.text)
    assert rooms
    for room in rooms:
        assert (ROOT / room).is_dir() or (ROOT / "conformance" / room).is_dir(), room

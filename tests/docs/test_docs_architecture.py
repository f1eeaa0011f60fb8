"""The architecture's text and picture say what the import contract and the tree say."""

from __future__ import annotations

import importlib.util
import re
import tomllib

import pytest
from docs_reading import ROOT, blocks

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_layers_are_those_of_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    expected = [[room.strip() for room in layer.split("|")] for layer in layers]
    rooms = TEXT.split("## Rooms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", rooms, re.MULTILINE)
    assert [re.findall(r"`([\w.]+)`", row) for row in rows] == expected[1:]  # above them only __main__, the entry


def test_the_picture_shows_rooms_that_exist():
    [picture] = [block for block in blocks(ROOT / "docs" / "architecture.md") if block.language == "mermaid"]
    rooms = re.findall(r'(\w+)\["', picture.text)
    assert rooms
    for room in rooms:
        assert (ROOT / room).is_dir() or (ROOT / "conformance" / room).is_dir(), room


@pytest.mark.parametrize("walk", ["Walk 1", "Walk 2", "Walk 3"])
def test_each_walk_names_modules_that_exist(walk):
    part = TEXT.split(f"## {walk}")[1].split("\n## ")[0]
    named = re.findall(r"^\| `([\w.]+)` \|", part, re.MULTILINE)
    assert len(named) > 10
    missing = [name for name in named if importlib.util.find_spec(name) is None]
    assert not missing

"""The agent's modules build on one another in one direction, also where an import is for types only."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import conformance.agent

FOLDER = Path(conformance.agent.__file__).parent
PACKAGE = "conformance.agent"


def name_of(path):
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)))


MODULES = {name_of(path): path for path in sorted(FOLDER.rglob("*.py"))}


def imported_by(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE):
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= inner or {node.module}
    return found


def test_there_is_no_circle():
    graph = {name: imported_by(path) - {name} for name, path in MODULES.items()}
    assert graph["conformance.agent.shell"] > {"conformance.agent.agent", "conformance.agent.decisions"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("name", MODULES)
def test_the_core_knows_neither_clock_nor_socket(name):
    driver = {"__main__", "adapter", "rpc", "shell", "link", "datagrams", "interfaces"}
    if name.removeprefix(f"{PACKAGE}.") in driver:
        return
    tree = ast.parse(MODULES[name].read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert not names & {"asyncio", "socket", "time", "select", "threading"}

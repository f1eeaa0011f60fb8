"""The import contracts in pyproject.toml: each module is in a layer, and an import against a layer is noticed."""

import itertools
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("conformance", "pcaps", "fuzz", "reports")
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
LAYERS = [[room.strip() for room in layer.split("|")] for layer in CONTRACTS["layers"]["layers"]]


def modules() -> list[str]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def test_every_module_is_in_exactly_one_layer():
    rooms = [room for layer in LAYERS for room in layer]
    homeless = [
        module for module in modules() if module not in PACKAGES and sum(within(module, room) for room in rooms) != 1
    ]
    assert not homeless


def first_module(room: str) -> Path:
    """Return the file of a room into which a forbidden import can be written."""
    path = ROOT.joinpath(*room.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> str:
    """Return what the lint says of a copy in which each room imports one of the layer above, and its neighbours."""
    folder = tmp_path_factory.mktemp("contracts")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for importer, imported in forbidden():
        file = folder / first_module(importer).relative_to(ROOT)
        file.write_text(f"{file.read_text()}\nimport {imported}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return " ".join(done.stdout.split())


def forbidden() -> list[tuple[str, str]]:
    """Return imports that break the layers: one upwards from each layer, one to each neighbour."""
    upwards = [(below[0], above[0]) for above, below in itertools.pairwise(LAYERS)]
    sideways = [(layer[0], other) for layer in LAYERS for other in layer[1:]]
    return upwards + sideways


@pytest.mark.parametrize(("importer", "imported"), forbidden())
def test_an_import_against_the_layers_is_noticed(broken, importer, imported):
    assert re.search(rf"\b{re.escape(importer)} -> {re.escape(imported)}\b", broken)


def test_cases_may_not_use_the_engine(broken):
    assert ("conformance.suites", "conformance.run") in forbidden()
    assert "conformance.suites is not allowed to import conformance.run" in broken

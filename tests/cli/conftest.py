"""Starts the command line as a program: with the fake plugin, or as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.commands import cli
from conformance.run import session

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(__file__).with_name("cli_driver.py")

Finished = subprocess.CompletedProcess


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """The environment of a command: this project importable, a folder with one case, nothing else of note."""
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "test_7_2_imagined.py").write_text("def test_imagined():\n    pass\n")
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    keep.pop("FORCE_COLOR", None)
    return {
        **keep,
        "PYTHONPATH": str(ROOT),
        "FAKE_SUITES": str(suites),
        "COLUMNS": "100",
        "HOME": str(tmp_path),
    }


@pytest.fixture
def fake(environment, tmp_path, monkeypatch, capsys) -> Callable[..., Finished[str]]:
    """Run `icetcp` in this process with the fake plugin, which does as `script` says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "PLUGIN", "fake_icetcp_plugin")
    monkeypatch.setattr(session, "suites_folder", lambda: environment["FAKE_SUITES"])
    for name in ("test_7_2_imagined", "test_8_broken"):  # another test's file of this name
        monkeypatch.delitem(sys.modules, name, raising=False)

    def run(*arguments: str, script: dict | None = None) -> Finished[str]:
        monkeypatch.setenv("FAKE_ICETCP", json.dumps(script or {"results": [{}]}))
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        out, err = capsys.readouterr()
        return Finished(arguments, ended.value.code, out, err)

    return run


@pytest.fixture
def apart(environment, tmp_path) -> Callable[..., Finished[str]]:
    """Run `icetcp` as a program of its own with the fake plugin."""

    def run(*arguments: str, script: dict | None = None, **more: str) -> Finished[str]:
        variables = {**environment, **more, "FAKE_ICETCP": json.dumps(script or {"results": [{}]})}
        return subprocess.run(
            [sys.executable, str(DRIVER), *arguments],
            env=variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run

"""Compiled modules are kept in the user's cache where Python keeps none beside their sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.run import bytecode

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path / "icetcp" / "bytecode"


def version(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance", "--version"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_what_was_compiled_once_is_used_by_the_next_process(tmp_path):
    settings = {"XDG_CACHE_HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": ""}
    version(**settings)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pyc")}
    assert any(path.name.startswith("cli.") for path in kept)
    version(**settings)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.pyc")} == kept


def test_a_folder_of_the_users_own_choice_is_left_alone(tmp_path):
    version(
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        PYTHONDONTWRITEBYTECODE="",
        PYTHONPYCACHEPREFIX=str(tmp_path / "chosen"),
    )
    assert list((tmp_path / "chosen").rglob("cli.*.pyc"))
    assert not (tmp_path / "cache").exists()


def test_nothing_is_kept_where_python_keeps_it_or_the_cache_cannot_be_written(cache, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    bytecode.keep()
    assert sys.pycache_prefix is None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
    bytecode.keep()
    assert (sys.pycache_prefix, sys.dont_write_bytecode) == (None, True)
    assert not cache.exists()


def test_what_belongs_to_an_installation_that_is_gone_is_removed(cache, tmp_path):
    for name, origin in (("gone", tmp_path / "gone"), ("other", tmp_path)):
        (cache / name).mkdir(parents=True)
        (cache / name / "origin").write_text(str(origin))
    bytecode.keep()
    assert sys.pycache_prefix is not None
    assert {path.name for path in cache.iterdir()} == {"other", Path(sys.pycache_prefix).name}

"""`.ci/run` finds the Pythons that work, says which it did not find, and takes the README's command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from docs_reading import ROOT


@pytest.fixture
def machine(tmp_path):
    """A PATH and a pyenv without any Python of their own; `python(place, works)` puts one there."""
    path, pyenv = tmp_path / "path", tmp_path / "pyenv"
    path.mkdir()
    for tool in ("bash", "dirname", "sed", "env"):
        found = next(place for place in ("/usr/bin", "/bin") if os.access(f"{place}/{tool}", os.X_OK))
        (path / tool).symlink_to(f"{found}/{tool}")

    def python(place: str, *, works: bool) -> str:
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/usr/bin/env bash\nexit {0 if works else 127}\n")
        file.chmod(0o755)
        return str(file)

    def which() -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(path), "PYENV_ROOT": str(pyenv), "HOME": str(tmp_path)}
        return subprocess.run(
            [str(ROOT / ".ci" / "run"), "--which"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return python, which


def test_a_shim_that_fails_is_passed_over_for_pyenvs_own(machine):
    python, which = machine
    first = python("path/python3.11", works=True)
    python("path/python3.12", works=False)
    second = python("pyenv/versions/3.12.9/bin/python", works=True)
    done = which()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"Python 3.11: {first}",
        f"Python 3.12: {second}",
        "Python 3.13: not on the PATH and not in pyenv",
    ]


def test_without_3_11_it_fails(machine):
    python, which = machine
    python("path/python3.11", works=False)
    python("path/python3.12", works=True)
    done = which()
    assert done.returncode == 1
    assert "3.11 is needed" in done.stderr


def test_newer_pythons_run_the_same_gates_under_tox_as_in_ci():
    said = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8").split("[testenv:py3{12,13}]")[1].split("[testenv:")[0]
    for folder in ("wire", "pcaps", "reports", "run"):
        assert f"tests/{folder}" in tox
        assert folder in said
    assert "icetcp run --quick" in tox


def test_what_failed_stands_at_the_end_of_the_output(tmp_path):
    written = tmp_path / "tests.xml"
    written.write_text(
        """<testsuites><testsuite name="pytest">
        <testcase classname="tests.wire.test_wire" name="test_held"/>
        <testcase classname="tests.wire.test_wire" name="test_broken[3]"><failure message="assert 1 == 2&#10;  more">all of it</failure></testcase>
        <testcase classname="tests.wire.test_wire" name="test_skipped"><skipped message="no"/></testcase>
        </testsuite></testsuites>"""
    )
    command = [sys.executable, str(ROOT / ".ci" / "failed"), str(written), str(tmp_path / "none.xml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == [
        f"failure ({written}): tests.wire.test_wire::test_broken[3]",
        "    assert 1 == 2",
        "      more",
        f"{tmp_path / 'none.xml'}: not written; its tests came to no end",
    ]
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert run.index('-c "$command"') < run.index(".ci/failed .tox/*/tmp/tests.xml")
    environments = [part for part in (ROOT / "tox.ini").read_text().split("[testenv") if part.startswith(("]", ":py3"))]
    assert len(environments) == 2
    assert all("--junitxml {env_tmp_dir}{/}tests.xml" in environment for environment in environments)


def test_each_file_of_tests_that_tox_names_is_collected():
    """From a file below a folder that the same command names, pytest 9 takes only what it takes from the folder."""
    commands = [line.split() for line in (ROOT / "tox.ini").read_text().splitlines() if line.startswith("    pytest ")]
    for command in commands:
        named = [Path(word) for word in command if word.startswith("tests")]
        assert not any(one in other.parents for one in named for other in named), command
    whole = {word for command in commands for word in command if word.endswith("_whole.py")}
    assert whole == {
        str(path.relative_to(ROOT)) for path in ROOT.glob("tests/*/*_whole.py") if path.name[:5] != "test_"
    }

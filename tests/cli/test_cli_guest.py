"""icetcp as a guest in another project's pytest, whose packages have the names of ours."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conformance.run.invocation import command_line
from reports.record import read

ROOT = Path(__file__).resolve().parents[2]
OWN = """
import sys

import conformance
import fuzz
import pcaps
import reports


def test_own():
    assert (reports.OWNER, fuzz.OWNER, pcaps.OWNER, conformance.OWNER) == ("they",) * 4
    assert "conformance.run" not in sys.modules
    assert "scapy" not in sys.modules
"""
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def project(tmp_path):
    """A project with packages of its own called reports, fuzz, pcaps and conformance."""
    for name in ("reports", "fuzz", "pcaps", "conformance"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('OWNER = "they"\n')
    (tmp_path / "test_own.py").write_text(OWN)
    return tmp_path


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = {**keep, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=project, env=environment, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip


def test_the_entry_points_are_the_module_of_a_unique_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"icetcp": "icetcp:main"}
    assert project["project"]["entry-points"]["pytest11"] == {"icetcp": "icetcp"}
    assert project["tool"]["setuptools"]["py-modules"] == ["icetcp"]


def test_a_projects_own_tests_run_as_if_icetcp_was_not_there(project) -> None:
    done = python(project, "pytest", "-p", "icetcp", "-q", "--strict-markers")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_options_are_there_and_have_a_prefix(project) -> None:
    shown = python(project, "pytest", "-p", "icetcp", "--help").stdout
    section = shown.partition("ICE-TCP conformance:\n")[2].partition("\n\n")[0]
    options = [line.split()[0].partition("=")[0] for line in section.splitlines() if line.strip().startswith("--")]
    assert "--iut" in options
    assert len(options) > 10
    assert all(option == "--iut" or option.startswith("--icetcp-") for option in options)


def test_an_iut_that_is_named_is_judged_there_too(project) -> None:
    case = "RFC4571-2/length_equals_the_request[offerer]"
    options = ["--icetcp-link", "sockets", "--icetcp-out", "out", "--icetcp-case", case]
    done = python(
        project, "pytest", "-p", "icetcp", "-q", "--iut", "reference", *options, "--pyargs", "conformance.suites"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = [result for result in read(project / "out" / "record.jsonl")[1] if "/judge_" not in result.case]
    assert [(result.case, result.verdict) for result in results] == [(case, "pass")]


def test_the_command_runs_there_too(project) -> None:
    case = "RFC4571-2/length_equals_the_request[offerer]"
    done = python(project, "icetcp", "run", "--link", "sockets", "--case", case, "--out", "out")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "1 variant of 1 case in " in done.stdout


@pytest.mark.parametrize("module", ["conformance", "icetcp"])
def test_the_package_is_run_where_others_have_the_names_of_its_neighbours(tmp_path, module) -> None:
    """`python -m` looks in the current folder first, and a folder of reports is a package to Python."""
    for name in ("reports", "fuzz", "pcaps"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('this is not of icetcp')\n")
    case = "RFC4571-2/length_equals_the_request[offerer]"
    done = python(tmp_path, module, "run", "--link", "sockets", "--case", case, "--out", "out")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "1 variant of 1 case in " in done.stdout
    info, _ = read(tmp_path / "out" / "record.jsonl")
    expected = [sys.executable, "-m", module, "run", "--link", "sockets", "--case", case, "--out", "out"]
    assert shlex.split(info.command_line) == expected


def test_a_campaign_runs_there_too(tmp_path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "__init__.py").write_text("raise ImportError('this is not of icetcp')\n")
    done = python(tmp_path, "conformance", "fuzz", "--cases", "20", "--out", "out")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize(
    ("program", "shown"), [("icetcp", "icetcp"), ("./icetcp", "./icetcp"), ("/else/where/icetcp", "/else/where/icetcp")]
)
def test_the_command_line_of_a_run_is_one_that_works(tmp_path, monkeypatch, program, shown) -> None:
    there = tmp_path / "icetcp"
    there.write_text("")
    there.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", [str(there) if program == "icetcp" else program, "run", "--iut", "exec:a b"])
    assert command_line() == f"{shown} run --iut 'exec:a b'"
    assert command_line(["judge"]) == f"{shown} judge"

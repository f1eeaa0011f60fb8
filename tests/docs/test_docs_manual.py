"""The manual page says what the help of the commands says, and a renderer takes it without a warning."""

from __future__ import annotations

import shutil
import subprocess
import tomllib

import docs_manual
import pytest
from docs_reading import ROOT

from conformance.commands.cli import cli
from fuzz import command as fuzz_command


def rendered(program: list[str]) -> str:
    done = subprocess.run([*program, docs_manual.PAGE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_page_is_that_of_the_help():
    page = docs_manual.PAGE.read_text(encoding="utf-8")
    assert page == docs_manual.written(), "run python tests/docs/refresh.py"


def test_every_command_and_option_is_in_it():
    page = docs_manual.PAGE.read_text(encoding="utf-8").replace("\\-", "-")
    for name, command in cli.every().items():
        assert f'.SS "icetcp {name} ' in page
        own = getattr(fuzz_command, name) if name in ("fuzz", "replay") else command
        part = page.split(f'.SS "icetcp {name} ')[1].split('\n.SS "icetcp ')[0]
        missing = [o for p in own.params for o in p.opts if o.startswith("--") and o not in part]
        assert [option for option in missing if option not in ("--print-config", "--help")] == []


def test_it_is_installed_where_man_looks():
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    assert files == {"share/man/man1": ["docs/icetcp.1"]}


def test_a_line_of_help_is_neither_a_request_nor_an_escape():
    assert docs_manual._text(r".so \x 'a' -b") == r"\&.so \(rsx \(aqa\(aq \-b"


@pytest.mark.parametrize(
    "program",
    [["groff", "-man", "-Tutf8", "-ww", "-z"], ["mandoc", "-T", "lint", "-W", "warning"]],
    ids=["groff", "mandoc"],
)
def test_a_renderer_takes_it_without_warnings(program):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    assert rendered(program) == ""


def test_a_reader_sees_the_words():
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    text = rendered(["groff", "-man", "-Tutf8", "-P-cbou"]).replace("\N{MINUS SIGN}", "-")
    assert "--cases-from" in text
    assert "EXIT STATUS" in text
    assert "\\(" not in text

"""Options from a file and from the environment: which counts, what is refused, and what --print-config tells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def icetcp(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith("ICETCP_")}
    return subprocess.run(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=folder, env={**keep, "PYTHONPATH": str(ROOT), **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def told(folder: Path, *arguments: str, **environment: str) -> dict[str, tuple[str, str]]:
    done = icetcp(folder, *arguments, "--print-config", **environment)
    assert done.returncode == 0, done.stderr
    lines = [line.rpartition("  # ") for line in done.stdout.splitlines() if "  # " in line]
    return {text.split(" = ")[0]: (text.split(" = ", 1)[1], origin) for text, _, origin in lines}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "icetcp.toml",
            'quick = true\nseed = 3\nsection = ["4.2", "7.2"]\nout = "reports/x"\n[gate]\nfail-on = "should"\n',
        ),
        (
            "pyproject.toml",
            '[project]\nname = "x"\n[tool.icetcp]\nseed = 3\nsection = ["4.2", "7.2"]\nout = "reports/x"\n'
            '[tool.icetcp.run]\nquick = true\n[tool.icetcp.gate]\nfail-on = "should"\n',
        ),
    ],
)
def test_the_nearest_file_gives_defaults(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "without options"\n')
    options = told(inner, "run")
    assert options["quick"] == ("true", "file")
    assert options["section"] == ('["4.2", "7.2"]', "file")
    assert options["out"] == (f'"{tmp_path / "reports" / "x"}"', "file")
    assert options["link"] == ('"auto"', "default")
    assert told(inner, "gate", "some-run", "--expect", "x")["fail-on"] == ('"should"', "file")


def test_the_command_line_counts_before_the_environment_and_that_before_the_file(tmp_path):
    (tmp_path / "icetcp.toml").write_text("seed = 1\njobs = 1\ntimeout = 1\n")
    options = told(tmp_path, "run", "--seed", "3", ICETCP_SEED="2", ICETCP_RUN_JOBS="2", ICETCP_CASE="a b")
    assert options["seed"] == ("3", "command line")
    assert options["jobs"] == ("2", "environment ICETCP_RUN_JOBS")
    assert options["timeout"] == ("1.0", "file")
    assert options["case"] == ('["a", "b"]', "environment ICETCP_CASE")


def test_what_print_config_prints_is_a_file_that_says_the_same(tmp_path):
    asked = ("run", "--seed", "3", "--case", "RFC4571-2/x", "-k", 'a "b"', "--quick", "--require-reach", "80%")
    printed = icetcp(tmp_path, *asked, "--print-config").stdout
    (tmp_path / "icetcp.toml").write_text(printed)
    again = icetcp(tmp_path, "run", "--print-config").stdout
    values = [[line.rpartition("  # ")[0] for line in text.splitlines() if "  # " in line] for text in (printed, again)]
    assert values[0] == values[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("qick = true", "icetcp run has no option 'qick'; did you mean 'quick'?"),
        ("[gate]\nexpct = 'x'", "icetcp gate has no option [gate] 'expct'; did you mean 'expect'?"),
        ("seed = [1]", "seed takes one value"),
        ("quick = 'yes'", "quick is a switch: true or false"),
        ("seed = 'many'", "Invalid value for '--seed'"),
        ("[[[", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line(tmp_path, text, words):
    (tmp_path / "icetcp.toml").write_text(text)
    done = icetcp(tmp_path, "run")
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "icetcp.toml"]


def test_commands_of_the_fuzzer_have_their_table(tmp_path):
    (tmp_path / "icetcp.toml").write_text("[fuzz]\ncases = 'many'\n")
    done = icetcp(tmp_path, "fuzz")
    assert done.returncode == 2
    assert "--cases" in done.stderr
    (tmp_path / "icetcp.toml").write_text("[fuzz]\ncaes = 3\n")
    assert "did you mean 'cases'?" in icetcp(tmp_path, "fuzz").stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_options(tmp_path, shell):
    keep = {name: value for name, value in os.environ.items() if not name.startswith("ICETCP_")}
    environment = {
        **keep,
        "PYTHONPATH": str(ROOT),
        "_ICETCP_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "icetcp run --qu",
        "COMP_CWORD": "--qu" if shell == "fish" else "2",
    }
    program = "import sys; sys.argv[0] = 'icetcp'; from conformance.commands.cli import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "--quick" in done.stdout
    assert "--quiet" in done.stdout

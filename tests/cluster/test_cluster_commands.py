"""Commands with `--cluster` as a user starts them: real processes of this machine, and the results of the same command
without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "conformance"]


def icetcp(*arguments, **environment):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=200, check=False, env={**os.environ, **environment}
    )  # fmt: skip


def test_without_dask_the_remedy_is_named(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['distributed'] = None\n")
    for command in (
        ["run"],
        ["mutants", "--section", "4.2"],
        ["matrix", "reference"],
        ["interop", "reference", "x=reference"],
        ["fuzz"],
    ):
        done = icetcp(*command, "--cluster", "local:2", "--out", str(tmp_path / "out"), PYTHONPATH=str(tmp_path))
        assert done.returncode == 3, (command, done.stderr)
        assert "pip install 'icetcp[cluster]'" in done.stderr, command


def test_a_scheduler_that_is_not_there_is_told(tmp_path):
    done = icetcp("mutants", "--section", "4.2", "--cluster", "tcp://127.0.0.1:9", "--out", str(tmp_path / "out"))
    assert done.returncode == 3
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr


def test_what_does_not_go_together_is_a_usage_error(tmp_path):
    out = ["--out", str(tmp_path / "out")]
    for arguments in (["-x"], ["--ratchet"], ["--cluster", "local:0"], ["--iut", "manual"]):
        done = icetcp("run", "--cluster", "local:1", *arguments, *out)
        assert done.returncode == 2, (arguments, done.stderr)
    assert icetcp("run", "--resume", *out).returncode == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.timeout(240)
def test_the_kill_matrix_of_a_cluster_is_that_of_one_process(tmp_path):
    chosen = [
        "mutants",
        "--quick",
        "-k",
        "other_preference_on",
        "--fault",
        "other-pref-not-8191",
        "--fault",
        "other-pref-shared",
    ]
    here = icetcp(*chosen, "--out", str(tmp_path / "here"))
    there = icetcp(*chosen, "--cluster", "local:2", "--piece", "2", "--out", str(tmp_path / "there"))
    assert here.returncode == there.returncode, there.stderr
    found = [json.loads((tmp_path / name / "mutants.json").read_text()) for name in ("here", "there")]
    for key in ("faults", "healthy", "skipped", "incidents"):
        assert found[0][key] == found[1][key]
    assert not (tmp_path / "there" / "pieces").exists()
    assert list((tmp_path / "there" / "logs").iterdir())


@pytest.mark.timeout(240)
def test_repetitions_become_one_run(tmp_path):
    out = tmp_path / "out"
    done = icetcp("run", "--repeat", "2", "--quick", "-k", "port_9", "--cluster", "local:2", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in (out / "record.jsonl").read_text().splitlines()]
    variants = [line["variant"] for line in lines if line["kind"] == "verdict" and "/judge_" not in line["variant"]]
    first = [name for name in variants if not name.endswith("#2")]
    assert first
    assert sorted(variants) == sorted([*first, *(f"{name}#2" for name in first)])
    captures = {
        line["capture"]
        for line in lines
        if line["kind"] == "verdict" and line["variant"] in variants and line["capture"]
    }
    assert len(captures) == len(
        [line for line in lines if line["kind"] == "verdict" and line["variant"] in variants and line["capture"]]
    )
    assert all((out / capture).is_file() for capture in captures)
    assert (out / "report.html").is_file()
    assert (out / "junit.xml").is_file()
    assert lines[-1]["variants"] == len(variants)
    assert any("executed on" in note for note in lines[-1]["notes"])
    assert str(out) in next(line["repeat"] for line in lines if line["kind"] == "verdict" and line["repeat"])
    assert not (out / "pieces").exists()

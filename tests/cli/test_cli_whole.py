"""`icetcp run` as it is: the plugin, the engine and the reference agent, started as a user starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from conformance.invoke import descendants

COMMAND = [sys.executable, "-m", "conformance", "run"]


@pytest.fixture
def environment(tmp_path):
    """The environment of this project's tests, without what pytest put there and with an empty cache."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {**keep, "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def icetcp(environment, tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_few_cases_against_the_reference_agent(icetcp, tmp_path):
    done = icetcp("--section", "7.2", "-k", "connection", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    passed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("pass ")]
    assert passed
    assert "conforms: every requirement that was judged is met" in done.stdout
    records = [json.loads(line) for line in (tmp_path / "out" / "record.jsonl").read_text().splitlines()]
    assert sorted(r["case"] for r in records if r["kind"] == "verdict") == sorted(passed)
    assert len(ET.parse(tmp_path / "out" / "junit.xml").findall(".//testcase")) == len(passed)
    listed = done.stdout.partition("written:\n")[2].split()
    assert all((tmp_path / path).exists() for path in listed)
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "cache"}  # Scapy makes itself a cache folder


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--iut", "libnice"), 2, "icetcp stacks build libnice"),
        (("--iut", "exec:cat"), 3, "cannot test cat: "),
        (("--out", "/dev/null/reports"), 2, "choose another with --out"),
    ],
)
def test_trouble_is_one_line_with_the_remedy(icetcp, tmp_path, arguments, status, words):
    done = icetcp(*arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not list(tmp_path.glob("**/junit.xml"))


def test_a_folder_that_is_gone_is_named(environment, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'rmdir "{gone}" && exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", command, "sh", *COMMAND],
        env={**environment, "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))},
        cwd=gone,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "the current folder cannot be used" in done.stderr


def test_ctrl_c_ends_a_run_and_what_has_finished_is_reported(environment, tmp_path):
    process = subprocess.Popen(
        [*COMMAND, "-j", "2"], env=environment, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    seen = 0
    while seen < 3:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        seen += line.startswith("pass ")
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, err = process.communicate(timeout=30)
    took = time.monotonic() - begun
    assert (process.returncode, err) == (3, "icetcp: interrupted\n")
    assert took < 2, f"{took:.1f} s from the signal to the end"
    assert children
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert "interrupted: the cases above had finished" in out
    assert len(ET.parse(tmp_path / "reports" / "run" / "junit.xml").findall(".//testcase")) >= 3


def test_the_command_of_an_iut_may_hold_braces(icetcp, tmp_path):
    wrapper = tmp_path / "adapter.py"
    lines = ["import runpy, sys", "del sys.argv[1:]", "runpy.run_module('conformance.agent', run_name='__main__')"]
    wrapper.write_text("\n".join(lines))
    command = f"exec:{sys.executable} {wrapper} '{{\"reports\": []}}'"
    done = icetcp("-k", "response_is_framed", "--quick", "--iut", command, "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    records = [json.loads(line) for line in (tmp_path / "out" / "record.jsonl").read_text().splitlines()]
    assert all('{"reports": []}' in r["repeat"] for r in records if r["kind"] == "verdict")

"""Every code block of every document is executed, compared with a file, or has a named reason why it is not."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from docs_names import checked
from docs_reading import DOCUMENTS, ROOT, SHELL, Block, blocks, excerpt

from pcaps.golden import build

ALL = [block for document in DOCUMENTS for block in blocks(document)]
BY_NAME = {str(block): block for block in ALL}
WITHIN = 100  # seconds that a command may take on a loaded machine
CALL = "clean-controlling-offerer"
# Times, ports and the address of a case, which of two that begin together may have either: another in each run.
_LOOSE = re.compile(r"\d+\.\d\d ?s\b|(?<=[.\]\d]):\d{2,5}\b|\b127\.16\.\d+\.\d+\b")


def kind(block: Block) -> str:
    """Return what the test does with a block; a block of which this says nothing is a mistake in the document."""
    for name in ("output", "in", "parse", "prose"):
        if block.clause(name) is not None:
            return name
    if block.language in SHELL:
        return "run"
    assert block.language == "json", f"{block}: execute it, compare it with a file, or say why not"
    return "json"


def of_kind(*kinds: str) -> pytest.MarkDecorator:
    """Parametrise a test by the blocks of these kinds."""
    return pytest.mark.parametrize("name", [name for name, block in BY_NAME.items() if kind(block) in kinds])


@pytest.fixture
def sandbox(tmp_path):
    """A folder of a reader's: a capture with its descriptions, an adapter, and the project's folders."""
    for place in ("conformance", "fuzz", "pcaps", "tests", "docs", "tox.ini", "pyproject.toml"):
        (tmp_path / place).symlink_to(ROOT / place)
    shutil.copytree(ROOT / "reports", tmp_path / "reports", ignore=shutil.ignore_patterns("__pycache__", "run", "fuzz"))
    golden = build.FOLDER
    shutil.copy(golden / f"{CALL}.pcapng", tmp_path / "call.pcapng")
    shutil.copy(golden / f"{CALL}.pcapng", tmp_path / "more.pcap")
    (tmp_path / "call.pcap.gz").write_bytes(gzip.compress((golden / f"{CALL}.pcapng").read_bytes()))
    for description in ("offer", "answer"):
        shutil.copy(golden / f"{build.USUAL}.{description}.sdp", tmp_path / f"{description}.sdp")
    adapter = tmp_path / "my-adapter"
    adapter.write_text(f"#!/bin/sh\nexec {sys.executable} -m conformance.agent\n")
    adapter.chmod(0o755)
    return tmp_path


def execute(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader types it, with the icetcp and Python of these tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "200", "PYTHONWARNINGS": "", "NO_COLOR": "1"}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=WITHIN, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@of_kind("run")
def test_commands_do_what_the_document_says(name, sandbox):
    block = BY_NAME[name]
    for printed in block.commands():
        checked(printed)
    commands = block.executed()
    assert commands
    statuses = block.statuses or (0,) * len(commands)
    for command, status in zip(commands, statuses, strict=True):
        done = execute(command, sandbox)
        assert done.returncode == status, f"{name}: {command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@of_kind("output")
def test_output_is_real(name, sandbox):
    block = BY_NAME[name]
    first, *lines = block.text.splitlines()
    assert first.startswith("$ ")
    checked(first[2:])
    done = execute(first[2:], sandbox)
    assert done.returncode == (block.statuses or (0,))[0], done.stdout + done.stderr
    actual = {_LOOSE.sub("#", line).strip() for line in done.stdout.splitlines()}
    expected = [_LOOSE.sub("#", line).strip() for line in lines if line.strip()]
    assert expected
    missing = [line for line in expected if line not in actual]
    assert not missing, f"{name}: the real output\n{done.stdout}"


@of_kind("in")
def test_excerpts_are_those_of_the_files(name):
    block = BY_NAME[name]
    file, _, named = block.clause("in").partition(" ")
    if named:
        assert block.text == excerpt(ROOT / file, named), f"{name}: run python tests/docs/refresh.py"
    else:
        assert f"{block.text}\n" in (ROOT / file).read_text(encoding="utf-8"), f"{name}: not in {file}"


@of_kind("parse")
def test_commands_that_are_not_executed_name_real_options(name):
    block = BY_NAME[name]
    assert len(block.clause("parse").split()) >= 3, f"{name}: no reason"
    assert sum(checked(command) for command in block.commands()) >= 1, f"{name}: nothing to check"


@of_kind("json")
def test_json_is_json(name):
    json.loads(BY_NAME[name].text)


@of_kind("prose")
def test_what_is_no_program_has_a_reason(name):
    block = BY_NAME[name]
    assert len(block.clause("prose").split()) >= 3, f"{name}: no reason"
    for line in block.text.splitlines():
        found = re.search(r"(?:^|[ -])((?:icetcp|tox|pytest) .*)", line)
        if found:
            checked(found[1])


def test_the_main_documents_have_blocks_that_are_executed():
    executed = {block.document.relative_to(ROOT).as_posix() for block in ALL if kind(block) in ("run", "output")}
    assert {"README.md", "fuzz/README.md", "conformance/iut/README.md", "docs/adding-a-case.md"} <= executed

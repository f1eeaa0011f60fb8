"""A gate walked through from the first run to the expired entry, with `icetcp run` and `icetcp gate`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from reports.record import read

FAULTY = f"exec:{sys.executable} -m conformance.agent --fault null-frame-closes"
SOME = ("--section", "RFC4571-2", "--variants", "usual", "--link", "sockets", "--out", "out")
pytestmark = pytest.mark.timeout(180)


def icetcp(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_from_the_first_run_to_the_expired_entry(tmp_path) -> None:
    first = icetcp(tmp_path, "run", "--iut", FAULTY, *SOME, "--expect", "known.toml", "--write-expect")
    assert first.returncode == 0, first.stdout + first.stderr
    file = tmp_path / "known.toml"
    written = file.read_text()
    assert "null_frames_between_checks" in written

    results = read(tmp_path / "out" / "record.jsonl")[1]
    known = [result for result in results if result.known]
    assert known
    assert f", {len(known)} known" in first.stdout
    assert "known failures:" in first.stdout
    root = etree.parse(tmp_path / "out" / "junit.xml")
    assert not list(root.iter("failure"))
    assert sum(s.get("message").startswith("known fail: ") for s in root.iter("skipped")) == len(known)

    gated = icetcp(tmp_path, "gate", "out", "--expect", "known.toml")
    assert (gated.returncode, gated.stderr) == (0, "")
    assert gated.stdout.splitlines()[-1] == "gate passed: every failure is known"

    lines = re.sub(r'    "[^"]*null_frames_between_checks[^"]*",\n', "", written)
    (tmp_path / "fewer.toml").write_text(lines)
    fewer = icetcp(tmp_path, "gate", "out", "--expect", "fewer.toml")
    assert fewer.returncode == 1
    assert re.search(r"^fail    RFC4571-2/null_frames_between_checks", fewer.stdout, re.MULTILINE)
    assert "gate not passed" in fewer.stdout

    file.write_text(written.replace("reason =", "expires = 2020-01-01\nreason ="))
    expired = icetcp(tmp_path, "gate", "out/record.jsonl", "--expect", "known.toml")
    assert expired.returncode == 1
    assert "expired: known until 2020-01-01" in expired.stdout
    assert f"{len(known)} expired" in expired.stdout

    file.write_text(written)
    healed = icetcp(tmp_path, "run", *SOME, "--expect", "known.toml")
    assert healed.returncode == 1
    assert "unexpected pass: it is known as fail" in healed.stdout
    ratchet = icetcp(tmp_path, "gate", "out", "--expect", "known.toml", "--ratchet")
    assert ratchet.returncode == 0, ratchet.stdout
    assert not re.search(r"RFC4571-2/(?!judge_)", file.read_text())  # a rule may be broken in what was not selected


def test_trouble_is_one_line(tmp_path) -> None:
    (tmp_path / "wrong.toml").write_text("[[deviation]]\ncases = 7\n")
    for arguments in (
        ("gate", "nowhere", "--expect", "wrong.toml"),
        ("gate", "wrong.toml", "--expect", "wrong.toml"),
        ("run", "--expect", "wrong.toml"),
        ("run", "--expect", "missing.toml"),
        ("run", "--ratchet"),
    ):
        done = icetcp(tmp_path, *arguments)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done
    assert not (tmp_path / "reports").exists()


def test_a_record_without_an_end_is_not_green(tmp_path) -> None:
    done = icetcp(tmp_path, "run", *SOME, "--quick")
    assert done.returncode == 0, done.stdout
    record = tmp_path / "out" / "record.jsonl"
    record.write_text("\n".join(record.read_text().splitlines()[:-1]) + "\n")
    (tmp_path / "known.toml").write_text("")
    gated = icetcp(tmp_path, "gate", "out", "--expect", "known.toml")
    assert gated.returncode == 3
    assert "did not come to its end" in gated.stderr

"""Each capture of a run is opened and read once, whatever asks about it: judge, ladder, cross-check or octet count.

The page holds the captures of what did not pass: their octets are copied once more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from conformance.verdict import Verdict
from reports.record import read

# Python imports this in every process of the run; each opening of a capture for reading leaves a line.
WATCHER = """
import os, sys

def watch(event, arguments):
    if event == "open" and "/captures/" in str(arguments[0]) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        line = f"{os.path.basename(arguments[0])}\\n".encode()
        log = os.open(os.environ["OPENINGS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, line)
        os.close(log)

sys.addaudithook(watch)
"""


@pytest.mark.parametrize("link", ["auto", "sockets"])
@pytest.mark.parametrize("faults", [(), ("mapped-address-wrong", "length-includes-itself")])
def test_each_capture_is_opened_once(tmp_path: Path, link: str, faults: tuple[str, ...]) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCHER)
    log, out = tmp_path / "openings", tmp_path / "out"
    iut = f"exec:{sys.executable} -m conformance.agent" + "".join(f" --fault {fault}" for fault in faults)
    command = [sys.executable, "-m", "conformance", "run", "--iut", iut, "--link", link, "--out", str(out)]
    paths = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [*command, "-k", "length_equals or null_frames_between"],
        env={**os.environ, "OPENINGS": str(log), "PYTHONPATH": paths},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == int(bool(faults)), done.stderr
    _, results = read(out / "record.jsonl")
    failed = [result for result in results if result.verdict is Verdict.FAIL]
    assert bool(failed) is bool(faults)
    assert all(result.ladder for result in failed)
    openings = Counter(log.read_text().split())
    captures = {path.name for path in (out / "captures").iterdir()}  # a repeated variant has left two
    assert captures >= {Path(result.capture).name for result in results if result.capture}
    # The page holds these whole: their octets are copied there, once for all rules that they break.
    shown = {Path(r.capture).name for r in results if r.capture and r.verdict in (Verdict.FAIL, Verdict.INCONC)}
    assert openings == Counter([*captures, *shown])
    assert len(openings) > 5

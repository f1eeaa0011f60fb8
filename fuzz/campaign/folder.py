"""The folder of a finding: everything that is needed to understand and repeat it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.wire.attributes import Address
from fuzz.campaign.bundle import replay_program
from fuzz.player.outcome import SessionFailed
from pcaps.capture import SyntheticCapture
from pcaps.ladder import render
from pcaps.reading import read_capture

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.findings import Finding
    from fuzz.judging.runner import Runner
    from fuzz.judging.symptom import Evidence
    from fuzz.player.journal import Journal


def hand_over(finding: Finding, parent: Path, runner: Runner, iut: str, evidence: Evidence) -> Path:
    """Write the folder of a finding. ``evidence``: what was recorded when the symptom was first seen."""
    folder = parent / finding.bucket
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "replay.py").write_text(replay_program(finding), encoding="utf-8")
    _lines(folder / "stderr.txt", finding.stderr or evidence.stderr)
    if evidence.history:
        _lines(folder / "history.txt", [*evidence.history, "", "stderr:", *evidence.stderr])
    _capture(finding, folder, runner)
    unfinished = folder / f"finding.json.{finding.shard}"
    unfinished.write_text(json.dumps({"iut": iut, **finding.data()}, indent=1), encoding="utf-8")
    unfinished.replace(folder / "finding.json")  # the last file, at once: where it is, the folder is complete
    return folder


def _lines(file: Path, lines: list[str]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="backslashreplace")


def _capture(finding: Finding, folder: Path, runner: Runner) -> None:
    """Play the case once more, and write down every octet."""
    path = folder / "capture.pcapng"
    capture = SyntheticCapture(path, f"{finding.kind}: {finding.cause}")
    try:
        if runner.spoilt or not runner.iut.usable:
            runner.fresh()
        runner.spoilt = True
        session = runner.session(finding.case["plan"])
        session.play(finding.case)
        session.close()
        record(session.player.journal, capture)
    except SessionFailed:
        pass
    finally:
        capture.close()
    (folder / "ladder.txt").write_text(render(read_capture(path).connections, {}) + "\n", encoding="utf-8")


def record(journal: Journal, capture: SyntheticCapture) -> None:
    """Write what passed on the connections of a session into a capture."""
    for entry in journal.entries:
        if entry.local is None or entry.remote is None:
            continue
        key = Address(*entry.local), Address(*entry.remote)
        when = int(entry.time * 1e9)
        if entry.what == "opened":
            capture.opened(*key, True, when)
        elif entry.what == "sent":
            capture.sent(key, entry.octets, when)
        elif entry.what == "received":
            capture.received(key, entry.octets, when)

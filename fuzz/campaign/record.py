"""The folder of a finding: everything that a person who was not there needs."""

from __future__ import annotations

import json
import time
from importlib import resources
from typing import TYPE_CHECKING, Any

from conformance.wire.attributes import Address
from fuzz.campaign.player import StageFailed
from pcaps.capture import SyntheticCapture
from pcaps.ladder import render
from pcaps.reading import read_capture

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.campaign.runner import Runner
    from fuzz.findings import Finding

_COMMENT = '''"""{title}

Stand-alone: Python 3.11 and an adapter are all it needs.

    python3 replay.py COMMAND OF THE ADAPTER
"""
'''


def hand_over(finding: Finding, parent: Path, runner: Runner, iut: str) -> Path:
    """Write a finding's folder."""
    folder = parent / finding.bucket
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "replay.py").write_text(replay_program(finding), encoding="utf-8")
    (folder / "stderr.txt").write_text("".join(f"{line}\n" for line in finding.stderr), encoding="utf-8")
    _capture(finding, folder, runner)
    unfinished = folder / f"finding.json.{finding.shard}"
    unfinished.write_text(json.dumps({"iut": iut, **finding.data()}, indent=1), encoding="utf-8")
    unfinished.replace(folder / "finding.json")  # the last, and at once: where it is, everything is
    return folder


def replay_program(finding: Finding) -> str:
    """Return a program that plays the case, made of the very text that played it here."""
    parts = [
        _source("render.py"),
        _source("campaign", "link.py"),
        _source("campaign", "offer.py"),
        _source("campaign", "outcome.py"),
        _source("campaign", "stage.py"),
        _source("campaign", "player.py"),
        _source("campaign", "alone.py"),
    ]
    head = _COMMENT.format(title=f"{finding.kind}: {finding.cause}".replace("\\", "/").replace('"', "'"))
    case = {"plan": finding.case["plan"], "steps": finding.case["steps"]}
    data = f"CASE = {case!r}\nKIND = {finding.kind!r}\nCAUSE = {finding.cause!r}\nREPEAT = {finding.repeat}\n"
    end = '\nif __name__ == "__main__":\n    raise SystemExit(replay(CASE, KIND, CAUSE, REPEAT))\n'
    return head + "from __future__ import annotations\n" + "\n".join(parts) + "\n" + data + end


def _source(*path: str) -> str:
    """Return a module's text without its docstring's quotes, its imports of our own, and what may stand only once."""
    text = resources.files("fuzz").joinpath(*path).read_text(encoding="utf-8")
    lines = text.split('"""', 2)[2].splitlines()
    return "\n".join(line for line in lines if not line.startswith(("from fuzz.", "from __future__", "__all__")))


def _capture(finding: Finding, folder: Path, runner: Runner) -> None:
    """Play it once more, with every octet written down."""
    path = folder / "capture.pcapng"
    capture = SyntheticCapture(path, f"{finding.kind}: {finding.cause}")
    names: dict[str, str] = {}
    try:
        if runner.spoilt or runner.iut.death:
            runner.fresh()
        scene = runner.scene(finding.case["plan"])
        _tap(scene.stage, capture)
        scene.play(finding.case)
        scene.close()
        runner.spoilt = True
    except StageFailed:
        pass
    finally:
        capture.close()
    (folder / "ladder.txt").write_text(render(read_capture(path).connections, names) + "\n", encoding="utf-8")


def _tap(stage: Any, capture: SyntheticCapture) -> None:
    """Let a stage's connections tell the capture what passes. Those that are open begin here."""

    def follow(link: Any) -> None:
        key = Address(*link.local), Address(*link.remote)
        capture.opened(*key, True, time.time_ns())
        put, take = link.put, link.take

        def putting(whole: bytes) -> None:
            capture.sent(key, whole, time.time_ns())
            put(whole)

        def taking(octets: bytes) -> None:
            capture.received(key, octets, time.time_ns())
            take(octets)

        link.put, link.take = putting, taking

    for link in stage.links.values():
        follow(link)
    stage.on_link = follow

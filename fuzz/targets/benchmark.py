"""How many of the planted bugs a campaign finds, how fast, and how small the minimal cases are.

    python -m fuzz.targets.benchmark [SECONDS [WORKERS]]

Which bug a finding shows is not guessed: its minimal case is played against the target with each bug alone.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from conformance.iut import stacks
from fuzz.campaign.conduct import conduct
from fuzz.campaign.runner import Runner
from fuzz.campaign.spec import Spec
from fuzz.targets.bugs import BUGS

_TARGET = f"exec:{sys.executable} -m fuzz.targets"


def shown(finding: dict[str, Any]) -> set[str]:
    """Return the bugs that alone bring about what a finding tells of."""
    found = set()
    for bug in BUGS:
        runner = Runner(stacks.resolve(f"{_TARGET} --bugs {bug.name}"))
        try:
            runner.quick = finding["kind"] not in ("leak", "spin")
            case = finding["case"]
            symptoms = runner.trial(case) if runner.quick else runner.leak(case)
            if any(symptom.kind == finding["kind"] for symptom in symptoms):
                found.add(bug.name)
        finally:
            runner.close()
    return found


def main(arguments: list[str]) -> int:
    """Run a campaign on the target with all bugs, and print what became of each."""
    seconds = float(arguments[0]) if arguments else 300.0
    workers = int(arguments[1]) if len(arguments) > 1 else 2
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        out = Path(folder)
        specs = [Spec(f"{_TARGET} --bugs all", str(out), shard=shard, seconds=seconds) for shard in range(workers)]
        total = conduct(specs, lambda _: None)
    first: dict[str, tuple[float, int]] = {}
    unexplained = []
    for finding in total.findings.values():
        bugs = shown(finding)
        size = len(json.dumps(finding["case"]["steps"]))
        for name in bugs:
            first[name] = min(first.get(name, (finding["seconds"], size)), (finding["seconds"], size))
        if not bugs:
            unexplained.append(finding["bucket"])
    for bug in BUGS:
        after, size = first.get(bug.name, (0.0, 0))
        text = f"after {after:6.1f} s, minimal case of {size:>5} characters" if bug.name in first else "not found"
        sys.stdout.write(f"{bug.group:<12}{bug.name:<24}{text}\n")
    for bucket in unexplained:
        sys.stdout.write(f"of several bugs together, or of none: {bucket}\n")
    sys.stdout.write(
        f"{len(first)} of {len(BUGS)} found in {seconds:g} s with {workers} workers, {total.cases} cases\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

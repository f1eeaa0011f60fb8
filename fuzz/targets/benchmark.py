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
from fuzz.campaign.coordinator import conduct
from fuzz.campaign.iut import starter
from fuzz.campaign.spec import Spec
from fuzz.judging.runner import Runner
from fuzz.targets.bugs import BUGS

_TARGET = f"exec:{sys.executable} -m fuzz.targets"


_GROWTH = ("spin", "descriptors", "memory", "threads")  # effects that only many repetitions show


def shown(findings: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return, by bucket, the bugs that alone bring about what a finding tells of."""
    found: dict[str, set[str]] = {finding["bucket"]: set() for finding in findings}
    for bug in BUGS:
        runner = Runner(starter(stacks.resolve(f"{_TARGET} --bugs {bug.name}")))
        try:
            for finding in findings:
                if _shows(runner, finding, grows=bug.effect in _GROWTH):
                    found[finding["bucket"]].add(bug.name)
        finally:
            runner.close()
    return found


def false(findings: list[dict[str, Any]]) -> list[str]:
    """Return the buckets of findings that the target shows without any bug."""
    runner = Runner(starter(stacks.resolve(_TARGET)))
    try:
        return [finding["bucket"] for finding in findings if _shows(runner, finding, grows=True)]
    finally:
        runner.close()


def _shows(runner: Runner, finding: dict[str, Any], *, grows: bool) -> bool:
    case, kind = finding["case"], finding["kind"]
    runner.quick = kind not in ("leak", "spin")
    if runner.quick:
        symptoms = runner.trial(case)
        runner.spoilt = runner.spoilt or bool(symptoms)
    else:
        symptoms = runner.leak(case) if grows else []
        runner.spoilt = True
    return any(symptom.kind == kind for symptom in symptoms)


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
    findings = list(total.findings.values())
    wrong = false(findings)
    findings = [finding for finding in findings if finding["bucket"] not in wrong]
    alone = shown(findings)
    for finding in findings:
        bugs = alone[finding["bucket"]]
        size = len(json.dumps(finding["case"]["steps"]))
        for name in bugs:
            first[name] = min(first.get(name, (finding["seconds"], size)), (finding["seconds"], size))
        if not bugs:
            unexplained.append(finding["bucket"])
    for bug in BUGS:
        after, size = first.get(bug.name, (0.0, 0))
        text = f"after {after:6.1f} s, minimal case of {size:>5} characters" if bug.name in first else "not found"
        sys.stdout.write(f"{bug.group:<12}{bug.name:<24}{text}\n")
    for bucket in wrong:
        sys.stdout.write(f"FALSE, the healthy target does it too: {bucket}\n")
    for bucket in unexplained:
        sys.stdout.write(f"no single bug shows it: {bucket}\n")
    sys.stdout.write(
        f"{len(first)} of {len(BUGS)} found in {seconds:g} s with {workers} workers, {total.cases} cases\n"
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""How many faults of the reference agent, one alone each, come out of a run as one cause under their requirement.

    python tests/bench_causes.py [--variants one|usual|all] [--whole] [--out FOLDER] [FAULT...]

Each fault is judged in a run of its own. Records that are in the folder already are read again, unless --anew is given.
Ends with 1 if fewer than --least (a percentage) do.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from conformance.agent.faults import BY_NAME
from conformance.catalogue import REQUIREMENTS
from reports import causes
from reports.record import end_of, read

FAULTS = (
    "frames-padded",
    "length-includes-itself",
    "check-without-frame",
    "response-without-frame",
    "null-frame-closes",
    "coalesced-frame-lost",
    "check-without-fingerprint",
    "response-without-fingerprint",
    "check-without-integrity",
    "response-without-integrity",
    "check-username-reversed",
    "check-without-priority",
    "check-without-role",
    "check-retransmitted",
    "one-transaction-id",
    "mapped-address-wrong",
    "response-with-username",
    "username-unchecked",
    "password-unchecked",
    "unknown-attribute-ignored",
    "role-conflict-ignored",
    "no-triggered-check",
    "never-nominates",
    "nominates-as-controlled",
    "unselected-kept",
    "passive-not-listening",
    "pairs-passive-with-passive",
    "tcptype-missing",
    "media-not-sent",
    "restart-keeps-fragment",
)


SECTIONS = (
    *("RFC4571-2", "RFC6544-4.5", "RFC6544-6.2", "RFC6544-7", "RFC6544-8", "RFC6544-10", "RFC8489-6", "RFC8489-9.1.3"),
    *("RFC8445-7.1", "RFC8445-7.2", "RFC8445-7.3", "RFC8445-8.1.1", "RFC8445-9", "RFC8839-4.4"),
)


def folder_of(fault, out, options):
    """Return the folder of a fault's run, which is made unless it is there."""
    folder = out / fault
    if options.anew or end_of_run(folder) is None:
        agent = f"exec:{sys.executable} -m conformance.agent --fault {fault}"
        command = [
            sys.executable,
            "-m",
            "conformance",
            "run",
            "--iut",
            agent,
            "--variants",
            options.variants,
            "--out",
            folder,
        ]
        command += [] if options.whole else [word for section in SECTIONS for word in ("--section", section)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode not in (1, 3) or end_of_run(folder) is None:
            sys.exit(f"{fault}: the run ended with {done.returncode}: {done.stdout[-500:]}")
    return folder


def end_of_run(folder):
    return end_of(folder / "record.jsonl") if (folder / "record.jsonl").exists() else None


def judged(fault, folder):
    """Return in a line what a run came to, and whether that is one cause under the requirement of the fault."""
    _, results = read(folder / "record.jsonl")
    asked = BY_NAME[fault].requirement
    found = causes.find(results, REQUIREMENTS)
    right = [cause.requirement for cause in found] == [asked]
    bad = sum(len(cause.variants) for cause in found)
    others = ", ".join(f"{cause.id} ({len(cause.variants)})" for cause in found[:4])
    return (
        f"{'one' if right else 'not':4} {fault:32} {asked:20} {bad:4} non-passes, {len(found)} causes: {others}",
        right,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--variants", default="one", choices=("one", "usual", "all"))
    parser.add_argument("--whole", action="store_true", help="the whole suite, not the sections that say most")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--least", type=float, default=75, help="percentage below which it ends with 1")
    options = parser.parse_args()
    names = options.faults or FAULTS
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch)
        count = 0
        for name in names:
            line, right = judged(name, folder_of(name, out, options))
            count += right
            print(line, flush=True)
    print(f"{count} of {len(names)} faults come out as one cause under their requirement")
    return int(100 * count < options.least * len(names))


if __name__ == "__main__":
    sys.exit(main())

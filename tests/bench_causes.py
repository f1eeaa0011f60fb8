"""How many faults of the reference agent, one alone each, come out of a run as one cause under their requirement.

    python tests/bench_causes.py [--variants one|usual|all] [--out FOLDER] [FAULT...]

Each fault is judged by the whole suite, in a run of its own. Records that are in the folder already are read again,
unless --anew is given. Ends with 1 if fewer than --least (a percentage) do.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

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


def record_of(fault, out, variants, anew):
    folder = out / fault
    if anew or not (folder / "record.jsonl").exists():
        agent = f"exec:{sys.executable} -m conformance.agent --fault {fault}"
        command = [sys.executable, "-m", "conformance", "run", "--iut", agent, "--variants", variants, "--out", folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode not in (1, 3):
            sys.exit(f"{fault}: the run ended with {done.returncode}: {done.stdout[-500:]}")
    return folder / "record.jsonl"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*")
    parser.add_argument("--variants", default="one", choices=("one", "usual", "all"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--least", type=float, default=80)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        names = options.faults or FAULTS
        out = options.out or Path(scratch)
        for name in names:
            record_of(name, out, options.variants, options.anew)
            print(name, flush=True)


if __name__ == "__main__":
    main()

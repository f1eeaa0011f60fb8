"""How fast a run is: beside a bare loop over the same codec, beside its longest case, and at 1, 2 and 4 times its cases.

python tests/bench_run.py [--times 1 2 4] [-- SELECTION OF icetcp run]

Prints variants a second and CPU a variant of a run against the reference agent. A bare loop opens a connection, sends a
check in a frame, reads the answer and closes, over the same codec in one process. Fails (status 1) where the run makes
fewer variants for each exchange of the bare loop than is committed here, where it takes more than it should beyond its
longest case and the work of its variants, or where a variant costs more the more there are. Figures mean nothing on a
busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from conformance.wire.attributes import Address
from conformance.wire.layers import RFC4571, binding_request, binding_success
from conformance.wire.stun import Message

SHARE = 0.012  # variants for each exchange of the bare loop, at least
TAIL = 8.0  # seconds from the last case's end to the end of the run, at most
GROWTH = 1.10  # CPU of a variant at the largest number of cases, over that at the smallest, at most
EXCHANGES = 3000
PASSWORD = "p" * 22


@dataclass(frozen=True)
class Run:
    """A run: how often each variant was executed, seconds, and seconds of CPU."""

    times: int
    variants: int
    seconds: float
    cpu: float
    longest: float
    tail: float

    @property
    def rate(self) -> float:
        """Variants a second."""
        return self.variants / self.seconds

    @property
    def each(self) -> float:
        """Seconds of CPU for a variant, all processes together."""
        return self.cpu / self.variants


def bare_loop() -> float:
    """Return how many exchanges a second one process makes."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_answer, args=(listener,), daemon=True).start()
    begun = time.perf_counter()
    for number in range(EXCHANGES):
        transaction = number.to_bytes(12, "big")
        check = binding_request(
            username="a:b", password=PASSWORD, priority=1, transaction_id=transaction, controlling=1
        )
        with socket.create_connection(listener.getsockname()) as connection:
            connection.sendall(bytes(RFC4571() / check))
            assert _message(connection).transaction_id == transaction
    return EXCHANGES / (time.perf_counter() - begun)


def _answer(listener: socket.socket) -> None:
    for _ in range(EXCHANGES):
        connection, (ip, port) = listener.accept()
        with connection:
            request = _message(connection)
            success = binding_success(request.transaction_id, Address(ip, port), PASSWORD)
            connection.sendall(bytes(RFC4571() / success))


def _message(connection: socket.socket) -> Message:
    with connection.makefile("rb") as stream:
        return Message.decode(stream.read(int.from_bytes(stream.read(2), "big")))


def run(times: int, selection: list[str]) -> Run:
    """Let `icetcp run` judge the reference agent. Raises `SystemExit` if it did not conform."""
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "conformance", "run", "--quiet", "--out", str(out), "--repeat", str(times)]
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
        done = subprocess.run([*command, *selection], capture_output=True, text=True, check=False)
        ended, after = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise SystemExit(f"the run ended with status {done.returncode}: {done.stdout[-600:]}{done.stderr}")
        lines = [json.loads(line) for line in (out / "record.jsonl").read_text().splitlines()]
    cases = [line for line in lines if line["kind"] == "verdict" and "/judge_" not in line["variant"]]
    last = max(line["started"] + line["duration"] for line in cases)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    longest = max(line["duration"] for line in cases)
    return Run(times, len({line["variant"] for line in cases}), ended - begun, cpu, longest, ended - last)


def main() -> int:
    """Print the figures; return 1 where one is worse than is committed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], help="how often each variant is executed")
    parser.add_argument("selection", nargs="*", help="options of icetcp run [default: all variants]")
    options = parser.parse_args()
    bare = bare_loop()
    print(f"bare loop: {bare:.0f} exchanges a second; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    runs = []
    for times in options.times:
        done = run(times, options.selection)
        runs.append(done)
        print(
            f"{times} x: {done.variants} variants in {done.seconds:.1f} s, {done.rate:.1f} a second "
            f"({done.rate / bare:.4f} of the bare loop), {1000 * done.each:.1f} ms of CPU each; longest case "
            f"{done.longest:.1f} s, reports {done.tail:.1f} s after the last case"
        )
    wrong = [f"{one.rate / bare:.4f} of the bare loop, {SHARE} is committed" for one in runs if one.rate / bare < SHARE]
    wrong += [f"the reports came {one.tail:.1f} s after the last case" for one in runs[:1] if one.tail > TAIL]
    growth = runs[-1].each / runs[0].each
    print(f"CPU of a variant at {runs[-1].times} x over that at {runs[0].times} x: {growth:.2f}")
    wrong += [f"a variant costs {growth:.2f} times as much"] if growth > GROWTH else []
    for line in wrong:
        print(f"worse than committed: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

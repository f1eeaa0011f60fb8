"""How fast a run is: beside a bare loop over the same codec, beside its longest case, and at 1, 2 and 4 times its cases.

python tests/bench_run.py [--times 1 2 4] [-- SELECTION OF icetcp run]

Prints variants a second and CPU a variant of a run against the reference agent. A bare loop opens a connection, sends a
check in a frame, reads the answer and closes, over the same codec in one process; it runs before and after each run, so
that both see the same machine. Fails (status 1) where the run makes fewer variants for each exchange of the bare loop
than is committed here, where a variant takes the CPU of more exchanges, where the reports come late after the last case,
where a variant costs more the more there are, or where the first verdict takes longer in starts of a bare interpreter.
On a busy machine only the CPU of a variant in exchanges means something: the other figures are printed then, and do not
fail.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from conformance.wire.attributes import Address
from conformance.wire.layers import RFC4571, binding_request, binding_success
from conformance.wire.stun import Message

SHARE = 0.05  # variants for each exchange of the bare loop, at least, on two cores
# Exchanges of the bare loop that take the CPU of one variant, at most; what a run costs once is not counted. Where two
# cores are threads of one, they are slower together, and the bare loop has its core alone: measured were 23 to 42.
EXCHANGES_EACH = 45
TAIL = 4.0  # seconds from the last case's end to the end of the run, at most
GROWTH = 1.10  # CPU of one more variant at the largest number of cases, over that at the smallest, at most
IDLE = 0.5  # load of each core under which times are those of an idle machine
FIRST = 4.0  # starts of a bare interpreter that pass before the first verdict, at most
ATTEMPTS = 3  # of which the quickest counts
EXCHANGES = 1500
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


@dataclass(frozen=True)
class Bare:
    """The bare loop: exchanges a second, and seconds of CPU for each."""

    rate: float
    each: float


def bare_loop() -> Bare:
    """Return how fast one process makes exchanges."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_answer, args=(listener,), daemon=True).start()
    begun, cpu = time.perf_counter(), time.process_time()
    for number in range(EXCHANGES):
        transaction = number.to_bytes(12, "big")
        check = binding_request(
            username="a:b", password=PASSWORD, priority=1, transaction_id=transaction, controlling=1
        )
        with socket.create_connection(listener.getsockname()) as connection:
            connection.sendall(bytes(RFC4571() / check))
            assert _message(connection).transaction_id == transaction
    return Bare(EXCHANGES / (time.perf_counter() - begun), (time.process_time() - cpu) / EXCHANGES)


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


def bare_start() -> float:
    """Return the seconds that an interpreter takes to import what each run needs: pytest and Scapy."""
    command = [sys.executable, "-c", "import pytest, scapy.packet, scapy.fields"]

    def start() -> float:
        begun = time.perf_counter()
        subprocess.run(command, check=True)
        return time.perf_counter() - begun

    return min(start() for _ in range(ATTEMPTS))


def first_verdict(selection: list[str]) -> float:
    """Return the seconds from the start of `icetcp run` to its first verdict in the record; the run ends there."""
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        out = Path(folder) / "run"
        begun = time.perf_counter()
        command = [sys.executable, "-m", "conformance", "run", "--quiet", "--out", str(out), *selection]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while not _has_verdict(out / "record.jsonl"):
                if process.poll() is not None:
                    raise SystemExit(f"the run ended with status {process.returncode}, without a verdict")
                time.sleep(0.005)
            seconds = time.perf_counter() - begun
            process.send_signal(signal.SIGINT)
    return seconds


def _has_verdict(record: Path) -> bool:
    try:
        return b'"kind":"verdict"' in record.read_bytes().replace(b": ", b":")
    except FileNotFoundError:
        return False


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
    idle = os.getloadavg()[0] < IDLE * (os.cpu_count() or 1)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores{'' if idle else ': times mean nothing'}")
    start = bare_start()
    first = min(first_verdict(options.selection) for _ in range(ATTEMPTS))
    print(f"first verdict after {first:.2f} s, as long as {first / start:.1f} starts of a bare interpreter", flush=True)
    bares, runs, ratios = [bare_loop()], [], []
    for times in options.times:
        done = run(times, options.selection)
        runs.append(done)
        bares.append(bare_loop())
        ratios.append(done.rate / ((bares[-2].rate + bares[-1].rate) / 2))
        print(
            f"{times} x: {done.variants} variants in {done.seconds:.1f} s, {done.rate:.1f} a second "
            f"({ratios[-1]:.4f} of the bare loop), {1000 * done.each:.1f} ms of CPU each; longest case "
            f"{done.longest:.1f} s, reports {done.tail:.1f} s after the last case",
            flush=True,
        )
    exchange = sum(bare.each for bare in bares) / len(bares)
    rate = sum(bare.rate for bare in bares) / len(bares)
    print(f"bare loop: {rate:.0f} exchanges a second, {1000 * exchange:.2f} ms of CPU each")
    wrong = _too_dear(runs, exchange, idle=idle)
    if idle:
        if first / start > FIRST:
            wrong.append(f"the first verdict takes {first / start:.1f} bare starts, {FIRST:g} are committed")
        wrong += [f"{ratio:.4f} of the bare loop, {SHARE} is committed" for ratio in ratios if ratio < SHARE]
        wrong += [f"the reports came {one.tail:.1f} s after the last case" for one in runs[:1] if one.tail > TAIL]
    for line in wrong:
        print(f"worse than committed: {line}")
    return 1 if wrong else 0


def _too_dear(runs: list[Run], exchange: float, *, idle: bool) -> list[str]:
    """Print what one more variant costs, from each run to the next larger one; return what is too much."""
    steps = [(other.cpu - one.cpu) / (other.variants - one.variants) for one, other in pairwise(runs)]
    if not steps:
        return []
    for (one, other), cost in zip(pairwise(runs), steps, strict=True):
        print(
            f"from {one.times} x to {other.times} x: {1000 * cost:.1f} ms of CPU for one more variant, "
            f"as much as {cost / exchange:.1f} exchanges"
        )
    once = runs[0].cpu - steps[0] * runs[0].variants
    growth = steps[-1] / steps[0]
    print(f"a run costs {once:.1f} s of CPU once; one more variant at the end {growth:.2f} of that at the beginning")
    wrong = [f"a variant costs {growth:.2f} times as much"] if idle and growth > GROWTH else []
    if steps[0] / exchange > EXCHANGES_EACH:
        wrong.append(f"a variant takes the CPU of {steps[0] / exchange:.1f} exchanges, {EXCHANGES_EACH} are committed")
    return wrong


if __name__ == "__main__":
    sys.exit(main())

"""How fast the fuzzer is, in ratios of one run: against bare Python loops and against boofuzz, on one request and acceptor.

    python tests/fuzz/bench_speed.py [ROUNDS]

The acceptor is the healthy target, a process of its own. The bare loops send one valid check and read its answer: they
make no case, judge nothing, log nothing. The campaign is `icetcp fuzz` as it is: cases made and signed, judged, logged,
liveness after each.

Whoever is measured has one core, the acceptor another: left to the kernel, they share one for a while and then do not,
and two processes that take turns are twice as fast on one core. Bare loop and campaign take turns in rounds of a few
seconds, and what counts is the median of short spans of them, so that what else the machine does falls on both alike;
where that is allowed, all of them have a priority over what else runs. With one core there is but one place, and the
ratios mean less. What was done is printed.
"""

import contextlib
import importlib.util
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from conformance.iut import stacks
from fuzz.campaign.coordinator import conduct
from fuzz.campaign.iut import starter
from fuzz.campaign.spec import Spec
from fuzz.generate import Generator
from fuzz.judging.runner import Runner
from fuzz.player.render import frame, request
from fuzz.player.steps import PLAN, Player

TARGET = f"{sys.executable} -m fuzz.targets --passive"
ROUNDS = 5
SPAN = 0.25  # seconds of a bare loop
BARE = 6  # spans in a row
PRIORITY = -15
CAMPAIGN = 3.5  # seconds in a row
LEAST = {"new": 0.6, "standing": 0.6, "boofuzz": 5.0}
CORES = sorted(os.sched_getaffinity(0))
OURS, THEIRS = CORES[0], CORES[-1]
PLACED = f"exec:taskset -c {THEIRS} {TARGET}"


class Acceptor:
    """The target with a session, for the bare loops."""

    def __enter__(self):
        self.runner = Runner(starter(stacks.resolve(PLACED)))
        self.player: Player = self.runner.session(PLAN).player
        self.connection = self.player.connections[0]
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:  # what it asks itself must be out of the way, or answers come one too early
            self.connection.receive()
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(16))  # a plain socket again
        self.check = frame({"message": request()}, self.player.env)
        return self

    def __exit__(self, *_):
        self.runner.close()

    def new(self):
        count, end, address, check = 0, time.perf_counter() + SPAN, self.connection.remote, self.check
        while time.perf_counter() < end:
            sock = socket.socket()
            sock.connect(address)
            sock.sendall(check)
            sock.recv(65536)
            sock.close()
            count += 1
        return count / SPAN

    def standing(self):
        count, end, sock, check = 0, time.perf_counter() + SPAN, self.connection.sock, self.check
        while time.perf_counter() < end:
            sock.sendall(check)
            sock.recv(65536)
            count += 1
        return count / SPAN


def campaign(connections):
    """Return the rates of a campaign's half seconds, the first of which the start takes."""
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        spec = Spec(PLACED, folder, seconds=CAMPAIGN, classes=["request"], connections=connections)
        total = conduct([spec], lambda _: None)
        assert not total.problems, total.problems
        assert not total.findings, total.findings
        entries = [json.loads(line) for line in (Path(folder) / "log-0.jsonl").open()]
    assert sum(isinstance(one, list) for one in entries) == total.cases, "not every case is in the log"
    told = [one for one in entries if isinstance(one, dict) and one["event"] == "status"][1:]
    return [(b["cases"] - a["cases"]) / (b["seconds"] - a["seconds"]) for a, b in pairwise(told)]


def generation(count=20000):
    generator = Generator(0, 0, {"offers": ["passive"], "sides": ["offerer"]}, ["request"])
    begun = time.perf_counter()
    for number in range(count):
        generator.case(number, PLAN)
    return count / (time.perf_counter() - begun)


def boofuzz(seconds):
    if importlib.util.find_spec("boofuzz") is None:
        return 0.0
    command = [sys.executable, "-m", "fuzz.targets.with_boofuzz", "speed", str(seconds), str(THEIRS)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-2])


def measure(rounds):
    """Return what was measured, by name, in the order in which it was."""
    figures = {}
    for _ in range(rounds):
        for name in ("new", "standing"):
            with Acceptor() as acceptor:
                figures.setdefault(f"bare {name}", []).extend(getattr(acceptor, name)() for _ in range(BARE))
            figures.setdefault(name, []).extend(campaign(name))
        figures.setdefault("generation", []).append(generation())
        if boofuzz_rate := boofuzz(CAMPAIGN):
            figures.setdefault("boofuzz", []).append(boofuzz_rate)
    return figures


def main(arguments):
    os.sched_setaffinity(0, {OURS})
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    figures = measure(int(arguments[0]) if arguments else ROUNDS)
    print(
        f"{len(CORES)} cores: bare loops, campaigns and boofuzz on core {OURS}, the acceptor on core {THEIRS}; nice {nice}"
    )
    middle = {name: statistics.median(some) for name, some in figures.items()}
    for name, value in middle.items():
        print(
            f"{name:<16}{value:>9.0f} a second   (of {len(figures[name])}: {min(figures[name]):.0f} to {max(figures[name]):.0f})"
        )
    ratios = {name: middle[name] / middle[f"bare {name}"] for name in ("new", "standing")}
    if "boofuzz" in middle:
        ratios["boofuzz"] = middle["new"] / middle["boofuzz"]
    else:
        print("boofuzz is not installed: not compared")
    for name, ratio in ratios.items():
        what = "times boofuzz" if name == "boofuzz" else f"of the bare loop, connections {name}"
        print(f"{ratio:5.2f} {what} (at least {LEAST[name]:g}): {'ok' if ratio >= LEAST[name] else 'TOO SLOW'}")
    slow = middle["generation"] < 2 * middle["standing"]
    print(f"generation is {'THE BOTTLENECK' if slow else 'not the bottleneck'}; load {os.getloadavg()[0]:.1f}")
    print(json.dumps({"figures": middle, "ratios": ratios}))
    return int(slow or any(ratio < LEAST[name] for name, ratio in ratios.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

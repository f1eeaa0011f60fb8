"""How fast the fuzzer is, in ratios of one run: against bare Python loops and against boofuzz, on one request and acceptor.

    python tests/fuzz/bench_speed.py [SECONDS PER MEASUREMENT]

The acceptor is the healthy target, a process of its own. The bare loops send one valid check and read its answer: they
make no case, judge nothing, log nothing. The campaign is `icetcp fuzz` as it is: cases made and signed, judged, logged,
liveness after each. What is measured alternates, so that a load of the machine falls on all of it.
"""

import importlib.util
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conformance.iut import stacks
from fuzz.campaign.conduct import conduct
from fuzz.campaign.player import PLAN, Stage
from fuzz.campaign.runner import Runner
from fuzz.campaign.spec import Spec
from fuzz.generate import Generator
from fuzz.render import frame, request

ACCEPTOR = f"exec:{sys.executable} -m fuzz.targets --passive"
ROUNDS = 3
LEAST = {"new": 0.6, "standing": 0.6, "boofuzz": 5.0}


class Acceptor:
    """The target with a session, for the bare loops."""

    def __enter__(self):
        self.runner = Runner(stacks.resolve(ACCEPTOR))
        self.stage: Stage = self.runner.scene(PLAN).stage
        self.link = self.stage.links[0]
        self.link.patience(0.2)
        while self.link.receive():  # what it asks itself must be out of the way, or answers would come one too early
            pass
        self.link.patience(1.0)
        self.check = frame({"message": request()}, self.stage.env)
        return self

    def __exit__(self, *_):
        self.runner.close()

    def new(self, seconds):
        count, end, address, check = 0, time.perf_counter() + seconds, self.link.remote, self.check
        while time.perf_counter() < end:
            sock = socket.socket()
            sock.connect(address)
            sock.sendall(check)
            sock.recv(65536)
            sock.close()
            count += 1
        return count / seconds

    def standing(self, seconds):
        count, end, sock, check = 0, time.perf_counter() + seconds, self.link.sock, self.check
        while time.perf_counter() < end:
            sock.sendall(check)
            sock.recv(65536)
            count += 1
        return count / seconds


def campaign(connections, seconds):
    with tempfile.TemporaryDirectory(prefix="icetcp-") as folder:
        spec = Spec(ACCEPTOR, folder, seconds=seconds, classes=["request"], connections=connections)
        total = conduct([spec], lambda _: None)
        assert not total.problems, total.problems
        assert not total.findings, total.findings
        logged = sum(1 for line in (Path(folder) / "log-0.jsonl").open() if line.startswith("["))
        assert logged == total.cases, "not every case is in the log"
        return total.cases / total.seconds


def generation(count=20000):
    generator = Generator(0, 0, {"offers": ["passive"], "sides": ["offerer"]}, ["request"])
    begun = time.perf_counter()
    for number in range(count):
        generator.case(number, PLAN)
    return count / (time.perf_counter() - begun)


def boofuzz(seconds):
    if importlib.util.find_spec("boofuzz") is None:
        return 0.0
    command = [sys.executable, "-m", "fuzz.targets.with_boofuzz", "speed", str(seconds)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-2])


def main(arguments):
    seconds = float(arguments[0]) if arguments else 4.0
    figures = {}
    for _ in range(ROUNDS):
        with Acceptor() as acceptor:
            for name in ("new", "standing"):
                figures.setdefault(f"bare {name}", []).append(getattr(acceptor, name)(seconds / 2))
                figures.setdefault(name, []).append(campaign(name, seconds))
    figures["generation"] = [generation() for _ in range(ROUNDS)]
    if boofuzz_rate := boofuzz(2 * seconds):
        figures["boofuzz"] = [boofuzz_rate]
    middle = {name: statistics.median(some) for name, some in figures.items()}
    for name, value in middle.items():
        print(f"{name:<16}{value:>9.0f} a second   ({', '.join(f'{one:.0f}' for one in figures[name])})")
    ratios = {name: middle[name] / middle[f"bare {name}"] for name in ("new", "standing")}
    if boofuzz_rate:
        ratios["boofuzz"] = middle["new"] / boofuzz_rate
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

"""Playing one case without anything but the standard library: the last part of every finding's `replay.py`."""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fuzz.campaign.player import Outcome, Player, StageFailed

_SHOWN = ("death", "hang", "deaf", "closed")  # kinds that tell by themselves whether they came
_ATTEMPTS = 5  # to meet what has to do with the moment


class Adapter:
    """An adapter's process, and its only session."""

    def __init__(self, command: list[str], *, quiet: bool = False) -> None:
        errors = subprocess.DEVNULL if quiet else None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.told: list[dict[str, Any]] = []
        self.session = ""
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._count = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if "method" in entry:
                self.told.append(entry)
            else:
                self._answers.put(entry)
        self._answers.put({"id": None})

    def call(self, method: str, within: float, **params: Any) -> dict[str, Any]:
        """Call a method. Raises `StageFailed`."""
        if method == "open":
            self.session = f"r{self._count}"
        self._count += 1
        number = self._count
        params = {"session": self.session, **params} if method != "hello" else params
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        deadline = time.monotonic() + within
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
            entry: dict[str, Any] = {}
            while entry.get("id") != number:
                entry = self._answers.get(timeout=max(0.01, deadline - time.monotonic()))
                if entry.get("id", 0) is None:
                    raise StageFailed(f"{method}: the adapter has ended")
        except OSError:
            raise StageFailed(f"{method}: the adapter has ended") from None
        except queue.Empty:
            raise StageFailed(f"{method}: no answer within {within:g} s", hung=True) from None
        if "error" in entry:
            raise StageFailed(f"{method}: {entry['error']}")
        return dict(entry.get("result", {}))

    def state(self) -> str:
        """Return the last state that was told of."""
        told = [e["params"].get("state", "") for e in self.told if e["method"] == "state"]
        return str(told[-1]) if told else ""

    def data(self) -> list[bytes]:
        """Return what the application got."""
        return [base64.b64decode(e["params"].get("data", "")) for e in self.told if e["method"] == "data"]

    def death(self) -> str:
        """Return how the process ended, or nothing."""
        status = self.process.poll()
        if status is None:
            return ""
        return f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"


def grown(pid: int) -> str:
    """Return what a process holds and has used, as far as /proc tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    except OSError:
        return "nothing"
    pages = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") >> 10
    ticks = int(fields[11]) + int(fields[12])
    return f"{descriptors} descriptors, {fields[17]} threads, {pages} KiB, {ticks} ticks of CPU"


def show(outcome: Outcome) -> None:
    """Print what passed."""
    for link in outcome.links:
        say(f"  connection {link.local[1]} -> {link.remote[1]}, ended by us: {link.ended or 'no'}")
        say(f"    sent     {bytes(link.sent).hex()[:400]}")
        for identity, answers in link.answers.items():
            for answer in answers:
                say(f"    answer   {identity.hex()}: {answer.hex()}")
        for payload in link.media:
            say(f"    media    {payload.hex()[:200]}")
        if link.closed:
            say(f"    the IUT ended it: {link.closed}")
    for _, identity, answered in outcome.probes:
        say(f"  valid check {identity.hex()}: {'answered' if answered else 'NOT ANSWERED'}")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def replay(case: dict[str, Any], kind: str, cause: str, repeat: int) -> int:
    """Play the case with the adapter that the command line names; 1 if it still does it, 0 if not, 2 for usage."""
    if len(sys.argv) < 2:
        say(f"usage: python3 {sys.argv[0]} COMMAND OF THE ADAPTER")
        return 2
    adapter = Adapter(sys.argv[1:])
    say(f"finding: {kind}: {cause}")
    bad = False
    try:
        adapter.call("hello", 10.0, protocol=1)
        say(f"before: {grown(adapter.process.pid)}")
        for attempt in range(max(repeat, _ATTEMPTS if kind in _SHOWN else 1)):
            bad = _once(adapter, case) or bad
            if bad and attempt + 1 >= repeat:
                break
        time.sleep(0.3)
        say(f"after: {grown(adapter.process.pid)}; {adapter.death() or 'alive'}")
        alive = _lives(adapter, case)
        say(f"a session of its own: {'works' if alive else 'DOES NOT WORK'}")
    except StageFailed as error:
        say(f"failed: {error}")
        return 2
    finally:
        adapter.process.kill()
        adapter.process.wait()
    return int(bad or not alive) if kind in _SHOWN else 0


def _once(adapter: Adapter, case: dict[str, Any]) -> bool:
    stage = Player(adapter, case["plan"])
    try:
        stage.open()
        outcome = stage.play(case["steps"])
    except StageFailed as error:
        say(f"no session: {error}")
        return bool(adapter.death()) or error.hung
    show(outcome)
    for octets in adapter.data():
        say(f"  the application got {len(octets)} octets: {octets[:100].hex()}")
    dead = adapter.death()
    stage.close()
    return bool(dead) or not all(answered for _, _, answered in outcome.probes)


def _lives(adapter: Adapter, case: dict[str, Any]) -> bool:
    plan = {**case["plan"], "state": "fresh"}
    plan.pop("sdp", None)
    try:
        stage = Player(adapter, plan)
        stage.open()
        stage.close()
    except StageFailed:
        return False
    return True

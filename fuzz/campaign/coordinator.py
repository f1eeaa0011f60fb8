"""A campaign of several shards: each is a process, and their findings are combined."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.iut.stacks import own_environment
from fuzz.campaign.spec import Spec, Status

if TYPE_CHECKING:
    from collections.abc import Callable

_END_WITHIN = 30.0  # seconds for a shard that is asked to end, to finish an investigation
_LOOK = 0.2  # seconds between two looks at whether to end


@dataclass(slots=True)
class Total:
    """All shards together."""

    shards: dict[int, Status] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def cases(self) -> int:
        """Cases played."""
        return sum(status.cases for status in self.shards.values())

    @property
    def seconds(self) -> float:
        """How long it has been."""
        return max((status.seconds for status in self.shards.values()), default=0.0)

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """The findings by bucket. If several shards have one, the first counts, and a reproduced one before others."""
        found: dict[str, dict[str, Any]] = {}
        all_of_them = [finding for status in self.shards.values() for finding in status.found]
        order = sorted(all_of_them, key=lambda one: (not one["reproduced"], len(one["words"]), one["seconds"]))
        for finding in order:
            bucket = next((name for name, known in found.items() if _same(known, finding)), finding["bucket"])
            known = found.setdefault(bucket, dict(finding))
            if known["shard"] != finding["shard"]:
                known["hits"] += finding["hits"]
            if finding["seconds"] < known["seconds"]:
                found[bucket] = {**known, "seconds": finding["seconds"], "number": finding["number"]}
        return dict(sorted(found.items(), key=lambda item: item[1]["seconds"]))

    @property
    def coverage(self) -> Counter[str]:
        """How often each kind of input met each kind of session."""
        total: Counter[str] = Counter()
        for status in self.shards.values():
            total.update(status.coverage)
        return total

    @property
    def unconfirmed(self) -> Counter[str]:
        """Symptoms that did not come again."""
        total: Counter[str] = Counter()
        for status in self.shards.values():
            total.update(status.unconfirmed)
        return total


def _same(known: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one shard's finding is another's: the same, or the same with something unusual more."""
    if known["bucket"] == other["bucket"]:
        return True
    alike = (known["kind"], known["cause"]) == (other["kind"], other["cause"])
    return alike and bool(known["words"]) and set(known["words"]) <= set(other["words"])


def conduct(specs: list[Spec], show: Callable[[Total], None], stopping: threading.Event | None = None) -> Total:
    """Run shards until all are done. If `stopping` is set, ask them to end, and still return what they found."""
    total = Total()
    stopping = stopping or threading.Event()
    told: queue.Queue[tuple[int, str | None]] = queue.Queue()
    processes: dict[int, subprocess.Popen[str]] = {}
    readers: dict[int, threading.Thread] = {}
    try:
        for spec in specs:
            processes[spec.shard], readers[spec.shard] = _start(spec, told)
        _listen(processes, told, total, show, stopping)
    finally:
        for shard, process in processes.items():
            process.kill()
            process.wait()
            readers[shard].join(1.0)
            if process.stdout is not None:
                process.stdout.close()
            status = total.shards.get(shard)
            if status is None or status.problem or not status.done:
                ended = f"shard {shard} ended with status {process.returncode} before it was done"
                why = status.problem if status is not None and status.problem else ended
                total.problems.append(why)
            for why, times in status.others_ends.items() if status is not None else ():
                total.problems.append(f"the second IUT ended {times} times: {why}")
    return total


def _start(spec: Spec, told: queue.Queue[tuple[int, str | None]]) -> tuple[subprocess.Popen[str], threading.Thread]:
    command = [sys.executable, "-P", "-m", "fuzz.campaign", json.dumps(asdict(spec))]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": own_environment()["PYTHONPATH"]}
    )

    def read() -> None:
        for line in process.stdout or ():
            told.put((spec.shard, line))
        told.put((spec.shard, None))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return process, reader


def _listen(
    processes: dict[int, subprocess.Popen[str]],
    told: queue.Queue[tuple[int, str | None]],
    total: Total,
    show: Callable[[Total], None],
    stopping: threading.Event,
) -> None:
    running, deadline = set(processes), 0.0
    while running:
        if stopping.is_set() and not deadline:
            deadline = time.monotonic() + _END_WITHIN
            total.interrupted = True
            for process in processes.values():
                process.terminate()
        try:
            shard, line = told.get(timeout=_LOOK)
        except queue.Empty:
            running = {shard for shard in running if processes[shard].poll() is None}
            if deadline and time.monotonic() > deadline:
                return
            continue
        if line is None:
            running.discard(shard)
        else:
            total.shards[shard] = Status(**json.loads(line))
            show(total)

"""A campaign of several shards, each a process, and their findings put together."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from fuzz.campaign.spec import Spec, Status

if TYPE_CHECKING:
    from collections.abc import Callable

_END_WITHIN = 30.0  # seconds for a shard to finish what it is looking into, after its time


@dataclass(slots=True)
class Total:
    """All shards together."""

    shards: dict[int, Status] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

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
        """The findings by bucket: of those of several shards, the one that was there first."""
        found: dict[str, dict[str, Any]] = {}
        all_of_them = [finding for status in self.shards.values() for finding in status.found]
        for finding in sorted(all_of_them, key=lambda one: (len(one["words"]), one["seconds"])):
            bucket = next((name for name, known in found.items() if _same(known, finding)), finding["bucket"])
            known = found.setdefault(bucket, finding)
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


def conduct(specs: list[Spec], show: Callable[[Total], None]) -> Total:
    """Run shards until all are done; on KeyboardInterrupt ask them to end, and still return what they found."""
    total = Total()
    told: queue.Queue[tuple[int, str | None]] = queue.Queue()
    processes: dict[int, subprocess.Popen[str]] = {}
    readers: dict[int, threading.Thread] = {}
    for spec in specs:
        processes[spec.shard], readers[spec.shard] = _start(spec, told)
    try:
        _listen(processes, told, total, show)
    except KeyboardInterrupt:
        for process in processes.values():
            process.terminate()
        _listen(processes, told, total, show, time.monotonic() + _END_WITHIN)
    finally:
        for shard, process in processes.items():
            process.kill()
            process.wait()
            readers[shard].join(1.0)
            if process.stdout is not None:
                process.stdout.close()
            status = total.shards.get(shard)
            if status is None or (status.problem and not status.cases):
                why = status.problem if status else f"shard {shard} ended with status {process.returncode}"
                total.problems.append(why)
    return total


def _start(spec: Spec, told: queue.Queue[tuple[int, str | None]]) -> tuple[subprocess.Popen[str], threading.Thread]:
    command = [sys.executable, "-m", "fuzz.campaign", json.dumps(asdict(spec))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

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
    deadline: float = 0.0,
) -> None:
    running = {shard for shard, process in processes.items() if process.poll() is None or not told.empty()}
    while running:
        try:
            shard, line = told.get(timeout=0.5)
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

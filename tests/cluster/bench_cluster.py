"""`python tests/cluster/bench_cluster.py [--json]`: what the engine of `--cluster` costs, on this machine.

Printed are: the overhead of a piece; the efficiency at 1, 2 and 4 workers of pieces that wait and of pieces that compute,
beside as many bare processes at a time; the scheduler's and the client's CPU a piece; the cost of telling all workers something.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from conformance.cluster import identity
from conformance.cluster.connection import Cluster, connected
from conformance.cluster.dispatch import Dispatch
from conformance.cluster.journal import Journal
from conformance.cluster.piece import Piece

HERE = Path(__file__).parent
WAIT, BURN = 10.0, 12_000_000
PER_WORKER = 3
TASKS, EVENTS, SINGLE = 2000, 500, 20


def ticks(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scheduler_of(cluster: Cluster) -> int:
    return int(cluster.client.run_on_scheduler(os.getpid))


@contextlib.contextmanager
def ready(workers: int) -> Iterator[Cluster]:
    """Return a cluster of this machine with all its workers there, and their code loaded."""
    with connected(f"local:{workers}") as cluster:
        cluster.client.wait_for_workers(workers)
        play(cluster, pieces("warm", workers))
        yield cluster


def pieces(name: str, count: int, **spec: Any) -> list[Piece]:
    executed = {"executed": "/dev/null", "pids": "/dev/null", "name": name}
    return [
        Piece(
            name=f"{name}-{number}",
            program=("piece_program", "{folder}"),
            icetcp=identity.icetcp(),
            spec={**executed, **spec},
        )
        for number in range(count)
    ]


def play(cluster: Cluster, work: list[Piece]) -> tuple[float, list[Any]]:
    """Do pieces; return how long it took, and their outcomes."""
    outcomes: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), resume=False)
        begun = time.perf_counter()
        dispatch = Dispatch(cluster, journal)
        dispatch.run(work, lambda _piece, outcome: outcomes.append(outcome))
        took = time.perf_counter() - begun
        journal.close()
    assert len(outcomes) == len(work), dispatch.report.lines()
    return took, outcomes


def bare(count: int, at_once: int, **spec: Any) -> float:
    """Return how long the same programs take, so many at a time, without an engine."""
    executed = {"executed": "/dev/null", "pids": "/dev/null", "name": "bare"}

    def run(folder: str) -> None:
        Path(folder).mkdir()
        Path(folder, "spec.json").write_text(json.dumps({**executed, **spec}))
        subprocess.run([sys.executable, "-P", "-m", "piece_program", folder], check=True)

    with tempfile.TemporaryDirectory() as top, ThreadPoolExecutor(at_once) as pool:
        begun = time.perf_counter()
        list(pool.map(run, [f"{top}/{number}" for number in range(count)]))
        return time.perf_counter() - begun


def efficiency(workers: int) -> dict[str, float]:
    count = workers * PER_WORKER
    with ready(workers) as cluster:
        waiting, _ = play(cluster, pieces("wait", count, wait=WAIT))
        computing, _ = play(cluster, pieces("burn", count, burn=BURN))
    alone = bare(count, workers, burn=BURN)
    return {
        "workers": workers,
        "waiting": round(PER_WORKER * WAIT / waiting, 3),
        "computing_s": round(computing, 2),
        "bare_s": round(alone, 2),
        "computing_beside_bare": round(alone / computing, 3),
    }


def overhead() -> dict[str, float]:
    with ready(1) as cluster:
        took, outcomes = play(cluster, pieces("nothing", 30))
    start = bare(30, 1)
    return {
        "piece_ms": round(1000 * took / 30, 1),
        "worker_ms": round(1000 * statistics.median(one.spent for one in outcomes), 1),
        "of_it_program_ms": round(1000 * statistics.median(one.seconds for one in outcomes), 1),
        "bare_program_ms": round(1000 * start / 30, 1),
    }


def cpu() -> float:
    """Return the CPU seconds of this process and of all that it has waited for, with theirs."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def work() -> dict[str, float]:
    """Return the CPU that a piece costs beside its program, on scheduler, worker and client together.

    On a loaded machine this tells what wall time does not: computing pieces of so many seconds have the efficiency
    T / (T + this), as long as there are as many cores as workers.
    """
    count = 30

    def whole(number: int) -> float:
        before = cpu()
        with ready(1) as cluster:
            play(cluster, pieces("nothing", number))
        return cpu() - before

    engine = (whole(count + 1) - whole(1)) / count
    before = cpu()
    bare(count, 1)
    program = (cpu() - before) / count
    return {"cpu_ms": round(1000 * engine), "of_it_program_ms": round(1000 * program)}


def nothing(data: Any) -> bytes:
    return b"x" * 1000


def scheduling() -> dict[str, float]:
    """Return the CPU that a task of the size of a piece costs scheduler and client, and what an event does."""
    piece = pieces("task", 1)[0].data()
    with ready(2) as cluster:
        scheduler, client = scheduler_of(cluster), cluster.client
        before, own = ticks(scheduler), resource.getrusage(resource.RUSAGE_SELF)
        begun = time.perf_counter()
        futures = [client.submit(nothing, piece, key=f"bench-{number}", pure=False) for number in range(TASKS)]
        client.gather(futures)
        took = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_SELF)
        mine = used.ru_utime + used.ru_stime - own.ru_utime - own.ru_stime
        result = {
            "tasks_a_second": round(TASKS / took),
            "scheduler_ms_a_task": round(1000 * (ticks(scheduler) - before) / TASKS, 3),
            "client_ms_a_task": round(1000 * mine / TASKS, 3),
        }
        return result | events(cluster, scheduler)


def hear(number: int, news: queue.SimpleQueue[tuple[int, float]], event: Any) -> None:
    news.put((number, event[1].get("sent", 0.0)))


def events(cluster: Cluster, scheduler: int) -> dict[str, float]:
    """Return what it costs to tell something of 2 KB to subscribers, and how late they hear it."""
    from distributed import Client

    found = {}
    for subscribers in (1, 8):
        everyone = [Client(cluster.client.scheduler.address, set_as_default=False) for _ in range(subscribers)]
        news: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()  # who heard, and how late; a probe has no time
        for number, one in enumerate(everyone):
            one.subscribe_topic("bench", functools.partial(hear, number, news))
        subscribed: set[int] = set()
        while len(subscribed) < subscribers:
            cluster.client.log_event("bench", {})
            with contextlib.suppress(queue.Empty):
                subscribed.add(news.get(timeout=0.1)[0])
        before = ticks(scheduler)
        for _ in range(EVENTS):
            cluster.client.log_event("bench", {"case": "x" * 2000, "sent": time.time()})
        taken = 0
        while taken < EVENTS * subscribers:
            taken += bool(news.get(timeout=60)[1])
        found[f"scheduler_ms_an_event_to_{subscribers}"] = round(1000 * (ticks(scheduler) - before) / EVENTS, 3)
        delays: list[float] = []
        for _ in range(SINGLE):
            cluster.client.log_event("bench", {"case": "x" * 2000, "sent": time.time()})
            delays += [time.time() - news.get(timeout=60)[1] for _ in everyone]
        found[f"median_delay_ms_to_{subscribers}"] = round(1000 * statistics.median(delays), 1)
        for one in everyone:
            one.close()
    return found


def main() -> int:
    os.environ["PYTHONPATH"] = f"{HERE}{os.pathsep}{HERE.parents[1]}"
    sys.path.insert(0, str(HERE))
    print(f"cores {os.cpu_count()}, load before {os.getloadavg()[0]:.1f}", flush=True)
    for name, measure in (("overhead", overhead), ("cpu", work), ("scheduling", scheduling)):
        print(name, json.dumps(measure()), flush=True)
    for workers in (1, 2, 4):
        print("efficiency", json.dumps(efficiency(workers)), flush=True)
    print(f"load after {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

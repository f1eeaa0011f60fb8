"""`python -m fuzz.campaign SPEC`: one shard as a process, which reports its status on standard output."""

import contextlib
import gc
import json
import queue
import signal
import sys
import threading
from dataclasses import asdict
from typing import Any

from conformance.iut.signals import ENDING
from fuzz.campaign.shard import Shard
from fuzz.campaign.spec import Spec, Status


def main() -> int:
    """Run a shard until it is done or asked to end."""
    gc.freeze()  # modules are never freed
    gc.set_threshold(20_000, 20, 20)  # thousands of cases are made and dropped, without reference cycles
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    for number in ENDING:  # a terminal sends some of them to the whole group: the parent decides, and says SIGTERM
        if number != signal.SIGTERM:
            signal.signal(number, lambda *_: None)  # not SIG_IGN, which the adapter would inherit

    def report(status: Status) -> None:
        sys.stdout.write(json.dumps(asdict(status)) + "\n")
        sys.stdout.flush()

    spec = Spec(**json.loads(sys.argv[1]))
    known: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    if spec.shared:
        threading.Thread(target=_hear, args=(known,), daemon=True).start()
    try:
        status = Shard(spec, report, lambda: bool(asked), known).run()
    except BrokenPipeError:  # the parent process has ended
        return 1
    return 1 if status.problem else 0


def _hear(known: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Take what other shards have found."""
    with contextlib.suppress(OSError, ValueError):
        for line in sys.stdin:
            for told in json.loads(line).get("known", ()):
                known.put(told)


if __name__ == "__main__":
    sys.exit(main())

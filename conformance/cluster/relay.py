"""A piece whose program reports while it runs, and hears what the others have found: a shard of a fuzz campaign.

The program writes lines of JSON, its status, on standard output, and gets lines on standard input. Its folder has a log
that grows (``log`` of the spec names it) and folders with a ``finding.json`` each. All of it is sent on as it comes.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
import time
import zlib
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from conformance.cluster.archive import pack
from conformance.cluster.guarded import Guarded
from conformance.cluster.piece import TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conformance.cluster.piece import Piece

Tell = Callable[..., None]
STATUS, LOG, FINDING, STOP = "status", "log", "finding", "stop"  # what events are about
_EVERY = 1.0  # seconds between two reports, unless the spec says otherwise; findings are told at once
_JOINS = 1.0  # seconds for the reader of what was said to come to its end
_LOOK = 0.2
_STOPS_WITHIN = 40.0  # seconds for the program to finish what it investigates


def relayed(
    arguments: Sequence[str], output: IO[bytes], folder: Path, piece: Piece, tell: Tell, see: Callable[[], None]
) -> int:
    """Run the program to its end and return its exit status; `see` raises when it is to be ended before."""
    with _heard(piece) as known:
        program = Guarded.start(arguments, output=subprocess.PIPE, stdin=subprocess.PIPE, errors=output)
        said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(program.process.stdout, said), daemon=True)
        reader.start()
        relay = _Relay(folder, piece, tell)
        try:
            while not program.ended(_LOOK):
                see()
                relay.send(said)
                _pass_on(known, program)
        finally:
            status = program.end()
            reader.join(_JOINS)
            for stream in (program.process.stdin, program.process.stdout):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
        relay.send(said, last=True)
    return status


def _read(stream: IO[bytes] | None, said: queue.SimpleQueue[bytes]) -> None:
    with contextlib.suppress(ValueError, OSError):  # it is closed when the program has ended
        for line in stream or ():
            said.put(line)


class _Relay:
    """Sends on what is new."""

    def __init__(self, folder: Path, piece: Piece, tell: Tell) -> None:
        self._folder, self._piece, self._tell = folder, piece, tell
        self._log = folder / str(piece.spec["log"])
        self._sent = len(piece.files.get(self._log.name, b""))
        self._known = {path.parent for path in folder.glob("*/*/finding.json")}  # from before
        self._every, self._last = float(piece.spec.get("every", _EVERY)), 0.0

    def send(self, said: queue.SimpleQueue[bytes], *, last: bool = False) -> None:
        for path in self._folder.glob("*/*/finding.json"):
            if path.parent not in self._known:
                self._known.add(path.parent)
                name = str(path.parent.relative_to(self._folder))
                self._tell(FINDING, self._piece, name=name, archive=pack(path.parent))
        if time.monotonic() - self._last < self._every and not last:
            return
        self._last = time.monotonic()
        status = None
        while not said.empty():
            status = said.get()
        self._send_log()
        if status is not None:
            self._tell(STATUS, self._piece, status=json.loads(status))

    def _send_log(self) -> None:
        if not self._log.is_file():
            return
        with self._log.open("rb") as file:
            file.seek(self._sent)
            octets = file.read()
        octets = octets[: octets.rfind(b"\n") + 1]
        if octets:
            self._tell(LOG, self._piece, octets=zlib.compress(octets, 1), begin=self._sent)
            self._sent += len(octets)


@contextlib.contextmanager
def _heard(piece: Piece) -> Iterator[queue.SimpleQueue[dict[str, Any]]]:
    """Listen to what the others have found."""
    from distributed import Client, get_worker

    known: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    worker = get_worker()
    client = Client(worker.scheduler.address, security=worker.security, set_as_default=False)
    try:
        client.subscribe_topic(f"{TOPIC}-{piece.topic}-known", lambda event: known.put(event[1]))
        yield known
    finally:
        client.close(timeout=2)


def _pass_on(known: queue.SimpleQueue[dict[str, Any]], program: Guarded) -> None:
    while not known.empty():
        told = known.get()
        if told.get("what") == STOP:
            program.stop(_STOPS_WITHIN)
            continue
        with contextlib.suppress(OSError):  # it may have ended
            assert program.process.stdin is not None
            program.process.stdin.write(json.dumps(told).encode() + b"\n")
            program.process.stdin.flush()

"""Signals that end a campaign in order: it stops, and reports what it has found."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from conformance.iut.signals import ENDING
from conformance.verdict import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ALWAYS = (signal.SIGINT, signal.SIGTERM)
_TOGETHER = 0.5  # seconds


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Return an event that Ctrl-C, SIGTERM and the others of `ENDING` (unless ignored, as SIGHUP by nohup) set.

    A second signal, unless it comes with the first, as a closed terminal and its shell send them, ends this process at
    once. Its shards notice that nobody reads their output, and end too.
    """
    stopping = threading.Event()
    first = 0.0

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if not first:
            first = now
            stopping.set()
        elif now - first > _TOGETHER:
            os._exit(ExitStatus.COULD_NOT_JUDGE)

    if threading.current_thread() is not threading.main_thread():  # only it may set handlers
        yield stopping
        return
    numbers = [number for number in ENDING if number in _ALWAYS or signal.getsignal(number) is signal.SIG_DFL]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

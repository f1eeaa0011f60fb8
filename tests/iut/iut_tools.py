"""What the tests of the upper tester share."""

import contextlib
import errno
import os
import sys
import threading
from pathlib import Path

from conformance.iut.stacks import Stack

HERE = Path(__file__).parent
STRANGE = str(HERE / "strange_adapter.py")
WITHIN = 30.0  # seconds for what comes at once, on a busy machine


def strange(mode="", sessions=1):
    return Stack("strange", [sys.executable, STRANGE, mode], environment={"SESSIONS": str(sessions)})


class News:
    """Counts what `on_activity` tells, and lets a test wait for a condition without polling."""

    def __init__(self, session):
        self._news = threading.Condition()
        session.on_activity = self._tell

    def _tell(self):
        with self._news:
            self._news.notify_all()

    def until(self, condition):
        with self._news:
            return self._news.wait_for(condition, WITHIN)


def gone(pid, within=WITHIN):
    """Whether a process that is no child of ours ends (its parent, or init, reaps it)."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as error:
        return error.errno == errno.ESRCH
    import select

    try:
        return bool(select.select([descriptor], [], [], within)[0])
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def closing(thing):
    """Kill it in the end."""
    try:
        yield thing
    finally:
        thing.kill()

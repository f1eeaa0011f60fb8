"""The guard of a program that is not to outlive the one who wanted it; its arguments are a pipe and the program.

The one who starts it keeps the other end of the pipe open. When that closes, which happens however the process ends,
everything that the program has started is killed. An octet on the pipe says in how many seconds the program is to end.
Processes that lose their parent come to the guard, so that none of them is missed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

from conformance.iut.signals import ENDING
from conformance.run.interrupts import end_descendants

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the program; return its exit status, 128 and the signal where it was killed."""
    pipe = int(sys.argv[1])
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in ENDING:
        signal.signal(number, lambda *_: None)  # the pipe decides; not SIG_IGN, which the program would inherit

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, exit statuses are lost

    def dies_with_guard() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    process = subprocess.Popen(sys.argv[2:], preexec_fn=dies_with_guard, close_fds=True)
    try:
        _watch(process, pipe)
    finally:
        if process.poll() is None or _has_children():
            end_descendants()
    code = process.wait()
    return code if code >= 0 else 128 - code


def _has_children() -> bool:
    """Whether the program has left any process: each of them is the guard's child by now."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _watch(process: subprocess.Popen[bytes], pipe: int) -> None:
    """Wait for the end of the program, or of the one who wanted it."""
    alive = os.pidfd_open(process.pid)
    deadline = float("inf")
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            ready, _, _ = select.select([alive, pipe], [], [], None if left == float("inf") else left)
            if alive in ready:
                return
            if pipe in ready:
                seconds = os.read(pipe, 1)
                if not seconds:
                    return
                deadline = min(deadline, time.monotonic() + seconds[0])
                with contextlib.suppress(OSError):
                    process.send_signal(signal.SIGTERM)
    finally:
        os.close(alive)
